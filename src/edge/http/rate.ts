import type { FastifyRequest } from 'fastify';
import type { Clock } from '#core/clock';
import { AppError } from '#core/errors';

/** Enough for any page, too little to be a burden. */
const BURST = 2_000;
const PER_SECOND = 50;
const MOST_REMEMBERED = 10_000;

/**
 * Counts requests of whoever has no credential that holds, by address; throws `http.too_many_requests` when it had its share. Tokens
 * are counted where they are known.
 */
export function createStrangerRate(clock: Clock): (request: FastifyRequest) => void {
  const buckets = new Map<string, { readonly level: number; readonly at: number }>();

  return ({ ip }) => {
    const now = clock.now();
    const before = buckets.get(ip) ?? { level: BURST, at: now };
    const level = Math.min(BURST, before.level + ((now - before.at) / 1_000) * PER_SECOND);
    buckets.delete(ip);
    if (buckets.size >= MOST_REMEMBERED) buckets.delete(buckets.keys().next().value!);
    buckets.set(ip, { level: Math.max(0, level - 1), at: now });
    if (level >= 1) return;
    const retryAfterSeconds = Math.ceil((1 - level) / PER_SECOND);
    throw new AppError('limited', 'http.too_many_requests', 'Too many requests: wait a little', { retryAfterSeconds });
  };
}
