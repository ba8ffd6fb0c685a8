import type { Clock } from '#core/clock';
import { AppError } from '#core/errors';
import { describeFailure, type Target } from './attempt.ts';
import type { OverBudget } from './budgets.ts';
import type { CallReceipt, CallScope } from './contract.ts';
import { overBudget } from './errors.ts';
import { estimateTokens, SAFETY } from './estimate.ts';
import type { Failure } from './health.ts';
import { NO_USAGE, tell, type Ledger } from './ledger.ts';
import type { HealthRow } from './tables.ts';

export interface EmbedDeps {
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** The one provider that makes vectors now, or why it cannot. */
  readonly target: () => Promise<Target | { readonly skip: string; readonly provider: string }>;
  readonly dimensions: () => number;
  readonly onOutcome: (target: Target, failure: Failure | null) => HealthRow | null;
  readonly onOverBudget: (over: OverBudget) => void;
}

/**
 * Vectors of two models cannot be compared, so here is no falling back from one to another: while the provider of the
 * index is down, embedding waits and search goes on by words. Without any such provider the offline one is the model.
 */
export async function embedTexts(
  deps: EmbedDeps,
  scope: CallScope,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<{ vectors: readonly Float32Array[]; model: string; receipt: CallReceipt }> {
  const { ledger, clock, onOutcome } = deps;
  signal.throwIfAborted();
  const target = await deps.target();
  if ('skip' in target)
    throw new AppError('unavailable', 'llm.failed', `Embeddings by ${target.provider} are not to be had now: ${target.skip}`, {
      hops: [{ provider: target.provider, reason: target.skip }],
    });
  const { id, name, kind, model, offline, dailyCallLimit, price } = target;
  const estimate = texts.reduce((sum, text) => sum + estimateTokens(text), 0);
  const plan = {
    provider: { id, name, kind, dailyCallLimit },
    model,
    operation: 'embedding' as const,
    tier: null,
    hop: 0,
    scope,
    price,
    worstUsd: price.worstUsd(Math.ceil(estimate * SAFETY), 0),
  };
  const opened = await ledger.open(plan);
  if (opened === 'daily_limit') throw new AppError('limited', 'llm.failed', `${name} has given its answers for today`, {});
  if (!('settle' in opened)) {
    deps.onOverBudget(opened);
    throw overBudget(opened, []);
  }
  try {
    const client = await target.open();
    const { vectors, tokens } = await client.embed({ model, texts, dimensions: deps.dimensions(), signal });
    const spent = await opened.settle({
      status: 'ok',
      reason: null,
      usage: { ...NO_USAGE, inputTokens: tokens },
      usageSource: 'provider',
      firstTokenAt: clock.now(),
      health: onOutcome(target, null),
    });
    return { vectors, model, receipt: { ...spent, provider: name, kind, model, offline, hops: [] } };
  } catch (thrown) {
    const failure: Failure = signal.aborted ? { reason: 'cancelled', message: 'Cancelled' } : describeFailure(thrown);
    const maybeBilled = failure.reason === 'cancelled' || failure.reason === 'timeout' || failure.reason === 'protocol';
    const usage = maybeBilled ? { ...NO_USAGE, inputTokens: estimate } : NO_USAGE;
    const status = failure.reason === 'cancelled' ? 'cancelled' : 'failed';
    await opened.settle({
      status,
      reason: failure.reason,
      usage,
      usageSource: maybeBilled ? 'estimated' : 'none',
      firstTokenAt: null,
      health: onOutcome(target, failure),
    });
    signal.throwIfAborted();
    tell(scope, 'llm.hop', { provider: name, reason: failure.reason, detail: failure.message });
    throw new AppError(
      'unavailable',
      'llm.failed',
      `Embeddings by ${name} failed: ${failure.message}`,
      { hops: [{ provider: name, reason: failure.reason }] },
      thrown,
    );
  }
}
