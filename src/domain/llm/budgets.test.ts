import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { manualClock } from '#core/clock';
import { memoryStore } from '#core/db/testing';
import { sequentialIds } from '#core/ids';
import { createBudgets, type Hold } from './budgets.ts';
import type { CallScope } from './contract.ts';
import { createLedger, NO_USAGE } from './ledger.ts';
import type { PriceOf } from './prices.ts';
import { llmMigrations } from './tables.ts';
import { NOON, setup, UNTIL_MIDNIGHT } from './testbed.ts';

const opus = { model: 'claude-opus-5-5', tiers: ['heavy'] } as const;
/** A dear answer: 0.02 at most, as Claude Haiku prices it. */
const dear = { maxOutputTokens: 4_000 };
const heavy = (fields: object = {}) => ({ ...opus, tiers: [...opus.tiers], ...fields });

describe('over budget', () => {
  it('goes to a cheaper tier, and says why', async () => {
    await using t = await setup();
    await t.provider('Opus', heavy());
    await t.provider('Haiku');
    await t.llm.setBudget('day', '', 0.05);
    const { receipt } = await t.ask({ tier: 'heavy', maxOutputTokens: 4_000 });
    assert.equal(receipt.provider, 'Haiku');
    assert.deepEqual(receipt.hops, [{ provider: 'Opus', reason: 'over_budget' }]);
    assert.deepEqual(t.told, ['A budget is used up: day']);
  });

  it('never goes to a dearer tier', async () => {
    await using t = await setup();
    await t.provider('Haiku', { tiers: ['medium'] });
    await t.provider('Opus', heavy({ tiers: ['heavy'] }));
    await t.llm.setBudget('day', '', 0);
    assert.equal((await t.ask({ tier: 'medium' })).receipt.offline, true);
  });

  it('still answers where it is free: locally, then offline', async () => {
    await using t = await setup();
    await t.provider('Haiku');
    const { id } = await t.provider('Here', { kind: 'compatible', tiers: ['local'], secret: null });
    await t.llm.setBudget('day', '', 0);
    assert.equal((await t.ask()).receipt.provider, 'Here');
    await t.llm.change(id, { enabled: false });
    assert.equal((await t.ask()).receipt.offline, true);
  });

  it('asks for an approval where offline is forbidden, and goes on when more is granted', async () => {
    await using t = await setup();
    await t.provider('Haiku');
    const scope = { runId: 'run-1', workflowId: 'w-1', runBudgetUsd: 0.01 };
    const asking = t.ask({ ...dear, allowOffline: false }, scope);
    await assert.rejects(asking, (error: { code: string; details: Record<string, unknown> }) => {
      const { scope: which, key, limitUsd, spentUsd, approval } = error.details;
      assert.deepEqual(
        { code: error.code, which, key, limitUsd, spentUsd, approval },
        { code: 'llm.over_budget', which: 'run', key: 'run-1', limitUsd: 0.01, spentUsd: 0, approval: true },
      );
      return true;
    });
    await t.llm.grantExtra('run', 'run-1', 0.02);
    assert.equal((await t.ask({ ...dear, allowOffline: false }, scope)).receipt.provider, 'Haiku');
    await assert.rejects(t.ask({ ...dear, allowOffline: false }, { ...scope, runId: 'run-2' }), { code: 'llm.over_budget' });
  });

  it('of a workflow ends with the day; so does what was granted', async () => {
    await using t = await setup();
    await t.provider('Haiku');
    const spend = () => t.ask({ ...dear, allowOffline: false }, { workflowId: 'w-1', workflowDailyBudgetUsd: 0.03 });
    t.fake.reply({ usage: { input: 10_000, output: 4_000 } });
    await spend();
    await assert.rejects(spend(), { code: 'llm.over_budget' });
    await t.llm.grantExtra('workflow', 'w-1', 0.05);
    t.fake.reply({ usage: { input: 10_000, output: 4_000 } });
    await spend();
    t.clock.set(t.clock.now() + UNTIL_MIDNIGHT);
    t.fake.reply({ usage: { input: 10_000, output: 4_000 } });
    await spend();
    await assert.rejects(spend(), { code: 'llm.over_budget' });
  });

  it('of the month holds across days, and over a restart', async () => {
    await using t = await setup();
    await t.provider('Haiku');
    await t.llm.setBudget('month', '', 0.04);
    t.fake.reply({ usage: { input: 10_000, output: 4_000 } });
    await t.ask(dear);
    t.clock.set(t.clock.now() + 2 * UNTIL_MIDNIGHT);
    await t.start();
    await assert.rejects(t.ask({ ...dear, allowOffline: false }), { code: 'llm.over_budget' });
    const month = (await t.llm.budgets()).find((it) => it.scope === 'month');
    assert.deepEqual([month?.limitUsd, Math.round(month!.spentUsd * 1e6)], [0.04, 30_000]);
  });

  it('for embeddings is apart from the day', async () => {
    await using t = await setup();
    await t.provider('Vectors', { kind: 'openai', model: '', embeddingModel: 'text-embedding-3-small', tiers: [] });
    await t.llm.setBudget('day', '', 0);
    const embed = () => t.scoped().embed(['x'.repeat(1_000)], { signal: AbortSignal.timeout(5_000) });
    const { vectors, model, receipt } = await embed();
    assert.deepEqual([vectors.length, model, receipt.provider], [1, 'text-embedding-3-small', 'Vectors']);
    await t.llm.setBudget('embedding_day', '', 0);
    await assert.rejects(embed(), { code: 'llm.over_budget' });
    const [call, ...more] = await t.ledger();
    assert.deepEqual([call?.operation, call!.cost_usd > 0, more.length], ['embedding', true, 0]);
  });

  it('counts a model that no one knows the price of as a dear one', async () => {
    await using t = await setup();
    await t.provider('Mystery', { model: 'nobody-knows-1' });
    t.fake.reply({ usage: { input: 1_000, output: 1_000 } });
    const { receipt } = await t.ask();
    assert.equal(Math.round(receipt.costUsd * 1e6), 90_000);
    assert.equal((await t.ledger())[0]?.price_source, 'assumed');
  });

  it('without a limit spends freely', async () => {
    await using t = await setup();
    await t.provider('Opus', heavy());
    for (const scope of ['day', 'month', 'run'] as const) await t.llm.setBudget(scope, '', null);
    assert.equal((await t.ask({ tier: 'heavy', maxOutputTokens: 200_000 }, { runId: 'r' })).receipt.provider, 'Opus');
  });
});

