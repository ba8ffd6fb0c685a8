import { z } from 'zod';
import type { FactorKind } from '#core/client';
import type { Caller } from '#core/endpoint';
import { AppError } from '#core/errors';
import type { Store } from '#core/db/store';
import { AuthenticatorAnswer } from './contract.ts';
import type { Challenges } from './challenges.ts';
import type { FactorRequest } from './factor-request.ts';
import type { Factors } from './factors.ts';
import type { Passkeys } from './passkeys.ts';
import type { Passwords } from './password.ts';
import { hashToken } from './token-hash.ts';

export interface FactorCheckDeps {
  readonly store: Store;
  readonly passwords: Pick<Passwords, 'isSet'>;
  readonly verifyPassword: (password: string, address: string) => Promise<boolean>;
  readonly factors: Factors;
  readonly passkeys: Passkeys;
  readonly challenges: Challenges;
  /** The caller that is the command line of this machine. */
  readonly cli: string;
}

/** A passkey's proof in the header: which question it answers, and what was signed. */
const Proof = z.strictObject({ challenge: z.string().max(200), response: AuthenticatorAnswer });

/**
 * Judges a request for a sensitive act. Enrolled factors first; without one the password stands for it; without a password
 * only the command line of this machine passes, for whoever may read the home is the owner.
 */
export function createFactorCheck({ store, passwords, verifyPassword, factors, passkeys, challenges, cli }: FactorCheckDeps) {
  async function byPassword({ caller, connection, given }: FactorRequest): Promise<void> {
    if (!(await passwords.isSet())) {
      if (caller.id === cli) return;
      throw refusal('owner.factor_needed', 'Set a password first: this act is guarded by it', []);
    }
    if (given === undefined) throw refusal('owner.factor_needed', 'This act needs your password', ['password']);
    if (!(await verifyPassword(given, connection.address))) throw refusal('owner.wrong_factor', 'Not the right password', ['password']);
  }

  /** What the client is told, so that it can ask; a passkey signs for this one request of this one session. */
  async function ask(request: FactorRequest, subject: string, kinds: readonly FactorKind[], problem?: string): Promise<AppError> {
    const { connection, act } = request;
    const code = problem === undefined ? 'owner.factor_needed' : 'owner.wrong_factor';
    const message = problem ?? 'This act needs a second factor';
    if (!(await passkeys.isUsable(connection.origin))) return refusal(code, message, kinds);
    const { id, nonce } = await challenges.create({ purpose: 'request', subject, act, forPasskey: true });
    return refusal(code, message, kinds, { challenge: id, passkey: await passkeys.request(connection.origin, nonce, 'present') });
  }

  async function byPasskey({ caller, connection, act }: FactorRequest, subject: string, text: string): Promise<void> {
    const { challenge, response } = readProof(text);
    const asked = await store.write((tx) => challenges.take(tx, challenge, { purpose: 'request', subject }));
    if (asked.act !== act) throw new AppError('forbidden', 'owner.wrong_factor', 'That passkey was asked for another act');
    await factors.usePasskey(response, { at: connection.origin, nonce: asked.nonce, subject, actor: caller.id, act: briefly(act) });
  }

  return async (request: FactorRequest): Promise<void> => {
    const { caller, given, act, whenEnrolled } = request;
    const kinds = await factors.kinds();
    if (kinds.length === 0) return whenEnrolled ? undefined : byPassword(request);
    const subject = subjectOf(caller, request.connection.sessionToken);
    if (given === undefined) throw await ask(request, subject, kinds);
    try {
      if (given.startsWith('{')) await byPasskey(request, subject, given);
      else await factors.useCode(given, { subject, actor: caller.id, act: briefly(act) });
    } catch (error) {
      const isAskedAgain = error instanceof AppError && (error.code === 'owner.wrong_factor' || error.code === 'owner.challenge_over');
      throw isAskedAgain ? await ask(request, subject, kinds, error.message) : error;
    }
  };
}

/** Whom a challenge is given to: the one session, or the token. */
export function subjectOf(caller: Caller, sessionToken: string | undefined): string {
  return caller.id === 'owner' && sessionToken !== undefined ? `session:${hashToken(sessionToken)}` : caller.id;
}

/** An act without the hash of its input, for the audit. */
const briefly = (act: string): string => act.split(' ').slice(0, 2).join(' ');

function readProof(text: string): z.infer<typeof Proof> {
  try {
    return Proof.parse(JSON.parse(text));
  } catch (cause) {
    throw new AppError('forbidden', 'owner.wrong_factor', 'That is no answer of a passkey', {}, cause);
  }
}

function refusal(
  code: 'owner.factor_needed' | 'owner.wrong_factor',
  message: string,
  factors: readonly FactorKind[],
  more: Readonly<Record<string, unknown>> = {},
): AppError {
  const details = { factors, ...more };
  return code === 'owner.wrong_factor'
    ? new AppError('forbidden', 'owner.wrong_factor', message, details)
    : new AppError('forbidden', 'owner.factor_needed', message, details);
}
