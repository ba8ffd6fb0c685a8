import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { Audit } from '#audit';
import type { FactorKind } from '#core/client';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { Challenges } from './challenges.ts';
import type { FactorState, PasskeyInfo } from './contract.ts';
import { relyingParty, type Passkeys } from './passkeys.ts';
import type { PasskeyRow } from './queries-factors.ts';
import { readRecoveryCode, type RecoveryCodes } from './recovery-codes.ts';
import type { Throttle } from './throttle.ts';
import { digitsOf, type Totp, type TotpSetup } from './totp.ts';

/** Words to the owner that nobody asked for. */
export type Tell = (severity: 'info' | 'warning' | 'critical', title: string, body: string) => void;

export interface FactorsDeps {
  readonly store: Store;
  readonly audit: Audit;
  readonly totp: Totp;
  readonly passkeys: Passkeys;
  readonly recovery: RecoveryCodes;
  readonly challenges: Challenges;
  readonly throttle: Throttle;
  readonly tell: Tell;
}

/** Recovery codes come with the first factor; null with every later one. */
export interface Enrolled {
  readonly recoveryCodes: string[] | null;
}

/** The owner's second factors: what is enrolled, and whether what was given is one. Who may change them is judged by the endpoint. */
export interface Factors {
  isEnrolled(): Promise<boolean>;
  hasCodes(): Promise<boolean>;
  /** Whether a text is nothing but a code, of whatever time, while there is an authenticator app. */
  isCode(text: string): Promise<boolean>;
  /** All that is enrolled, most usual first; empty where there is none. */
  kinds(): Promise<Exclude<FactorKind, 'password'>[]>;
  state(at: string): Promise<FactorState>;
  beginTotp(account: string, actor: string): Promise<TotpSetup>;
  confirmTotp(code: string, actor: string): Promise<Enrolled>;
  removeTotp(actor: string): Promise<void>;
  beginPasskey(at: string, subject: string): Promise<{ challenge: string; options: unknown }>;
  addPasskey(
    passkey: { readonly challenge: string; readonly name: string; readonly response: RegistrationResponseJSON },
    by: { readonly at: string; readonly subject: string; readonly actor: string },
  ): Promise<Enrolled & { passkey: PasskeyInfo }>;
  renamePasskey(id: string, name: string, actor: string): Promise<PasskeyInfo>;
  removePasskey(id: string, actor: string): Promise<void>;
  newRecoveryCodes(actor: string): Promise<string[]>;
  /** Six digits or a recovery code, which it uses up. Counted by `subject`. Throws `owner.wrong_factor`, `owner.too_many_attempts`. */
  useCode(code: string, by: { readonly subject: string; readonly actor: string; readonly act: string }): Promise<'totp' | 'recovery'>;
  /** A passkey's answer to `nonce`. Throws `owner.wrong_factor`, `owner.passkey_cloned`. */
  usePasskey(
    response: AuthenticationResponseJSON,
    by: { readonly at: string; readonly nonce: string; readonly subject: string; readonly actor: string; readonly act: string },
  ): Promise<void>;
}