describe('property: spend is bounded before it happens', () => {
  const scopes: CallScope[] = [
    { purpose: 'p', runId: 'r1', workflowId: 'w1', runBudgetUsd: 3, workflowDailyBudgetUsd: 5 },
    { purpose: 'p', runId: 'r2', workflowId: 'w1', runBudgetUsd: 4, workflowDailyBudgetUsd: 5 },
    { purpose: 'p', runId: 'r3' },
    { purpose: 'p' },
  ];
  const call = fc.record({
    scope: fc.constantFrom(...scopes),
    /** In cents; what is used beyond it is an estimate gone wrong. */
    worst: fc.integer({ min: 1, max: 200 }),
    used: fc.constantFrom(0, 0.3, 0.9, 1, 1),
    startsAfter: fc.integer({ min: 0, max: 20 }),
    lasts: fc.integer({ min: 0, max: 20 }),
    status: fc.constantFrom('ok' as const, 'failed' as const, 'cancelled' as const),
    operation: fc.constantFrom('chat' as const, 'chat' as const, 'embedding' as const),
  });
  const LIMITS = { day: 6, month: 8, embedding_day: 1 } as const;
  /** A cent for each token, so that usage is money. */
  const price: PriceOf = {
    source: 'own',
    costUsd: (usage) => usage.outputTokens / 100,
    worstUsd: (_input, output) => output,
    perMTok: null,
    contextWindow: null,
  };

  /** `excess`: cents that each call uses beyond its worst case. */
  async function simulate(calls: readonly (typeof call extends fc.Arbitrary<infer C> ? C : never)[], excess: number) {
    await using store = await memoryStore(llmMigrations);
    const clock = manualClock(NOON);
    const budgets = createBudgets({ store, clock });
    const ledger = createLedger({
      store,
      clock,
      newId: sequentialIds(),
      budgets,
      node: 'local',
      onSettled: () => {},
      onError: (what, error) => assert.fail(`${what}: ${String(error)}`),
    });
    for (const [scope, limit] of Object.entries(LIMITS)) await budgets.set(scope as keyof typeof LIMITS, '', limit);
    const tick = () => new Promise((resolve) => setImmediate(resolve));
    await Promise.all(
      calls.map(async (it) => {
        for (let n = 0; n < it.startsAfter; n += 1) await tick();
        const worstUsd = it.worst / 100;
        const opened = await ledger.open({
          provider: { id: 'p', name: 'P', kind: 'anthropic', dailyCallLimit: null },
          model: 'm',
          operation: it.operation,
          tier: null,
          hop: 0,
          scope: it.scope,
          price,
          worstUsd,
        });
        if (typeof opened === 'string' || !('settle' in opened)) return;
        for (let n = 0; n < it.lasts; n += 1) await tick();
        await opened.settle({
          status: it.status,
          reason: null,
          usage: { ...NO_USAGE, outputTokens: Math.floor(it.worst * it.used) + excess },
          usageSource: 'provider',
          firstTokenAt: null,
          health: null,
        });
      }),
    );
    const rows = await store.db.selectFrom('llm_call').selectAll().execute();
    const sum = (keep: (row: (typeof rows)[number]) => boolean) => rows.filter(keep).reduce((total, row) => total + row.cost_usd, 0);
    return {
      rows,
      holds: await store.db.selectFrom('llm_reservation').selectAll().execute(),
      budgets: await budgets.list(),
      spent: {
        day: [sum((row) => row.operation === 'chat'), LIMITS.day],
        month: [sum(() => true), LIMITS.month],
        embedding_day: [sum((row) => row.operation === 'embedding'), LIMITS.embedding_day],
        r1: [sum((row) => row.run_id === 'r1'), 3],
        r2: [sum((row) => row.run_id === 'r2'), 4],
        r3: [sum((row) => row.run_id === 'r3'), 1],
        w1: [sum((row) => row.workflow_id === 'w1'), 5],
      } as const,
    };
  }

  it('no limit is passed while calls stay within their worst case, whatever they do at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 40 }), async (calls) => {
        const { spent, holds, budgets, rows } = await simulate(calls, 0);
        for (const [name, [usd, limit]] of Object.entries(spent)) assert.ok(usd <= limit + 1e-9, `${name}: ${usd} of ${limit}`);
        assert.deepEqual(holds, []);
        // What memory says is what the ledger says, and nothing stays held.
        for (const scope of ['day', 'month', 'embedding_day'] as const) {
          const known = budgets.find((it) => it.scope === scope);
          assert.ok(Math.abs(known!.spentUsd - spent[scope][0]) < 1e-9);
          assert.ok(known!.heldUsd < 1e-9);
        }
        assert.ok(rows.length <= calls.length);
      }),
      { numRuns: 60 },
    );
  });

  it('one after another, even calls that use more than their worst case pass a limit by one call at most', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 15 }), async (calls) => {
        const inTurn = calls.map((it, index) => ({ ...it, startsAfter: index * 12, lasts: 0 }));
        const excess = 50;
        const { spent } = await simulate(inTurn, excess);
        for (const [name, [usd, limit]] of Object.entries(spent))
          assert.ok(usd <= limit + excess / 100 + 1e-9, `${name}: ${usd} of ${limit}`);
      }),
      { numRuns: 20 },
    );
  });

  it('two calls never hold the same money, however many ask at once', async () => {
    await using store = await memoryStore(llmMigrations);
    const budgets = createBudgets({ store, clock: manualClock(NOON) });
    await budgets.set('day', '', 1);
    const answers = await Promise.all(Array.from({ length: 50 }, () => budgets.reserve({ purpose: 'p' }, 'chat', 0.3, NOON)));
    const holds = answers.filter((it): it is Hold => 'settle' in it);
    assert.equal(holds.length, 3);
    holds[0]!.settle(0);
    holds[0]!.settle(0); // a second time changes nothing
    assert.ok('settle' in (await budgets.reserve({ purpose: 'p' }, 'chat', 0.3, NOON)));
    assert.ok(!('settle' in (await budgets.reserve({ purpose: 'p' }, 'chat', 0.3, NOON))));
  });
});
