import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import type { NewId } from '#core/ids';
import type { Json } from '#core/json';
import type { Budgets, Hold, OverBudget } from './budgets.ts';
import type { CallScope, Tier, Usage } from './contract.ts';
import { dayOf } from './day.ts';
import type { PriceOf } from './prices.ts';
import { answersOf, insertReservation, putHealth, reservationsOf, settleCall } from './queries.ts';
import type { CallRow, HealthRow, ReservationRow } from './tables.ts';

/** A call about to leave. */
export interface CallPlan {
  readonly provider: { readonly id: string; readonly name: string; readonly kind: string; readonly dailyCallLimit: number | null };
  readonly model: string;
  readonly operation: 'chat' | 'embedding';
  readonly tier: Tier | null;
  readonly hop: number;
  readonly scope: CallScope;
  readonly price: PriceOf;
  readonly worstUsd: number;
}

export interface Outcome {
  readonly status: CallRow['status'];
  readonly reason: string | null;
  readonly usage: Usage;
  readonly usageSource: CallRow['usage_source'];
  readonly firstTokenAt: number | null;
  /** Stored with it, when the call changed it. */
  readonly health: HealthRow | null;
}

/** What a call used, whatever became of it. */
export interface Spent {
  readonly callId: string;
  readonly usage: Usage;
  readonly costUsd: number;
}

/** A call that holds its worst case, durably. */
export interface OpenCall {
  readonly id: string;
  readonly startedAt: number;
  /** Books what it used, and resolves with that when it is durable. */
  settle(outcome: Outcome): Promise<Spent>;
}

export interface Ledger {
  /** Counts today's answers and books what a process that died left open, at its worst case. */
  recover(): Promise<number>;
  /** Null and no hold when the provider has given its answers for today. */
  open(plan: CallPlan): Promise<OpenCall | OverBudget | 'daily_limit'>;
  callsToday(providerId: string): number;
}

export interface LedgerDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly budgets: Budgets;
  /** Which process this is, among those that share the database. */
  readonly node: string;
  /** Adds the cost to the run and step that pay, in the transaction that books the call. */
  readonly charge?: Charge | undefined;
  readonly onSettled: (row: CallRow) => void;
  readonly onError: (what: string, error: unknown) => void;
}

/** Satisfied by `runs.addCost`. */
export type Charge = (tx: Db, runId: string, step: string | null, usd: number) => Promise<void>;

export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, reasoningTokens: 0 };

