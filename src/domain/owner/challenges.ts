import { randomBytes } from 'node:crypto';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import { attemptChallenge, insertChallenge, takeChallenge, type ChallengeRow } from './queries-factors.ts';
import { hashToken, type Random } from './token-hash.ts';

/** How long a second factor is waited for, and how often it may be wrong. */
export const CHALLENGE_MS = 2 * 60_000;
const ATTEMPTS = 5;

export interface NewChallenge {
  readonly purpose: ChallengeRow['purpose'];
  /** Whom it is given to: no other may answer it. */
  readonly subject: string;
  /** What it is good for, in any words that say it exactly. */
  readonly act: string;
  /** Whether an authenticator may answer it. */
  readonly forPasskey: boolean;
}

/** One that waits, as whoever answers it sees it. */
export type Challenge = Pick<ChallengeRow, 'act' | 'nonce'>;

/**
 * open → taken (answered rightly, or by a passkey whatever it says) | over (two minutes, or five wrong codes).
 * Kept in the database, so that a restart ends none; of its id only the hash.
 */
export interface Challenges {
  create(challenge: NewChallenge): Promise<{ id: string; nonce: string; expiresAt: number }>;
  /** Counts an attempt at a challenge that stays open when the answer is wrong. Throws `owner.challenge_over`. */
  attempt(id: string, expected: Pick<NewChallenge, 'purpose' | 'subject'>): Promise<Challenge>;
  /** Takes a challenge away, once. Throws `owner.challenge_over`. */
  take(tx: Db, id: string, expected: Pick<NewChallenge, 'purpose' | 'subject'>): Promise<Challenge>;
}

export function createChallenges({
  store,
  clock,
  random = randomBytes,
}: {
  readonly store: Store;
  readonly clock: Clock;
  readonly random?: Random;
}): Challenges {
  function asOpen(row: ChallengeRow | undefined, { purpose, subject }: Pick<NewChallenge, 'purpose' | 'subject'>): Challenge {
    const isOpen = row !== undefined && row.purpose === purpose && row.subject === subject;
    if (!isOpen || row.expires_at <= clock.now() || row.attempts > ATTEMPTS)
      throw new AppError(
        'forbidden',
        'owner.challenge_over',
        `This was asked too long ago, too often, or of somebody else: begin again (it is good for ${CHALLENGE_MS / 60_000} minutes and ${ATTEMPTS} attempts)`,
      );
    return row;
  }

  return {
    async create({ purpose, subject, act, forPasskey }) {
      const id = random(24).toString('base64url');
      const nonce = forPasskey ? random(32).toString('base64url') : '';
      const now = clock.now();
      const expiresAt = now + CHALLENGE_MS;
      const row = { id_hash: hashToken(id), purpose, subject, act, nonce, created_at: now, expires_at: expiresAt, attempts: 0 };
      await store.write((tx) => insertChallenge(tx, row));
      return { id, nonce, expiresAt };
    },

    attempt: async (id, expected) => asOpen(await store.write((tx) => attemptChallenge(tx, hashToken(id))), expected),
    take: async (tx, id, expected) => asOpen(await takeChallenge(tx, hashToken(id)), expected),
  };
}
