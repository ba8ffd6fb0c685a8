import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startFakeLlm } from './fake-llm.ts';
import { setup, until, UNTIL_MIDNIGHT, type BedOptions } from './testbed.ts';

const MINUTE = 60_000;

async function bed(options: BedOptions = {}) {
  const t = await setup(options);
  const first = await t.provider('First', { priority: 1 });
  await t.provider('Second', { priority: 2 });
  return Object.assign(t, { first: first.id, stateOfFirst: async () => (await t.llm.get(first.id)).health.state });
}

describe('a provider that refuses its key', () => {
  it('is left alone at once, re-tested, and called again when its endpoint takes the key', async () => {
    await using t = await bed();
    await t.start();
    t.fake.reply({ error: 'auth' });
    await t.ask();
    assert.equal(await t.stateOfFirst(), 'unhealthy');
    assert.deepEqual(t.told, ['First refuses its key']);
    assert.deepEqual((await t.ask()).receipt.hops, [{ provider: 'First', reason: 'unhealthy' }]);
    const before = t.fake.requests.length;
    await t.clock.advance(MINUTE);
    await until(async () => (await t.stateOfFirst()) === 'healthy');
    assert.equal(t.fake.requests.length, before, 'the re-test costs no call');
    assert.equal((await t.ask()).receipt.provider, 'First');
  });

  it('is left alone for longer each time', async () => {
    await using t = await bed();
    const waits: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      t.fake.reply({ error: 'auth' });
      await t.ask();
      const { retryAt } = (await t.llm.get(t.first)).health;
      waits.push(Date.parse(retryAt!) - t.clock.now());
      t.clock.set(Date.parse(retryAt!));
      await t.start();
      await t.clock.advance(10_000);
      await until(async () => (await t.stateOfFirst()) === 'healthy');
    }
    assert.deepEqual(waits, [30_000, 60_000, 120_000]);
  });

  it('is healthy again when the owner changes it, or its secret', async () => {
    await using t = await bed();
    await t.start();
    t.fake.reply({ error: 'auth' });
    await t.ask();
    await t.llm.change(t.first, { timeoutMs: 6_000 });
    assert.equal(await t.stateOfFirst(), 'healthy');
    t.fake.reply({ error: 'auth' });
    await t.ask();
    t.secrets.set('@secret:key', 'sk-new-0123456789');
    await t.bus.publishAndWait('vault.changed', { name: 'key', change: 'set' });
    await t.ask();
    assert.equal(t.fake.requests.at(-1)?.key, 'sk-new-0123456789');
  });

  it('stays so over a restart', async () => {
    await using t = await bed();
    t.fake.reply({ error: 'auth' });
    await t.ask();
    await t.start();
    assert.equal(await t.stateOfFirst(), 'unhealthy');
  });
});

describe('a provider that is down', () => {
  it('is re-tested at growing intervals for as long as it does not answer', async () => {
    await using t = await bed();
    const down = await startFakeLlm();
    await t.llm.change(t.first, { baseUrl: down.url });
    await down.close();
    for (let n = 0; n < 3; n += 1) await t.ask();
    await t.start();
    const retryAt = async () => Date.parse((await t.llm.get(t.first)).health.retryAt!);
    const waits: number[] = [(await retryAt()) - t.clock.now()];
    for (let round = 0; round < 3; round += 1) {
      const before = await retryAt();
      t.clock.set(before);
      await t.clock.advance(5_000);
      await until(async () => (await retryAt()) !== before);
      waits.push((await retryAt()) - t.clock.now());
      assert.equal(await t.stateOfFirst(), 'unhealthy');
    }
    for (const [round, expected] of [15_000, 30_000, 60_000, 120_000].entries())
      assert.ok(waits[round]! <= expected && waits[round]! >= expected - 5_000, `${waits[round]} is not ${expected}, to a tick`);
  });
});

