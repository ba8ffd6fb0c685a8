import { AppError } from '#core/errors';
import type { OverBudget } from './budgets.ts';
import type { CallReceipt, Tier } from './contract.ts';

type Hops = CallReceipt['hops'];

/** Every way was tried, or the answer broke off in its reader's hands. */
export function failed(message: string, hops: Hops, details: Readonly<Record<string, unknown>>, cause?: unknown): AppError {
  return new AppError(
    'unavailable',
    'llm.failed',
    `${message} (${hops.map((it) => `${it.provider}: ${it.reason}`).join('; ')})`,
    { hops: [...hops], ...details },
    cause,
  );
}

/** Why nobody answered: money first, since the owner can mend that at once. */
export function endOfChain(tier: Tier, hops: Hops, over: OverBudget | null): AppError {
  if (over) return overBudget(over, hops);
  if (hops.length === 0)
    return new AppError(
      'unavailable',
      'llm.no_provider',
      `No enabled provider serves the tier ${tier}: add one under Providers, or allow the offline fallback`,
      { tier },
    );
  return failed('No provider could answer', hops, {});
}

/** `approval` says that the owner may be asked for more. */
export function overBudget(over: OverBudget, hops: Hops): AppError {
  const usd = (value: number): string => `$${value.toFixed(4)}`;
  const what = {
    day: 'budget of the day',
    month: 'budget of the month',
    run: 'budget of this run',
    workflow: 'daily budget of this workflow',
    embedding_day: 'daily budget for embeddings',
  }[over.scope];
  const message = `The ${what} is ${usd(over.limitUsd)}; ${usd(over.spentUsd)} is spent and ${usd(over.heldUsd)} held, and this call may need ${usd(over.neededUsd)}`;
  return new AppError('limited', 'llm.over_budget', message, { ...over, approval: true, hops: [...hops] });
}
