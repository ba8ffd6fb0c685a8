import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { createRuns, runMigrations } from '#runs';
import { migrate } from '#core/db/migration';
import { uuidv7 } from '#core/ids';
import type { EffectPlan } from '#runs/contract';
import type { Json } from '#core/json';
import { testbed } from './testbed.ts';
import { skillDelivery } from './skill-delivery.ts';

describe('A message of a skill', () => {
  async function setup() {
    const bed = await testbed({ paired: [7] });
    await migrate(bed.store, runMigrations);
    const runs = createRuns({
      store: bed.store,
      bus: createBus(() => {}),
      clock: systemClock,
      newId: uuidv7(),
      keep: () => ({ days: 1, perWorkflow: 1 }),
    });
    const { run } = await bed.store.write((tx) =>
      runs.create(tx, { kind: 'workflow', title: 'Morning briefing', trigger: { kind: 'owner' } }),
    );
    const effect = <R extends Json>(request: EffectPlan<R>) =>
      runs.effects.perform({ runId: run.id, step: 'notify', dryRun: false }, request, AbortSignal.timeout(5_000));
    const send = () => skillDelivery(bed.channels.delivery)({ text: 'Good **morning**', channel: 'telegram' }, { effect });
    return { ...bed, telegram: bed.telegram, send, settle: runs.effects.settle, [Symbol.asyncDispose]: () => bed[Symbol.asyncDispose]() };
  }

  it('is sent once however often the step runs, with a receipt', async () => {
    await using it = await setup();
    const first = await it.send();
    assert.deepEqual(await it.send(), first);
    assert.deepEqual(first.delivered[0]!.messageIds, [String(it.telegram.sentTo(7)[0]!.message_id)]);
    assert.equal(it.telegram.sentTo(7).length, 1);
  });

  it('is tried again when it surely was not sent', async () => {
    await using it = await setup();
    it.telegram.trouble('sendMessage', { code: 400, description: 'Bad Request: chat not found' });
    await assert.rejects(it.send(), { code: 'channel.refused' });
    await it.send();
    assert.equal(it.telegram.sentTo(7).length, 1);
  });

  it('that may have arrived is left to the owner, and repeated on their word only', async () => {
    await using it = await setup();
    it.telegram.trouble('sendMessage', 'drop');
    await assert.rejects(it.send(), { code: 'effect.unknown' });
    await assert.rejects(it.send(), { code: 'effect.unknown' });
    assert.equal(it.telegram.sentTo(7).length, 1);
    const { key } = await it.store.db.selectFrom('run_effect').select('key').executeTakeFirstOrThrow();
    await it.settle(key, 'retry');
    await it.send();
    assert.equal(it.telegram.sentTo(7).length, 2);
  });
});