export function createFactors({ store, audit, totp, passkeys, recovery, challenges, throttle, tell }: FactorsDeps): Factors {
  const isEnrolled = async (): Promise<boolean> => (await totp.isActive()) || (await passkeys.list()).length > 0;

  const record = (actor: string, action: string, resource: string, details: Readonly<Record<string, unknown>>, tx?: Db) =>
    audit.record({ actor, action, resource, details }, tx);

  async function verdict(by: { actor: string; act: string }, kind: string, isRight: boolean): Promise<void> {
    await audit.record({
      actor: by.actor,
      action: 'owner.factor',
      resource: 'owner',
      decision: isRight ? 'allow' : 'deny',
      details: { factor: kind, act: by.act },
    });
  }

  /** With the last factor gone, codes that stand in for one must not stay behind. */
  async function clearIfLast(tx: Db, isLeft: boolean): Promise<void> {
    if (!isLeft) await recovery.clear(tx);
  }

  /** The first factor of all brings its recovery codes. */
  async function firstCodes(tx: Db, isFirst: boolean): Promise<string[] | null> {
    return isFirst ? recovery.replace(tx) : null;
  }

  return {
    isEnrolled,
    hasCodes: () => totp.isActive(),
    isCode: async (text) => (digitsOf(text) !== null || /^\s*\w{4}(?:-\w{4}){3}\s*$/.test(text)) && totp.isActive(),

    async kinds() {
      const [hasTotp, keys, { left }] = await Promise.all([totp.isActive(), passkeys.list(), recovery.left()]);
      const isAny = hasTotp || keys.length > 0;
      return [
        ...(hasTotp ? (['totp'] as const) : []),
        ...(keys.length > 0 ? (['passkey'] as const) : []),
        ...(isAny && left > 0 ? (['recovery'] as const) : []),
      ];
    },

    async state(at) {
      const [app, keys, codes] = await Promise.all([totp.state(), passkeys.list(), recovery.left()]);
      const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
      return {
        totp: app && { createdAt: iso(app.created_at)!, lastUsedAt: iso(app.last_used_at) },
        passkeys: keys.map((row) => passkeyInfo(row, at)),
        recoveryCodes: codes.createdAt === null ? null : { left: codes.left, createdAt: iso(codes.createdAt)! },
        passkeyName: relyingParty(at),
      };
    },

    beginTotp: (account, actor) => totp.begin(account, actor),

    async confirmTotp(code, actor) {
      const isFirst = !(await isEnrolled());
      let recoveryCodes: string[] | null = null;
      await totp.confirm(code, actor, async (tx) => {
        recoveryCodes = await firstCodes(tx, isFirst);
        await record(actor, 'owner.enrol_factor', 'factor:totp', {}, tx);
      });
      tell('info', 'A second factor was set up', 'An authenticator app now guards logins and sensitive acts.');
      return { recoveryCodes };
    },

    async removeTotp(actor) {
      const isLeft = (await passkeys.list()).length > 0;
      await totp.remove(actor, async (tx) => {
        await clearIfLast(tx, isLeft);
        await record(actor, 'owner.remove_factor', 'factor:totp', {}, tx);
      });
      tell('warning', 'A second factor was removed', 'The authenticator app no longer guards logins and sensitive acts.');
    },

    async beginPasskey(at, subject) {
      const handle = await passkeys.userHandle();
      const { id, nonce } = await challenges.create({ purpose: 'enrol', subject, act: handle, forPasskey: true });
      return { challenge: id, options: await passkeys.registration(at, nonce, handle) };
    },

    async addPasskey({ challenge, name, response }, { at, subject, actor }) {
      const isFirst = !(await isEnrolled());
      const { nonce, act } = await store.write((tx) => challenges.take(tx, challenge, { purpose: 'enrol', subject }));
      const read = await passkeys.read(at, nonce, response);
      const added = await store.write(async (tx) => {
        const passkey = await passkeys.add(tx, read, { name, user_handle: act });
        await record(actor, 'owner.enrol_factor', `passkey:${passkey.id}`, { name, address: read.rp_id }, tx);
        return { recoveryCodes: await firstCodes(tx, isFirst), passkey: passkeyInfo(passkey, at) };
      });
      tell('info', 'A passkey was enrolled', `"${name}" now opens the door at ${read.rp_id}.`);
      return added;
    },

    async renamePasskey(id, name, actor) {
      return store.write(async (tx) => {
        const row = await passkeys.rename(tx, id, name);
        await record(actor, 'owner.rename_passkey', `passkey:${id}`, { name }, tx);
        return passkeyInfo(row, '');
      });
    },

    async removePasskey(id, actor) {
      const isLeft = (await totp.isActive()) || (await passkeys.list()).some((row) => row.id !== id);
      const { name } = await store.write(async (tx) => {
        const row = await passkeys.remove(tx, id);
        await clearIfLast(tx, isLeft);
        await record(actor, 'owner.remove_factor', `passkey:${id}`, { name: row.name }, tx);
        return row;
      });
      tell('warning', 'A passkey was removed', `"${name}" opens the door no longer.`);
    },

    async newRecoveryCodes(actor) {
      if (!(await isEnrolled()))
        throw new AppError('conflict', 'owner.no_factor', 'Recovery codes stand in for a second factor: enrol one first');
      return store.write(async (tx) => {
        await record(actor, 'owner.new_recovery_codes', 'owner', {}, tx);
        return recovery.replace(tx);
      });
    },

    async useCode(code, by) {
      const isRecovery = readRecoveryCode(code) !== null;
      const kind = isRecovery ? 'recovery' : 'totp';
      await throttle.enterFactor(by.subject, !isRecovery).catch((error: unknown) => {
        // whoever gets here has the password, a session or a chat of the owner
        tell(
          'critical',
          'Somebody guesses at your second factor',
          `Asked for: ${by.act}. If it was not you, end the sessions you do not know.`,
        );
        throw error;
      });
      const isRight = isRecovery ? await store.write((tx) => recovery.use(tx, code)) : await totp.use(code);
      await verdict(by, kind, isRight);
      if (!isRight) throw new AppError('forbidden', 'owner.wrong_factor', 'Not a code of now, or one that was used before');
      await throttle.succeedFactor(by.subject);
      if (isRecovery) {
        const { left } = await recovery.left();
        tell('warning', 'A recovery code was used', `${left} are left. If it was not you, change the password and make new codes.`);
      }
      return kind;
    },

    async usePasskey(response, { at, nonce, subject, ...by }) {
      try {
        await passkeys.verify(at, nonce, response, 'present');
      } catch (error) {
        if (error instanceof AppError) await verdict(by, 'passkey', false);
        throw error;
      }
      await verdict(by, 'passkey', true);
      await throttle.succeedFactor(subject);
    },
  };
}

function passkeyInfo(row: PasskeyRow, at: string): PasskeyInfo {
  return {
    id: row.id,
    name: row.name,
    address: row.rp_id,
    isUsableHere: at !== '' && relyingParty(at) === row.rp_id,
    isSynced: row.backed_up === 1,
    createdAt: new Date(row.created_at).toISOString(),
    lastUsedAt: row.last_used_at === null ? null : new Date(row.last_used_at).toISOString(),
  };
}
