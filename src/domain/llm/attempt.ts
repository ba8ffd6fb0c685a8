import type { Clock } from '#core/clock';
import { errorInfo } from '#core/errors';
import type {
  CallScope,
  Message,
  ModelCall,
  ModelEvent,
  OfflineTask,
  ProviderClient,
  ProviderKind,
  Tier,
  ToolSpec,
  Usage,
} from './contract.ts';
import { ProviderFailure } from './contract.ts';
import type { OverBudget } from './budgets.ts';
import { estimateTokens, SAFETY } from './estimate.ts';
import type { Failure } from './health.ts';
import { NO_USAGE, type Ledger, type Outcome, type Spent } from './ledger.ts';
import type { PriceOf } from './prices.ts';
import { createStreamRedactor, redactJson, type Scanner } from './redaction.ts';
import type { HealthRow } from './tables.ts';

/** Where one attempt goes: a provider of the owner's, or the one without a model. */
export interface Target {
  readonly id: string;
  readonly name: string;
  readonly kind: ProviderKind['id'];
  /** Answers without a model. */
  readonly offline: boolean;
  readonly model: string;
  readonly tier: Tier | null;
  readonly dailyCallLimit: number | null;
  readonly options: ModelCall['options'];
  readonly price: PriceOf;
  readonly open: () => Promise<ProviderClient>;
}

/** A request with its secrets taken out and its size estimated. */
export interface Prepared {
  readonly system: string | undefined;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[] | undefined;
  readonly schema: ModelCall['schema'];
  readonly task: OfflineTask | undefined;
  readonly temperature: number | undefined;
  readonly maxOutputTokens: number;
  /** Estimated. */
  readonly inputTokens: number;
  readonly signal: AbortSignal;
}

/** How an attempt that gave no whole answer ended. */
export class AttemptFailed extends Error {
  override readonly name = 'AttemptFailed';
  readonly failure: Failure;
  readonly spent: Spent;
  constructor(failure: Failure, spent: Spent, cause: unknown) {
    super(failure.message, { cause });
    this.failure = failure;
    this.spent = spent;
  }
}

export interface AttemptDeps {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly scanner: Scanner | undefined;
  /** Hears how it went; gives back what to store of the provider's health. */
  readonly onOutcome: (target: Target, failure: Failure | null) => HealthRow | null;
}

export type Refused = { readonly refused: OverBudget | 'daily_limit' };
export type Ended = { readonly reason: string; readonly spent: Spent };

/**
 * One call to one provider: holds the worst case, streams, books what was used. However it ends (answered, failed, left
 * by its reader, cancelled) there is exactly one entry in the ledger. Throws only `AttemptFailed`, and what the store throws.
 */
export async function* attempt(
  deps: AttemptDeps,
  target: Target,
  call: Prepared,
  scope: CallScope,
  hop: number,
): AsyncGenerator<Exclude<ModelEvent, { type: 'end' }>, Refused | Ended> {
  const { ledger, clock, scanner, onOutcome } = deps;
  const { id, name, kind, model, tier, dailyCallLimit, price } = target;
  const worstUsd = price.worstUsd(Math.ceil(call.inputTokens * SAFETY), call.maxOutputTokens);
  const opened = await ledger.open({
    provider: { id, name, kind, dailyCallLimit },
    model,
    operation: 'chat',
    tier,
    hop,
    scope,
    price,
    worstUsd,
  });
  if (opened === 'daily_limit' || !('settle' in opened)) return { refused: opened };

  let firstTokenAt: number | null = null;
  let received = 0;
  let hasLeft = false;
  let outcome: Outcome | undefined;
  const estimated = (): Usage => ({ ...NO_USAGE, inputTokens: call.inputTokens, outputTokens: Math.ceil(received) });
  const settle = (it: Outcome): Promise<Spent> => {
    outcome = it;
    return opened.settle(it);
  };

  try {
    const text = scanner && createStreamRedactor(scanner);
    const reasoning = scanner && createStreamRedactor(scanner);
    let end: Extract<ModelEvent, { type: 'end' }> | undefined;
    const client = await target.open();
    call.signal.throwIfAborted();
    hasLeft = true;
    for await (const event of client.stream(toModelCall(target, call))) {
      firstTokenAt ??= clock.now();
      if (event.type === 'end') {
        end = event;
        continue; // it is the last one; reading on lets the connection be used again
      }
      if (event.type === 'tool_call') {
        received += estimateTokens(event.name + JSON.stringify(event.input));
        yield* flushed('reasoning', reasoning?.end());
        yield* flushed('text', text?.end());
        yield scanner ? { ...event, input: redactJson(scanner, event.input) } : event;
        continue;
      }
      received += event.text.length / 3.5;
      if (event.type === 'text') yield* flushed('reasoning', reasoning?.end());
      const redactor = event.type === 'text' ? text : reasoning;
      if (redactor) yield* flushed(event.type, redactor.push(event.text));
      else yield event;
    }
    if (!end) throw new ProviderFailure('protocol', 'The answer has no end');
    yield* flushed('reasoning', reasoning?.end());
    yield* flushed('text', text?.end());
    const health = onOutcome(target, null);
    const spent = await settle({
      status: 'ok',
      reason: null,
      usage: end.usage ?? estimated(),
      usageSource: end.usage ? 'provider' : 'estimated',
      firstTokenAt,
      health,
    });
    return { reason: end.reason, spent };
  } catch (thrown) {
    if (outcome) throw thrown;
    const failure = call.signal.aborted ? { reason: 'cancelled' as const, message: 'Cancelled' } : describeFailure(thrown);
    const health = onOutcome(target, failure);
    const cost =
      !hasLeft || costsNothing(failure, firstTokenAt !== null)
        ? { usage: NO_USAGE, usageSource: 'none' as const }
        : { usage: estimated(), usageSource: 'estimated' as const };
    const status = failure.reason === 'cancelled' ? 'cancelled' : 'failed';
    throw new AttemptFailed(failure, await settle({ status, reason: failure.reason, ...cost, firstTokenAt, health }), thrown);
  } finally {
    // Its reader went away in the middle.
    if (!outcome)
      await settle({ status: 'cancelled', reason: 'cancelled', usage: estimated(), usageSource: 'estimated', firstTokenAt, health: null });
  }
}

function* flushed(type: 'text' | 'reasoning', text: string | undefined): Generator<{ type: 'text' | 'reasoning'; text: string }> {
  if (text) yield { type, text };
}

function toModelCall(
  { model, options }: Target,
  { system, messages, tools, schema, task, temperature, maxOutputTokens, signal }: Prepared,
): ModelCall {
  return {
    model,
    messages,
    maxOutputTokens,
    signal,
    ...(system !== undefined && { system }),
    ...(tools !== undefined && { tools }),
    ...(schema !== undefined && { schema }),
    ...(task !== undefined && { task }),
    ...(temperature !== undefined && { temperature }),
    ...(options !== undefined && { options }),
  };
}

/** A key that cannot be had counts as a key refused. */
export function describeFailure(thrown: unknown): Failure {
  if (thrown instanceof ProviderFailure) return thrown;
  const { kind, message } = errorInfo(thrown);
  if (kind === 'cancelled') return { reason: 'cancelled', message };
  if (kind === 'internal') return { reason: 'protocol', message: `The provider's adapter failed: ${message}` };
  return { reason: 'auth', message };
}

/** Turned away before any work was done: no vendor bills that. A time-out or a broken answer may be billed. */
function costsNothing({ reason }: Failure, answered: boolean): boolean {
  if (answered) return false;
  return reason !== 'cancelled' && reason !== 'timeout' && reason !== 'protocol';
}