export function createLedger({ store, clock, newId, budgets, node, charge, onSettled, onError }: LedgerDeps): Ledger {
  /** Answers of one day, those in flight included. */
  let answers = { day: '', of: new Map<string, number>() };

  function answersOn(day: string): Map<string, number> {
    if (answers.day !== day) answers = { day, of: new Map() };
    return answers.of;
  }

  function count(day: string, providerId: string, by: number): void {
    if (day !== answers.day) return;
    answers.of.set(providerId, Math.max(0, (answers.of.get(providerId) ?? 0) + by));
  }

  /** Calls of this process. */
  const openIds = new Set<string>();

  async function book(tx: Db, entry: CallRow): Promise<void> {
    await settleCall(tx, entry);
    if (entry.run_id !== null && entry.cost_usd > 0) await charge?.(tx, entry.run_id, entry.step, entry.cost_usd);
  }

  async function recover(): Promise<number> {
    const left = (await reservationsOf(store.db, node)).filter((it) => !openIds.has(it.id));
    const now = clock.now();
    for (const { node: _node, ...row } of left) {
      const known = { input_tokens: 0, output_tokens: 0, cached_tokens: 0, reasoning_tokens: 0 };
      await store.write((tx) =>
        book(tx, {
          ...row,
          ...known,
          status: 'failed',
          reason: 'interrupted',
          usage_source: 'estimated',
          cost_usd: row.reserved_usd,
          price_source: 'worst_case',
          first_token_at: null,
          ended_at: now,
        }),
      );
    }
    const day = dayOf(now);
    if (openIds.size === 0) answers = { day, of: new Map((await answersOf(store.db, day)).map((it) => [it.providerId, it.calls])) };
    return left.length;
  }

  async function open(plan: CallPlan): Promise<OpenCall | OverBudget | 'daily_limit'> {
    const { provider, scope, worstUsd, price } = plan;
    const startedAt = clock.now();
    const day = dayOf(startedAt);
    const counted = plan.operation === 'chat';
    if (counted && provider.dailyCallLimit !== null && (answersOn(day).get(provider.id) ?? 0) >= provider.dailyCallLimit)
      return 'daily_limit';
    if (counted) {
      answersOn(day);
      count(day, provider.id, 1);
    }
    const row: ReservationRow = {
      id: newId(),
      day,
      provider_id: provider.id,
      provider: provider.name,
      kind: provider.kind,
      model: plan.model,
      operation: plan.operation,
      tier: plan.tier,
      purpose: scope.purpose,
      run_id: scope.runId ?? null,
      step: scope.step ?? null,
      workflow_id: scope.workflowId ?? null,
      hop: plan.hop,
      reserved_usd: worstUsd,
      started_at: startedAt,
      node,
    };
    let hold: Hold | OverBudget | undefined;
    openIds.add(row.id);
    try {
      hold = await budgets.reserve(scope, plan.operation, worstUsd, startedAt);
      if (!('settle' in hold)) {
        openIds.delete(row.id);
        if (counted) count(day, provider.id, -1);
        return hold;
      }
      await store.write((tx) => insertReservation(tx, row));
    } catch (error) {
      openIds.delete(row.id);
      if (hold && 'settle' in hold) hold.settle(0);
      if (counted) count(day, provider.id, -1);
      throw error;
    }
    tell(scope, 'llm.reserved', { callId: row.id, provider: provider.name, model: plan.model, usd: worstUsd, priceSource: price.source });
    const held = hold;
    return { id: row.id, startedAt, settle: (outcome) => settle(row, plan, held, outcome) };
  }

  async function settle(
    { node: _node, ...row }: ReservationRow,
    { price, scope, operation }: CallPlan,
    hold: Hold,
    outcome: Outcome,
  ): Promise<Spent> {
    const { usageSource, status, reason, health } = outcome;
    const usage = countable(outcome.usage);
    const costUsd = usageSource === 'none' ? 0 : price.costUsd(usage);
    hold.settle(costUsd);
    if (operation === 'chat' && status === 'failed' && usageSource === 'none') count(row.day, row.provider_id, -1);
    const entry: CallRow = {
      ...row,
      status,
      reason,
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      cached_tokens: usage.cachedInputTokens,
      reasoning_tokens: usage.reasoningTokens,
      usage_source: usageSource,
      cost_usd: costUsd,
      price_source: price.source,
      first_token_at: outcome.firstTokenAt,
      ended_at: clock.now(),
    };
    try {
      await store.write(async (tx) => {
        await book(tx, entry);
        if (health) await putHealth(tx, health);
      });
      openIds.delete(row.id);
    } catch (error) {
      // The answer is paid for: it is not thrown away. The hold stays in the table, and the next start books it.
      onError('a call could not be booked', error);
    }
    tell(scope, 'llm.settled', {
      callId: row.id,
      provider: row.provider,
      model: row.model,
      status,
      reason,
      usageSource,
      costUsd,
      usage: { ...usage },
    });
    onSettled(entry);
    return { callId: row.id, usage, costUsd };
  }

  return { recover, open, callsToday: (providerId) => answersOn(dayOf(clock.now())).get(providerId) ?? 0 };
}

/** Counts as numbers that can be added up, whatever a provider sent. */
function countable(usage: Usage): Usage {
  const whole = (count = 0): number => (Number.isFinite(count) ? Math.max(0, Math.ceil(count)) : 0);
  const inputTokens = whole(usage.inputTokens);
  return {
    inputTokens,
    outputTokens: whole(usage.outputTokens),
    cachedInputTokens: Math.min(whole(usage.cachedInputTokens), inputTokens),
    reasoningTokens: whole(usage.reasoningTokens),
    cacheWriteInputTokens: whole(usage.cacheWriteInputTokens),
  };
}

/** A line for the journal of the run that pays. */
export function tell({ journal }: CallScope, type: string, data: Json): void {
  journal?.(type, data);
}
