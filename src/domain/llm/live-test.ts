import type { Clock } from '#core/clock';
import type { ProviderTest } from './api.ts';
import { attempt, AttemptFailed, describeFailure, type AttemptDeps, type Prepared, type Target } from './attempt.ts';
import type { CallScope } from './contract.ts';
import { estimateTokens } from './estimate.ts';

const PROMPT = 'Reply with the single word OK.';
const REPLY_SHOWN = 200;
/** Enough for a model that thinks before it speaks. */
const MAX_OUTPUT_TOKENS = 512;
const LONGEST_MS = 60_000;

/** One short call, whatever the provider's state; booked like any other. */
export async function testLive(deps: AttemptDeps, clock: Clock, target: Target, signal: AbortSignal): Promise<ProviderTest> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]);
  const call: Prepared = {
    system: undefined,
    messages: [{ role: 'user', parts: [{ type: 'text', text: PROMPT }] }],
    tools: undefined,
    schema: undefined,
    task: undefined,
    temperature: undefined,
    maxOutputTokens: MAX_OUTPUT_TOKENS,
    inputTokens: estimateTokens(PROMPT),
    signal: limited,
  };
  const scope: CallScope = { purpose: 'test' };
  const startedAt = clock.now();
  let firstTokenMs: number | null = null;
  let reply = '';
  const failed = (reason: string, message: string, costUsd: number): ProviderTest => ({
    ok: false,
    latencyMs: clock.now() - startedAt,
    firstTokenMs,
    reply: null,
    costUsd,
    error: { reason, message },
  });
  try {
    const calling = attempt(deps, target, call, scope, 0);
    for (;;) {
      const { done, value } = await calling.next();
      if (!done) {
        firstTokenMs ??= clock.now() - startedAt;
        if (value.type === 'text') reply += value.text;
        continue;
      }
      if ('refused' in value)
        return failed(
          value.refused === 'daily_limit' ? 'daily_limit' : 'over_budget',
          'Nothing was sent: its limit for today is reached',
          0,
        );
      return {
        ok: true,
        latencyMs: clock.now() - startedAt,
        firstTokenMs,
        reply: reply.slice(0, REPLY_SHOWN),
        costUsd: value.spent.costUsd,
        error: null,
      };
    }
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof AttemptFailed) return failed(thrown.failure.reason, thrown.failure.message, thrown.spent.costUsd);
    const { reason, message } = describeFailure(thrown);
    return failed(reason, message, 0);
  }
}
