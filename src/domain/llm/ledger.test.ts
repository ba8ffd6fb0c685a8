import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { onEveryEngine } from '#core/db/testing';
import { estimateTokens } from './estimate.ts';
import type { Reply } from './fake-llm.ts';
import { llmMigrations, type ReservationRow } from './tables.ts';
import { NOON, setup, UNTIL_MIDNIGHT } from './testbed.ts';

const LONG = 'A sentence that takes a while to arrive. '.repeat(20);
const close = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);

const held: ReservationRow = {
  id: 'dead-1',
  day: '2026-11-21',
  provider_id: 'p',
  provider: 'P',
  kind: 'anthropic',
  model: 'claude-haiku-4-5',
  operation: 'chat',
  tier: 'light',
  purpose: 'turn',
  run_id: 'run-1',
  step: null,
  workflow_id: null,
  hop: 0,
  reserved_usd: 0.75,
  started_at: NOON - 1_000,
  node: 'local',
};

onEveryEngine('llm ledger', (open) => {
  it('books what the provider counted, at the price of the table', async () => {
    await using t = await setup({ store: await open(llmMigrations) });
    await t.provider('P');
    t.fake.reply({ text: 'Yes', usage: { input: 1_000_000, output: 200_000, cached: 400_000, reasoning: 5 } });
    const { receipt } = await t.ask({}, { runId: 'run-1', step: 'a', workflowId: 'w-1', purpose: 'turn' });
    const [call, ...more] = await t.ledger();
    assert.equal(more.length, 0);
    close(call!.cost_usd, 0.6 * 1 + 0.4 * 0.1 + 0.2 * 5);
    close(receipt.costUsd, call!.cost_usd);
    const {
      status,
      input_tokens,
      output_tokens,
      cached_tokens,
      usage_source,
      price_source,
      run_id,
      step,
      workflow_id,
      purpose,
      tier,
      day,
    } = call!;
    assert.deepEqual(
      { status, input_tokens, output_tokens, cached_tokens, usage_source, price_source, run_id, step, workflow_id, purpose, tier, day },
      {
        status: 'ok',
        input_tokens: 1_000_000,
        output_tokens: 200_000,
        cached_tokens: 400_000,
        usage_source: 'provider',
        price_source: 'table',
        run_id: 'run-1',
        step: 'a',
        workflow_id: 'w-1',
        purpose: 'turn',
        tier: 'light',
        day: '2026-11-21',
      },
    );
    assert.deepEqual(await t.holds(), []);
  });

  it('books what a dead process held, at its worst case, and counts it as spent', async () => {
    const store = await open(llmMigrations);
    await store.write((tx) =>
      tx
        .insertInto('llm_reservation')
        .values([held, { ...held, id: 'other-node', node: 'elsewhere' }])
        .execute(),
    );
    await using t = await setup({ store });
    await t.start();
    const [call] = await t.ledger();
    assert.deepEqual(
      [call?.id, call?.status, call?.reason, call?.cost_usd, call?.usage_source],
      ['dead-1', 'failed', 'interrupted', 0.75, 'estimated'],
    );
    assert.deepEqual(
      (await t.holds()).map((it) => it.id),
      ['other-node'],
    );
    assert.equal((await t.llm.budgets()).find((it) => it.scope === 'day')?.spentUsd, 0.75);
    await t.provider('P');
    await assert.rejects(t.ask({ allowOffline: false, maxOutputTokens: 60_000 }, { runId: 'run-1' }), { code: 'llm.over_budget' });
  });

  it('adds usage up by provider, workflow, day, model, purpose and run', async () => {
    await using t = await setup({ store: await open(llmMigrations) });
    await t.provider('P', { priority: 1 });
    await t.provider('Q', { priority: 2 });
    t.fake.reply({ error: 'server' }, { usage: { input: 100, output: 10 } }, { usage: { input: 1_000, output: 100 } });
    await t.ask({}, { workflowId: 'w', purpose: 'a', runId: 'r' });
    await t.clock.advance(UNTIL_MIDNIGHT);
    await t.ask({}, { purpose: 'b' });
    const range = { from: '2026-11-21', to: '2026-11-22' };
    const table = async (by: 'provider' | 'workflow' | 'day' | 'purpose' | 'run' | 'model') =>
      (await t.llm.usage({ ...range, by })).items.map((it) => [it.key, it.calls, it.failedCalls, it.inputTokens]);
    assert.deepEqual(await table('provider'), [
      ['P', 2, 1, 1_000],
      ['Q', 1, 0, 100],
    ]);
    assert.deepEqual(await table('workflow'), [
      ['', 1, 0, 1_000],
      ['w', 2, 1, 100],
    ]);
    assert.deepEqual(await table('day'), [
      ['2026-11-21', 2, 1, 100],
      ['2026-11-22', 1, 0, 1_000],
    ]);
    assert.deepEqual(
      (await table('purpose')).map(([key]) => key),
      ['b', 'a'],
    );
    assert.deepEqual(
      (await table('run')).map(([key]) => key),
      ['', 'r'],
    );
    const { total } = await t.llm.usage(range);
    assert.deepEqual([total.calls, total.outputTokens], [3, 110]);
    close(
      total.costUsd,
      (await t.ledger()).reduce((sum, it) => sum + it.cost_usd, 0),
    );
    assert.equal((await t.llm.usage({})).total.calls, 1);
  });
});

