import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createBus } from '#core/bus';
import { manualClock, systemClock } from '#core/clock';
import type { Store } from '#core/db/store';
import { memoryStore, onEveryEngine } from '#core/db/testing';
import { sequentialIds } from '#core/ids';
import { createSchedules, explainOccurrence, scheduleMigrations, type SchedulesDeps } from '#schedules';

const START = Date.parse('2026-11-21T06:59:30Z');
const daily = { kind: 'cron', expression: '0 7 * * *', timeZone: 'UTC', missed: 'run_once' } as const;
const HOUR = 3_600_000;

function build(store: Store, over: Partial<SchedulesDeps> = {}) {
  const clock = manualClock(START);
  const fired: { workflowId: string; at: number }[] = [];
  const told: string[] = [];
  const schedules = createSchedules({
    store,
    clock,
    bus: createBus((_, error) => assert.fail(String(error))),
    newId: sequentialIds(),
    timeZone: () => 'UTC',
    tell: (_, title) => told.push(title),
    fire: async (_tx, { workflowId }) => {
      fired.push({ workflowId, at: clock.now() });
      return `run-${fired.length}`;
    },
    ...over,
  });
  const abort = new AbortController();
  return {
    clock,
    fired,
    told,
    schedules,
    sync: (triggers: readonly Parameters<typeof schedules.check>[0][], enabled = true, workflowId = 'w') =>
      store.write((tx) => schedules.sync(tx, { workflowId, enabled, triggers })),
    async run() {
      const running = await schedules.service.start({ signal: abort.signal, exit: () => {} });
      return async () => {
        abort.abort();
        await running.stop();
      };
    },
    /** Time passes in small pieces, so that the loop can breathe. */
    async pass(ms: number, step = ms) {
      for (let left = ms; left > 0; left -= step) await clock.advance(Math.min(step, left));
      await clock.advance(0);
    },
  };
}
async function setup(over: Partial<SchedulesDeps> = {}) {
  const store = await memoryStore(scheduleMigrations);
  return { store, ...build(store, over), [Symbol.asyncDispose]: () => store.close() };
}

onEveryEngine('schedules', (open) => {
  it('fires when due, once, and knows the next one', async () => {
    await using store = await open(scheduleMigrations);
    const t = build(store);
    await t.sync([daily]);
    const stop = await t.run();
    await t.pass(20_000);
    assert.deepEqual(t.fired, []);
    for (let i = 0; i < 50 && t.fired.length === 0; i += 1) {
      await t.pass(1_000);
      await systemClock.sleep(10); // a server answers in its own time
    }
    assert.deepEqual(
      t.fired.map(({ workflowId }) => workflowId),
      ['w'],
    );
    await stop();
    const [info] = await t.schedules.list();
    assert.deepEqual(
      [info?.nextAt, info?.lastAt, info?.description],
      ['2026-11-22T07:00:00.000Z', '2026-11-21T07:00:00.000Z', 'every day at 07:00, UTC'],
    );
  });

  it('two services on one store start each occurrence once', async () => {
    await using store = await open(scheduleMigrations);
    const clock = manualClock(START);
    const [a, b] = [build(store, { clock, newId: sequentialIds('a') }), build(store, { clock, newId: sequentialIds('b') })];
    await a.sync([daily]);
    clock.set(START + 40_000);
    const stops = await Promise.all([a.run(), b.run()]);
    for (let i = 0; i < 100 && a.fired.length + b.fired.length === 0; i += 1) {
      await clock.advance(0);
      await systemClock.sleep(10);
    }
    await systemClock.sleep(100); // time enough for a second one
    await Promise.all(stops.map((stop) => stop()));
    assert.equal(a.fired.length + b.fired.length, 1);
  });
});

for (const [missed, runs, statuses] of [
  ['run_once', 1, ['missed_merged', 'missed_merged', 'late']],
  ['skip', 0, ['missed_skipped', 'missed_skipped', 'missed_skipped']],
  ['all', 3, ['late', 'late', 'late']],
] as const) {
  it(`three days away: ${missed}`, async () => {
    await using t = await setup();
    await t.sync([{ ...daily, missed }]);
    t.clock.set(START + 72 * HOUR - 20 * HOUR + 12 * HOUR);
    const stop = await t.run();
    await t.pass(1_000);
    await stop();
    assert.equal(t.fired.length, runs);
    const [schedule] = await t.schedules.list();
    const occurrences = await t.schedules.occurrences(schedule!.id, 10);
    assert.deepEqual(occurrences.map(({ status }) => status).toReversed(), statuses);
    const told = await explainOccurrence(t.schedules)(occurrences.at(-1)!.id);
    assert.equal(told!.title, 'every day at 07:00, UTC');
    assert.match(told!.lines[1]!.text, statuses[0] === 'late' ? /started late: .* late\./ : /not started/);
    assert.equal(told!.lines.length, statuses[0] === 'late' ? 3 : 2);
    assert.deepEqual(t.told, ['A schedule was late']);
  });
}

