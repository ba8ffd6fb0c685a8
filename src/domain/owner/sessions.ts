import { randomBytes } from 'node:crypto';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import { secret, type Secret } from '#core/secret';
import type { SessionInfo } from './contract.ts';
import {
  allSessions,
  deleteOldSessions,
  deleteOtherSessions,
  deleteSession,
  findSession,
  insertSession,
  touchSession,
  type SessionRow,
} from './queries.ts';
import { hashToken, type Random } from './token-hash.ts';

const DAY_MS = 86_400_000;
/** A session ends after a week without use, and after a month whatever happens. */
export const IDLE_MS = 7 * DAY_MS;
export const ABSOLUTE_MS = 30 * DAY_MS;
/** `last seen` is kept to the minute: a request must not cost a write. */
const SEEN_RESOLUTION_MS = 60_000;

/** Where a request came from, as far as the server knows. */
export interface Origin {
  /** IP address of the client, already seen through a trusted proxy. */
  readonly address: string;
  readonly userAgent: string;
}

export interface SessionDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random?: Random;
}

/** Browsers that are logged in; of their tokens only the hash is stored. */
export interface Sessions {
  open(tx: Db, via: SessionInfo['via'], origin: Origin): Promise<{ token: Secret; session: SessionInfo }>;
  /** Null for a token that is unknown, idle too long or too old. */
  find(token: string): Promise<SessionInfo | null>;
  list(): Promise<SessionInfo[]>;
  /** Throws `owner.no_session`. */
  revoke(tx: Db, id: string): Promise<void>;
  revokeOthers(tx: Db, keepId: string | null): Promise<void>;
}

export function createSessions({ store, clock, newId, random = randomBytes }: SessionDeps): Sessions {
  const isAlive = (row: SessionRow, now: number): boolean => row.expires_at > now && row.last_seen_at > now - IDLE_MS;

  return {
    async open(tx, via, { address, userAgent }) {
      const now = clock.now();
      const token = random(32).toString('base64url');
      const row: SessionRow = {
        id: newId(),
        token_hash: hashToken(token),
        via,
        address,
        user_agent: userAgent.slice(0, 300),
        created_at: now,
        last_seen_at: now,
        expires_at: now + ABSOLUTE_MS,
      };
      await deleteOldSessions(tx, now, now - IDLE_MS);
      await insertSession(tx, row);
      return { token: secret(token), session: toInfo(row) };
    },

    async find(token) {
      const now = clock.now();
      const row = await findSession(store.db, hashToken(token));
      if (!row || !isAlive(row, now)) return null;
      if (now - row.last_seen_at >= SEEN_RESOLUTION_MS) await store.write((tx) => touchSession(tx, row.id, now));
      return toInfo(row);
    },

    async list() {
      const now = clock.now();
      return (await allSessions(store.db)).filter((row) => isAlive(row, now)).map(toInfo);
    },

    async revoke(tx, id) {
      if (!(await deleteSession(tx, id)))
        throw new AppError('not_found', 'owner.no_session', 'No such session: it may have ended already', { id });
    },

    revokeOthers: (tx, keepId) => deleteOtherSessions(tx, keepId),
  };
}

function toInfo(row: SessionRow): SessionInfo {
  const iso = (ms: number): string => new Date(ms).toISOString();
  return {
    id: row.id,
    via: row.via,
    address: row.address,
    userAgent: row.user_agent,
    createdAt: iso(row.created_at),
    lastSeenAt: iso(row.last_seen_at),
    expiresAt: iso(Math.min(row.expires_at, row.last_seen_at + IDLE_MS)),
  };
}
