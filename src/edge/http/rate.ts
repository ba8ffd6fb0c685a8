import type { FastifyRequest } from 'fastify';
import type { Clock } from '#core/clock';
import type { Caller } from '#core/endpoint';
import { AppError } from '#core/errors';

/** So many requests at once, and so many a second in the long run. */
interface Allowance {
  readonly burst: number;
  readonly perSecond: number;
}

/** Whoever has no credential that holds, by address: enough for any page, too little to be a burden. */
const STRANGER: Allowance = { burst: 2_000, perSecond: 50 };
/** An API token: a program that runs away must not take the agent with it. */
const TOKEN: Allowance = { burst: 2_000, perSecond: 200 };
const MOST_REMEMBERED = 10_000;

/** Counts requests of strangers and of tokens; the owner's own sessions are not counted. */
export interface Rate {
  /** Throws `http.too_many_requests` for an address that has had its share. */
  stranger(request: FastifyRequest): void;
  caller(caller: Caller): void;
}

export function createRate(clock: Clock): Rate {
  const buckets = new Map<string, { level: number; at: number }>();

  function take(key: string, { burst, perSecond }: Allowance): void {
    const now = clock.now();
    const before = buckets.get(key);
    const level = Math.min(burst, (before?.level ?? burst) + ((now - (before?.at ?? now)) / 1_000) * perSecond);
    buckets.delete(key);
    if (buckets.size >= MOST_REMEMBERED) buckets.delete(buckets.keys().next().value!);
    buckets.set(key, { level: Math.max(0, level - 1), at: now });
    if (level >= 1) return;
    throw new AppError('limited', 'http.too_many_requests', 'Too many requests: wait a little', {
      retryAfterSeconds: Math.ceil((1 - level) / perSecond),
    });
  }

  return {
    stranger: ({ ip }) => take(`address ${ip}`, STRANGER),
    caller: ({ id }) => {
      if (id.startsWith('token:')) take(id, TOKEN);
    },
  };
}