describe('a provider that fails', () => {
  it('once or twice is tried again; three times in a row it is left alone', async () => {
    await using t = await bed();
    for (const state of ['healthy', 'healthy', 'unhealthy']) {
      t.fake.reply({ error: 'server' });
      await t.ask();
      assert.equal(await t.stateOfFirst(), state);
    }
    const before = t.fake.requests.length;
    await t.ask();
    assert.equal(t.fake.requests.length, before + 1);
  });

  it('is forgiven by an answer', async () => {
    await using t = await bed();
    for (const reply of [{ error: 'server' as const }, {}, { error: 'server' as const }, {}, { error: 'server' as const }]) {
      t.fake.reply(reply);
      await t.ask();
    }
    assert.equal(await t.stateOfFirst(), 'healthy');
  });

  it('is not blamed for a bad request or a reader who left', async () => {
    await using t = await bed();
    for (let n = 0; n < 4; n += 1) {
      t.fake.reply({ error: 'bad_request' });
      await t.ask();
    }
    assert.equal(await t.stateOfFirst(), 'healthy');
  });

  it('waits as long as it says, then is simply tried again', async () => {
    await using t = await bed();
    t.fake.reply({ error: 'rate_limited', retryAfterSeconds: 42 });
    await t.ask();
    assert.equal(await t.stateOfFirst(), 'cooling');
    t.clock.set(t.clock.now() + 41_000);
    assert.equal((await t.ask()).receipt.provider, 'Second');
    t.clock.set(t.clock.now() + 1_000);
    assert.equal((await t.ask()).receipt.provider, 'First');
    assert.equal(await t.stateOfFirst(), 'healthy');
  });
});

describe('the daily limit', () => {
  it('moves on to the next provider, counts calls in flight, and starts anew at 00:00 UTC', async () => {
    await using t = await setup();
    const { id } = await t.provider('Limited', { priority: 1, dailyCallLimit: 2 });
    await t.provider('Second', { priority: 2 });
    const answers = await Promise.all([t.ask(), t.ask(), t.ask()]);
    assert.deepEqual(answers.map((it) => it.receipt.provider).toSorted(), ['Limited', 'Limited', 'Second']);
    assert.deepEqual(answers.find((it) => it.receipt.provider === 'Second')?.receipt.hops, [
      { provider: 'Limited', reason: 'daily_limit' },
    ]);
    assert.equal((await t.llm.get(id)).callsToday, 2);
    t.clock.set(t.clock.now() + UNTIL_MIDNIGHT - 1);
    assert.equal((await t.ask()).receipt.provider, 'Second');
    t.clock.set(t.clock.now() + 1);
    assert.equal((await t.ask()).receipt.provider, 'Limited');
    assert.equal((await t.llm.get(id)).callsToday, 1);
  });

  it('holds for a provider chosen by name, and over a restart', async () => {
    await using t = await setup();
    await t.provider('Limited', { dailyCallLimit: 1 });
    await t.ask();
    await t.start();
    assert.deepEqual((await t.ask({ provider: 'Limited' })).receipt.hops, [{ provider: 'Limited', reason: 'daily_limit' }]);
  });

  it('of 0 is never; a failure that used nothing does not count; embeddings do not', async () => {
    await using t = await setup();
    await t.provider('Never', { dailyCallLimit: 0, priority: 1 });
    await t.provider('Once', { kind: 'compatible', secret: null, dailyCallLimit: 1, embeddingModel: 'fake-1', priority: 2 });
    await t.scoped().embed(['a', 'b'], { signal: AbortSignal.timeout(5_000) });
    t.fake.reply({ error: 'server' });
    assert.equal((await t.ask()).receipt.offline, true);
    const { receipt } = await t.ask();
    assert.equal(receipt.provider, 'Once');
    assert.deepEqual(receipt.hops, [{ provider: 'Never', reason: 'daily_limit' }]);
  });
});
