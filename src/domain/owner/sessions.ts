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
import { deviceName } from './device-name.ts';
import { hashToken, type Random } from './token-hash.ts';

const DAY_MS = 86_400_000;

/** How long a session lasts without use, and at most. */
export interface SessionLimits {
  readonly idleMs: number;
  readonly absoluteMs: number;
}

/** A week without use, a month whatever happens; settings of the owner say otherwise. */
export const USUAL_LIMITS: SessionLimits = { idleMs: 7 * DAY_MS, absoluteMs: 30 * DAY_MS };
/** `last seen` is kept to the minute: a request must not cost a write. */
const SEEN_RESOLUTION_MS = 60_000;

/** Where a request came from, as far as the server knows. */
export interface Origin {
  /** IP address of the client, already seen through a trusted proxy. */
  readonly address: string;
  readonly userAgent: string;
  /** Our own address, as the browser called us: `http://localhost:4848`. Passkeys are bound to its name. */
  readonly at: string;
  /** Name in the client certificate it came with, where one is asked for. */
  readonly certificate?: string | undefined;
}

/** How a session was opened. */
export type Opening = Pick<SessionRow, 'via' | 'factor'>;

export interface SessionDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random?: Random;
  /** Asked at each use, so that a change holds for sessions that are there. */
  readonly limits?: () => SessionLimits;
}

/** Browsers that are logged in; of their tokens only the hash is stored. */
export interface Sessions {
  open(tx: Db, how: Opening, origin: Origin): Promise<{ token: Secret; session: SessionInfo }>;
  /** Null for a token that is unknown, idle too long or too old. */
  find(token: string): Promise<SessionInfo | null>;
  list(): Promise<SessionInfo[]>;
  /** Throws `owner.no_session`. */
  revoke(tx: Db, id: string): Promise<void>;
  /** How many there were. */
  revokeOthers(tx: Db, keepId: string | null): Promise<number>;
}

export function createSessions({ store, clock, newId, random = randomBytes, limits = () => USUAL_LIMITS }: SessionDeps): Sessions {
  function endOf({ expires_at, created_at, last_seen_at }: SessionRow): number {
    const { idleMs, absoluteMs } = limits();
    return Math.min(expires_at, created_at + absoluteMs, last_seen_at + idleMs);
  }
  const toInfo = (row: SessionRow): SessionInfo => infoOf(row, endOf(row));

  return {
    async open(tx, { via, factor }, { address, userAgent, certificate = null }) {
      const now = clock.now();
      const token = random(32).toString('base64url');
      const row: SessionRow = {
        id: newId(),
        token_hash: hashToken(token),
        via,
        factor,
        address,
        user_agent: userAgent.slice(0, 300),
        certificate,
        created_at: now,
        last_seen_at: now,
        expires_at: now + limits().absoluteMs,
      };
      await deleteOldSessions(tx, now, now - limits().idleMs);
      await insertSession(tx, row);
      return { token: secret(token), session: toInfo(row) };
    },

    async find(token) {
      const now = clock.now();
      const row = await findSession(store.db, hashToken(token));
      if (!row || endOf(row) <= now) return null;
      if (now - row.last_seen_at >= SEEN_RESOLUTION_MS) await store.write((tx) => touchSession(tx, row.id, now));
      return toInfo(row);
    },

    async list() {
      const now = clock.now();
      return (await allSessions(store.db)).filter((row) => endOf(row) > now).map(toInfo);
    },

    async revoke(tx, id) {
      if (!(await deleteSession(tx, id)))
        throw new AppError('not_found', 'owner.no_session', 'No such session: it may have ended already', { id });
    },

    revokeOthers: (tx, keepId) => deleteOtherSessions(tx, keepId),
  };
}

function infoOf(row: SessionRow, endsAt: number): SessionInfo {
  const iso = (ms: number): string => new Date(ms).toISOString();
  return {
    id: row.id,
    via: row.via,
    factor: row.factor,
    address: row.address,
    userAgent: row.user_agent,
    device: deviceName(row.user_agent),
    certificate: row.certificate,
    createdAt: iso(row.created_at),
    lastSeenAt: iso(row.last_seen_at),
    expiresAt: iso(endsAt),
  };
}
