import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createBus } from '#core/bus';
import { manualClock } from '#core/clock';
import { onEveryEngine } from '#core/db/testing';
import { sequentialIds } from '#core/ids';
import { deleteRuns, expiredRuns } from './queries.ts';
import { createRuns } from './runs.ts';
import { runMigrations } from './tables.ts';

const DAY_MS = 86_400_000;

onEveryEngine('retention', (open) => {
  it('gives up what is too old or too many of one workflow, with all that belongs to it, and never what is not over', async () => {
    await using store = await open(runMigrations);
    const clock = manualClock(100 * DAY_MS);
    const runs = createRuns({
      store,
      bus: createBus(() => {}),
      clock,
      newId: sequentialIds('run'),
      redact: (text) => text,
      keep: () => ({ days: 30, perWorkflow: 2 }),
    });
    const add = (workflowId: string, endedDaysAgo: number | null) =>
      store.write(async (tx) => {
        const { run } = await runs.create(tx, { kind: 'workflow', title: 't', trigger: { kind: 'owner' }, workflowId });
        await runs.journal(run.id, 'note', null, 1, tx);
        if (endedDaysAgo !== null) await runs.change(tx, run.id, { status: 'succeeded', ended_at: clock.now() - endedDaysAgo * DAY_MS });
        return run.id;
      });
    const old = await add('a', 31);
    const surplus = await add('a', 3);
    const kept = [await add('a', 2), await add('a', 1), await add('b', 29), await add('c', null)];
    const gone = await expiredRuns(store.db, clock.now() - 30 * DAY_MS, 2, 100);
    assert.deepEqual(gone.toSorted(), [old, surplus].toSorted());
    await store.write((tx) => deleteRuns(tx, gone));
    const { items } = await runs.list({ limit: 100 });
    assert.deepEqual(items.map(({ id }) => id).toSorted(), kept.toSorted());
    const lines = await store.db.selectFrom('run_journal').select('run_id').execute();
    assert.equal(lines.length, kept.length);
  });
});
