import { randomBytes } from 'node:crypto';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { secret, type Secret } from '#core/secret';
import { insertLink, takeLink } from './queries.ts';
import { hashToken, type Random } from './token-hash.ts';

export const LINK_MS = 15 * 60_000;

/** A code of 192 random bits that logs one browser in, once, within 15 minutes; only its hash is stored. */
export interface LoginLinks {
  /** The code stands in the fragment of the address, which no browser sends and no server logs. */
  create(baseUrl: string): Promise<{ url: Secret; expiresAt: number }>;
  /** Uses a code up; false for one that is unknown, used or too old. */
  take(tx: Db, code: string): Promise<boolean>;
}

export function createLoginLinks({
  store,
  clock,
  random = randomBytes,
}: {
  readonly store: Store;
  readonly clock: Clock;
  readonly random?: Random;
}): LoginLinks {
  return {
    async create(baseUrl) {
      const code = random(24).toString('base64url');
      const now = clock.now();
      await store.write((tx) => insertLink(tx, { code_hash: hashToken(code), created_at: now, expires_at: now + LINK_MS }));
      return { url: secret(new URL(`/#login=${code}`, baseUrl).href), expiresAt: now + LINK_MS };
    },
    take: (tx, code) => takeLink(tx, hashToken(code), clock.now()),
  };
}
