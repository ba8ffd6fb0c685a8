import type { Clock } from '#core/clock';
import { AppError } from '#core/errors';

const MINUTE_MS = 60_000;
/** Tokens are few; this only keeps a table from growing for ever. */
const MOST_KEPT = 1_000;

/** Counts the requests of each token: a bucket that holds a minute's worth and fills evenly. In memory: a restart forgives. */
export interface TokenRates {
  /** Throws `owner.token_rate` with `retryAfterSeconds`. */
  spend(id: string, perMinute: number): void;
}

export function createTokenRates(clock: Clock): TokenRates {
  const buckets = new Map<string, { left: number; at: number }>();

  return {
    spend(id, perMinute) {
      const now = clock.now();
      const before = buckets.get(id) ?? { left: perMinute, at: now };
      const left = Math.min(perMinute, before.left + ((now - before.at) / MINUTE_MS) * perMinute);
      if (left < 1) {
        const retryAfterSeconds = Math.ceil(((1 - left) / perMinute) * (MINUTE_MS / 1_000));
        throw new AppError('limited', 'owner.token_rate', `This token may make ${perMinute} requests a minute: wait a little`, {
          retryAfterSeconds,
        });
      }
      buckets.delete(id);
      if (buckets.size >= MOST_KEPT) buckets.delete(buckets.keys().next().value!);
      buckets.set(id, { left: left - 1, at: now });
    },
  };
}
