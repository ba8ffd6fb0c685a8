import { randomBytes } from 'node:crypto';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import { secret, type Secret } from '#core/secret';
import { deleteTotp, findTotp, putTotp, useStep, type TotpRow } from './queries-factors.ts';
import type { Random } from './token-hash.ts';

/** RFC 6238 as every authenticator app knows it: SHA-1, six digits, 30 seconds; one step of drift either way. */
const PERIOD_S = 30;
const DRIFT_STEPS = 1;
const SECRET_BYTES = 20;
/** How long an enrolment waits for its first code. */
const PENDING_MS = 15 * 60_000;

/** Where the shared secret is kept: the vault. */
export interface SecretKeeper {
  get(name: string): Promise<Secret>;
  set(name: string, value: Secret, actor: string): Promise<unknown>;
  remove(name: string, actor: string): Promise<void>;
}

/** What an authenticator app is told, once. */
export interface TotpSetup {
  /** Base32, for typing. */
  readonly secret: string;
  /** `otpauth://totp/…`, for the app. */
  readonly uri: string;
  /** The same as a picture: SVG, and for a terminal. */
  readonly svg: string;
  readonly text: string;
}

/** Codes of an authenticator app. */
export interface Totp {
  isActive(db?: Db): Promise<boolean>;
  state(): Promise<Pick<TotpRow, 'created_at' | 'last_used_at'> | null>;
  /** Makes a secret that is not in force before a code has proved it. `account` is how the app names it. */
  begin(account: string, actor: string): Promise<TotpSetup>;
  /** Puts the pending secret in force. Throws `owner.no_enrolment`, `owner.wrong_factor`. */
  confirm(code: string, actor: string, within: (tx: Db) => Promise<void>): Promise<void>;
  /** Whether it is a code of now that was never used; uses it, and those before it, up. */
  use(code: string): Promise<boolean>;
  /** `within` is of the same transaction. Throws `owner.no_factor` when there is none. */
  remove(actor: string, within: (tx: Db) => Promise<void>): Promise<void>;
}

export interface TotpDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly secrets: SecretKeeper;
  readonly random?: Random;
}

export function createTotp({ store, clock, secrets, random = randomBytes }: TotpDeps): Totp {
  /** The time step of a code, or null for one that is of no step near now. */
  async function stepOf(code: string, name: string): Promise<number | null> {
    const { TOTP, Secret: Base32 } = await import('otpauth');
    const now = clock.now();
    const key = (await secrets.get(name)).use((text) => Base32.fromBase32(text));
    const delta = TOTP.validate({ token: code, secret: key, period: PERIOD_S, timestamp: now, window: DRIFT_STEPS });
    return delta === null ? null : Math.floor(now / 1_000 / PERIOD_S) + delta; // a delta of 0 is the best of all
  }

  /** A secret that is left behind harms nothing, so that failing to remove one fails nothing. */
  const forget = (name: string | undefined, actor: string): Promise<void> =>
    name === undefined ? Promise.resolve() : secrets.remove(name, actor).catch(() => {});

  return {
    isActive: async (db = store.db) => (await findTotp(db, 'active')) !== undefined,
    state: async () => (await findTotp(store.db, 'active')) ?? null,

    async begin(account, actor) {
      const [{ TOTP, Secret: Base32 }, { renderSVG, renderUnicodeCompact }] = await Promise.all([import('otpauth'), import('uqr')]);
      const key = new Base32({ buffer: Uint8Array.from(random(SECRET_BYTES)).buffer });
      const before = await findTotp(store.db, 'pending');
      const name = `~owner.totp.${random(6).toString('hex')}`;
      await secrets.set(name, secret(key.base32), actor);
      await store.write((tx) => putTotp(tx, { state: 'pending', secret: name, created_at: clock.now(), last_step: 0, last_used_at: null }));
      await forget(before?.secret, actor);
      const uri = new TOTP({ issuer: 'Castellan', label: account, secret: key, period: PERIOD_S }).toString();
      return { secret: key.base32, uri, svg: renderSVG(uri, { border: 2 }), text: renderUnicodeCompact(uri, { border: 2 }) };
    },

    async confirm(code, actor, within) {
      const pending = await findTotp(store.db, 'pending');
      if (!pending || pending.created_at <= clock.now() - PENDING_MS)
        throw new AppError('conflict', 'owner.no_enrolment', 'No authenticator waits to be confirmed: begin again');
      const step = await stepOf(digitsOf(code) ?? '', pending.secret);
      if (step === null)
        throw new AppError('forbidden', 'owner.wrong_factor', 'code: not the one the app shows now; check the time of both devices');
      const before = await findTotp(store.db, 'active');
      await store.write(async (tx) => {
        const now = clock.now();
        await deleteTotp(tx, 'pending');
        await putTotp(tx, { ...pending, state: 'active', created_at: now, last_step: step, last_used_at: now });
        await within(tx);
      });
      await forget(before?.secret, actor);
    },

    async use(code) {
      const [row, digits] = [await findTotp(store.db, 'active'), digitsOf(code)];
      if (!row || digits === null) return false;
      const step = await stepOf(digits, row.secret);
      return step !== null && store.write((tx) => useStep(tx, step, clock.now()));
    },

    async remove(actor, within) {
      const row = await findTotp(store.db, 'active');
      if (!row) throw new AppError('not_found', 'owner.no_factor', 'No authenticator app is enrolled');
      await store.write(async (tx) => {
        await deleteTotp(tx, 'active');
        await within(tx);
      });
      await forget(row.secret, actor);
    },
  };
}

/** Six digits as apps show them, with or without a gap; null for any other text. */
export function digitsOf(text: string): string | null {
  const match = /^\s*(\d{3})[ \u00a0-]?(\d{3})\s*$/.exec(text);
  return match && match[1]! + match[2]!;
}
