import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Audit } from '#audit';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import type { Caller } from '#core/endpoint';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import { check, parseJson } from '#core/json';
import { secret, type Secret } from '#core/secret';
import { allows } from '#policy';
import { NewToken, type TokenInfo } from './contract.ts';
import { allTokens, deleteToken, findToken, insertToken, touchToken, type TokenRow } from './queries.ts';
import { hashToken, type Random } from './token-hash.ts';
import type { TokenRates } from './token-rate.ts';

const PREFIX = 'castellan_';
const USE_RESOLUTION_MS = 60_000;

export interface TokenDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly audit: Audit;
  readonly random?: Random;
  /** Counts what each token asks for; left out where nothing is asked. */
  readonly rates?: TokenRates;
}

/** API tokens; stored as hashes. Needs nothing but a store, so the command line makes them with no agent running. */
export interface Tokens {
  /** The token is shown this once. Throws `owner.grant_exceeded` when it could do more than its maker, `owner.token_expired` for an end in the past. */
  create(token: z.input<typeof NewToken>, maker: Caller): Promise<{ token: Secret; info: TokenInfo }>;
  list(): Promise<TokenInfo[]>;
  /** Throws `owner.no_token`. */
  revoke(id: string, actor: string): Promise<void>;
  /** Null for a token that is unknown, revoked or expired. Throws `owner.token_rate`. */
  authenticate(token: string): Promise<Caller | null>;
}

export function createTokens({ store, clock, newId, audit, random = randomBytes, rates }: TokenDeps): Tokens {
  return {
    async create(input, maker) {
      const { name, grants, expiresAt, ratePerMinute } = check(input, NewToken, 'token');
      const beyond = grants.find((grant) => !allows(maker.grants, grant));
      if (beyond !== undefined)
        throw new AppError('forbidden', 'owner.grant_exceeded', `grants: "${beyond}" is more than you hold yourself`, { grant: beyond });
      const now = clock.now();
      const expires = expiresAt === null ? null : Date.parse(expiresAt);
      if (expires !== null && expires <= now) throw new AppError('invalid', 'owner.token_expired', 'expiresAt: is in the past');
      const token = PREFIX + random(32).toString('base64url');
      const row: TokenRow = {
        id: newId(),
        token_hash: hashToken(token),
        name,
        grants: JSON.stringify(grants),
        created_by: maker.id,
        created_at: now,
        expires_at: expires,
        last_used_at: null,
        rate_per_minute: ratePerMinute,
        warned_at: null,
      };
      await store.write(async (tx) => {
        await insertToken(tx, row);
        await audit.record(
          { actor: maker.id, action: 'owner.create_token', resource: `token:${row.id}`, details: { name, grants, expiresAt } },
          tx,
        );
      });
      return { token: secret(token), info: toInfo(row, now) };
    },

    async list() {
      const now = clock.now();
      return (await allTokens(store.db)).map((row) => toInfo(row, now));
    },

    async revoke(id, actor) {
      await store.write(async (tx) => {
        const row = await deleteToken(tx, id);
        if (!row) throw new AppError('not_found', 'owner.no_token', 'No such token: it may have been revoked already', { id });
        await audit.record({ actor, action: 'owner.revoke_token', resource: `token:${id}`, details: { name: row.name } }, tx);
      });
    },

    async authenticate(token) {
      if (!token.startsWith(PREFIX)) return null;
      const now = clock.now();
      const row = await findToken(store.db, hashToken(token));
      if (!row || (row.expires_at !== null && row.expires_at <= now)) return null;
      if (row.rate_per_minute !== null) rates?.spend(row.id, row.rate_per_minute);
      if (now - (row.last_used_at ?? -Infinity) >= USE_RESOLUTION_MS) await store.write((tx) => touchToken(tx, row.id, now));
      return { id: `token:${row.id}`, grants: new Set(grantsOf(row)) };
    },
  };
}

function grantsOf(row: TokenRow): string[] {
  return parseJson(row.grants, z.array(z.string()), `grants of token ${row.id}`);
}

function toInfo(row: TokenRow, now: number): TokenInfo {
  const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return {
    id: row.id,
    name: row.name,
    grants: grantsOf(row),
    createdBy: row.created_by,
    createdAt: iso(row.created_at)!,
    expiresAt: iso(row.expires_at),
    isExpired: row.expires_at !== null && row.expires_at <= now,
    lastUsedAt: iso(row.last_used_at),
    ratePerMinute: row.rate_per_minute,
  };
}