describe('the ledger is exact', () => {
  it('for a stream that its reader leaves: estimated from what was sent and received, never nothing', async () => {
    await using t = await setup();
    await t.provider('P');
    t.fake.reply({ text: LONG, chunkDelayMs: 5 });
    let seen = '';
    for await (const event of t.scoped({ runId: 'r' }).stream({ prompt: 'x'.repeat(3_500), signal: AbortSignal.timeout(5_000) })) {
      if (event.type === 'text') seen += event.text;
      if (seen.length > 60) break;
    }
    const [call] = await t.ledger();
    assert.deepEqual([call?.status, call?.usage_source], ['cancelled', 'estimated']);
    assert.equal(call?.input_tokens, estimateTokens('x'.repeat(3_500)) + 4);
    assert.ok(call.output_tokens >= seen.length / 3.5 - 1);
    close(call.cost_usd, (call.input_tokens * 1 + call.output_tokens * 5) / 1e6);
    assert.deepEqual(await t.holds(), []);
    await t.fake.requests[0]!.closed;
    assert.equal(t.fake.requests[0]?.aborted, true);
  });

  it('for a call cancelled before its first byte', async () => {
    await using t = await setup();
    await t.provider('P');
    t.fake.reply({ delayMs: Infinity });
    const stop = new AbortController();
    const asking = assert.rejects(t.ask({ signal: stop.signal }));
    await t.fake.request(0);
    stop.abort();
    await asking;
    const [call] = await t.ledger();
    assert.deepEqual([call?.status, call?.usage_source, call?.output_tokens], ['cancelled', 'estimated', 0]);
    assert.ok(call!.cost_usd > 0);
  });

  it('for a call cancelled before it left: nothing', async () => {
    await using t = await setup();
    await t.provider('P');
    await assert.rejects(t.ask({ signal: AbortSignal.abort() }), { name: 'AbortError' });
    assert.deepEqual(await t.ledger(), []);
  });

  const failures: readonly [title: string, reply: Reply, source: string][] = [
    ['a refused key', { error: 'auth' }, 'none'],
    ['a rate limit', { error: 'rate_limited' }, 'none'],
    ['a server error', { error: 'server' }, 'none'],
    ['an answer that broke off', { text: LONG, fault: { after: 5, how: 'drop' } }, 'estimated'],
    ['an error in the middle of an answer', { text: LONG, fault: { after: 5, how: 'error' } }, 'estimated'],
    ['no answer in time', { delayMs: Infinity }, 'estimated'],
  ];
  for (const [title, reply, source] of failures) {
    it(`for ${title}: ${source === 'none' ? 'booked at nothing' : 'booked at an estimate'}`, async () => {
      await using t = await setup();
      await t.provider('P', { timeoutMs: reply.delayMs === Infinity ? 150 : 5_000 });
      t.fake.reply(reply);
      await assert.rejects(t.ask({ allowOffline: false }), { code: 'llm.failed' });
      const [call] = await t.ledger();
      assert.deepEqual([call?.status, call?.usage_source], ['failed', source]);
      assert.equal(call!.cost_usd > 0, source === 'estimated');
      assert.deepEqual(await t.holds(), []);
    });
  }

  it('for the receipt of a request that took several attempts', async () => {
    await using t = await setup();
    await t.provider('First', { priority: 1 });
    await t.provider('Second', { priority: 2 });
    t.fake.reply({ text: LONG, fault: { after: 5, how: 'drop' } }, { text: 'Done', usage: { input: 100, output: 10 } });
    const { receipt } = await t.ask();
    const calls = await t.ledger();
    assert.deepEqual(
      calls.map((it) => [it.provider, it.hop]),
      [
        ['First', 0],
        ['Second', 1],
      ],
    );
    close(
      receipt.costUsd,
      calls.reduce((sum, it) => sum + it.cost_usd, 0),
    );
    assert.equal(
      receipt.usage.inputTokens,
      calls.reduce((sum, it) => sum + it.input_tokens, 0),
    );
  });

  it('for calls that are free: offline and local ones are in it', async () => {
    await using t = await setup();
    await t.provider('Here', { kind: 'compatible', tiers: ['local'], secret: null });
    await t.ask({ tier: 'local' });
    await t.ask();
    assert.deepEqual(
      (await t.ledger()).map((it) => [it.provider, it.status, it.cost_usd, it.price_source]),
      [
        ['Here', 'ok', 0, 'free'],
        ['offline', 'ok', 0, 'free'],
      ],
    );
  });

  it('for tests of the owner', async () => {
    await using t = await setup();
    const { id } = await t.provider('P', { enabled: false });
    t.fake.reply({ text: 'OK' });
    const test = await t.llm.test(id, AbortSignal.timeout(5_000));
    assert.deepEqual([test.ok, test.reply], [true, 'OK']);
    const [call] = await t.ledger();
    assert.equal(call?.purpose, 'test');
    close(test.costUsd, call!.cost_usd);
    t.fake.reply({ error: 'auth' });
    assert.equal((await t.llm.test(id, AbortSignal.timeout(5_000))).error?.reason, 'auth');
  });
});