it('a very long absence of a frequent schedule is decided without counting it all', async () => {
  await using t = await setup();
  await t.sync([{ kind: 'interval', everyMs: 1_000, missed: 'run_once' }]);
  t.clock.set(START + 400 * 24 * HOUR + 500);
  const stop = await t.run();
  await t.pass(100);
  await stop();
  assert.equal(t.fired.length <= 62, true); // those of the last minute are on time
  assert.equal((await t.schedules.list())[0]?.nextAt, new Date(START + 400 * 24 * HOUR + 1_000).toISOString());
});

it('a clock set back fires nothing twice', async () => {
  await using t = await setup();
  await t.sync([{ kind: 'interval', everyMs: 10_000, missed: 'all' }]);
  const stop = await t.run();
  await t.pass(35_000, 1_000);
  assert.equal(t.fired.length, 3);
  t.clock.set(START);
  await t.pass(35_000, 1_000);
  assert.equal(t.fired.length, 3);
  await stop();
});

it('intervals do not drift, however late the timer', async () => {
  await using t = await setup();
  await t.sync([{ kind: 'interval', everyMs: 10_000, missed: 'run_once' }]);
  const stop = await t.run();
  for (let i = 0; i < 5; i += 1) await t.pass(13_000);
  await stop();
  assert.equal((await t.schedules.list())[0]?.nextAt, new Date(START + 70_000).toISOString());
});

it('once fires once and is over', async () => {
  await using t = await setup();
  await t.sync([{ kind: 'once', at: '2026-11-21T07:00:00Z', missed: 'run_once' }]);
  const stop = await t.run();
  await t.pass(100_000, 5_000);
  await stop();
  assert.equal(t.fired.length, 1);
  assert.deepEqual(
    (await t.schedules.list()).map(({ enabled, nextAt }) => [enabled, nextAt]),
    [[false, null]],
  );
});

it('switched off nothing is due, and switching on again does not repeat the past', async () => {
  await using t = await setup();
  await t.sync([daily]);
  await t.sync([daily], false);
  assert.equal((await t.schedules.list())[0]?.nextAt, null);
  t.clock.set(START + 48 * HOUR);
  await t.sync([daily], true);
  const stop = await t.run();
  await t.pass(1_000);
  await stop();
  assert.deepEqual(t.fired, []);
});

it('saving with the same trigger keeps its place; another one replaces it; removal leaves nothing', async () => {
  await using t = await setup();
  await t.sync([daily]);
  const [before] = await t.schedules.list();
  t.clock.set(START + 5_000);
  await t.sync([daily, { kind: 'interval', everyMs: 60_000, missed: 'skip' }]);
  const after = await t.schedules.list();
  assert.deepEqual([after.length, after.some(({ id, nextAt }) => id === before?.id && nextAt === before.nextAt)], [2, true]);
  await t.sync([{ ...daily, expression: '0 8 * * *' }]);
  assert.deepEqual(
    (await t.schedules.list()).map(({ nextAt }) => nextAt),
    ['2026-11-21T08:00:00.000Z'],
  );
  await t.store.write((tx) => t.schedules.removeFor(tx, 'w'));
  assert.deepEqual(await t.schedules.list(), []);
});

it('a save that is undone arms nothing', async () => {
  await using t = await setup();
  await assert.rejects(
    t.store.write(async (tx) => {
      await t.schedules.sync(tx, { workflowId: 'w', enabled: true, triggers: [daily] });
      throw new Error('undo');
    }),
  );
  assert.deepEqual(await t.schedules.list(), []);
});

it('a workflow that cannot be started is told of, and does not hold up the others', async () => {
  const good: string[] = [];
  await using t = await setup({
    fire: async (_tx, { workflowId }) => {
      if (workflowId === 'bad') throw new Error('gone');
      good.push(workflowId);
      return 'r';
    },
  });
  await t.sync([daily], true, 'bad');
  await t.sync([daily], true, 'good');
  t.clock.set(START + 40_000);
  const stop = await t.run();
  await t.pass(1_000);
  await stop();
  assert.deepEqual([good, t.told], [['good'], ['A scheduled workflow could not be started']]);
  assert.ok((await t.schedules.list()).every(({ nextAt }) => nextAt === '2026-11-22T07:00:00.000Z'));
});

it('says why a trigger cannot be', async () => {
  await using t = await setup();
  assert.equal(t.schedules.check(daily), null);
  assert.match(t.schedules.check({ ...daily, expression: 'every morning' }) ?? '', /not a cron expression/);
  assert.match(t.schedules.check({ ...daily, timeZone: 'Europe/Nowhere' }) ?? '', /not a time zone/);
});
