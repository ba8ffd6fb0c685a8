import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import type { Audit } from '#audit';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { Secret } from '#core/secret';
import type { Challenges } from './challenges.ts';
import type { SessionState } from './contract.ts';
import type { Factors, Tell } from './factors.ts';
import type { LoginLinks } from './login-link.ts';
import type { Passkeys } from './passkeys.ts';
import type { Passwords } from './password.ts';
import type { Opening, Origin, Sessions } from './sessions.ts';
import type { Throttle } from './throttle.ts';
import { csrfTokenOf } from './token-hash.ts';

/** Nobody is known yet when a login waits for its second factor: whoever holds the id of the challenge is who gave the password. */
const SOMEBODY = 'login';

/** A session just opened, whose token goes into the cookie and nowhere else; null while a second factor is waited for (`state.challenge`). */
export interface OpenedSession {
  readonly token: Secret | null;
  readonly state: SessionState;
}

/** What answers a challenge: a code, or what an authenticator signed. */
export interface FactorAnswer {
  readonly code?: string | undefined;
  readonly passkey?: AuthenticationResponseJSON | undefined;
}

export interface LoginsDeps {
  readonly store: Store;
  readonly audit: Audit;
  readonly passwords: Passwords;
  readonly sessions: Sessions;
  readonly links: LoginLinks;
  readonly throttle: Throttle;
  readonly factors: Factors;
  readonly passkeys: Passkeys;
  readonly challenges: Challenges;
  readonly tell: Tell;
}

/**
 * How a browser gets in: (password | link) → second factor, where one is enrolled → session; or a passkey that knew its owner → session.
 * Every login makes a new session token, whatever cookie came with it.
 */
export interface Logins {
  /** Throws `owner.wrong_password`, `owner.no_password`, `owner.too_many_attempts`. */
  withPassword(password: string, origin: Origin): Promise<OpenedSession>;
  /** Throws `owner.bad_link` for a code that is unknown, used or older than 15 minutes. */
  withLink(code: string, origin: Origin): Promise<OpenedSession>;
  /** The second step. Throws `owner.wrong_factor`, `owner.challenge_over`, `owner.too_many_attempts`. */
  withFactor(challenge: string, answer: FactorAnswer, origin: Origin): Promise<OpenedSession>;
  /** What an authenticator is to sign; throws `owner.passkey_needs_name`. */
  beginPasskey(origin: Origin): Promise<{ challenge: string; options: unknown }>;
  withPasskey(challenge: string, response: AuthenticationResponseJSON, origin: Origin): Promise<OpenedSession>;
  /** What a browser that is not in is told. */
  outside(at: string): Promise<SessionState>;
}

export function createLogins(deps: LoginsDeps): Logins {
  const { store, audit, passwords, sessions, links, throttle, factors, passkeys, challenges, tell } = deps;

  async function outside(at: string): Promise<SessionState> {
    const [passwordSet, isUsable] = await Promise.all([passwords.isSet(), passkeys.isUsable(at)]);
    return { authenticated: false, passwordSet, passkeys: isUsable, csrfToken: null, session: null, challenge: null };
  }

  async function opened(how: Opening, origin: Origin): Promise<OpenedSession> {
    const others = await sessions.list();
    const { token, session } = await store.write(async (tx) => {
      const it = await sessions.open(tx, how, origin);
      await audit.record(
        {
          actor: 'owner',
          action: 'owner.login',
          resource: `session:${it.session.id}`,
          decision: 'allow',
          details: { via: how.via, ...(how.factor && { factor: how.factor }), ...placeOf(origin) },
        },
        tx,
      );
      return it;
    });
    await throttle.succeed(origin.address);
    if (others.length > 0 && !others.some((it) => it.device === session.device && it.address === session.address))
      tell(
        'info',
        'A new browser logged in',
        `${session.device}, from ${origin.address}. If it was not you, end its session on the page Security.`,
      );
    return { token, state: { ...(await outside(origin.at)), authenticated: true, csrfToken: token.use(csrfTokenOf), session } };
  }

  async function refused(via: string, origin: Origin): Promise<void> {
    await audit.record({
      actor: 'unknown',
      action: 'owner.login',
      resource: 'owner',
      decision: 'deny',
      details: { via, ...placeOf(origin) },
    });
  }

  /** The first step is done: in, or on to the second. */
  async function proved(via: 'password' | 'link', origin: Origin): Promise<OpenedSession> {
    const kinds = await factors.kinds();
    if (kinds.length === 0) return opened({ via, factor: null }, origin);
    const state = await outside(origin.at);
    const { id, nonce, expiresAt } = await challenges.create({ purpose: 'login', subject: SOMEBODY, act: via, forPasskey: state.passkeys });
    const passkey = nonce === '' ? {} : { passkey: await passkeys.request(origin.at, nonce, 'present') };
    const challenge = { id, factors: kinds, expiresAt: new Date(expiresAt).toISOString(), ...passkey };
    return { token: null, state: { ...state, challenge } };
  }

  return {
    async withPassword(password, origin) {
      if (!(await passwords.isSet()))
        throw new AppError('unauthenticated', 'owner.no_password', 'No password is set yet: use the login link that is printed at start');
      await throttle.enter(origin.address);
      if (!(await passwords.verify(password))) {
        await refused('password', origin);
        throw new AppError('unauthenticated', 'owner.wrong_password', 'password: not the right one');
      }
      return proved('password', origin);
    },

    async withLink(code, origin) {
      if (await store.write((tx) => links.take(tx, code))) return proved('link', origin);
      await throttle.enter(origin.address); // a good code always passes: it is the way in while the password is being guessed at
      await refused('link', origin);
      throw new AppError(
        'unauthenticated',
        'owner.bad_link',
        'This login link was used already or is older than 15 minutes: make a new one',
      );
    },

    async withFactor(id, { code, passkey }, origin) {
      const expected = { purpose: 'login', subject: SOMEBODY } as const;
      const { act, nonce } = await challenges.attempt(id, expected);
      const by = { subject: `login:${origin.address}`, actor: 'unknown', act: 'login' };
      const factor = passkey ? ('passkey' as const) : await factors.useCode(code ?? '', by);
      if (passkey) await factors.usePasskey(passkey, { ...by, at: origin.at, nonce });
      await store.write((tx) => challenges.take(tx, id, expected)); // of two right answers at once, one
      return opened({ via: act === 'link' ? 'link' : 'password', factor }, origin);
    },

    async beginPasskey({ at, address }) {
      await throttle.knock(address);
      const { id, nonce } = await challenges.create({ purpose: 'passkey_login', subject: SOMEBODY, act: 'login', forPasskey: true });
      return { challenge: id, options: await passkeys.request(at, nonce, 'with_user') };
    },

    async withPasskey(id, response, origin) {
      await throttle.knock(origin.address);
      const { nonce } = await store.write((tx) => challenges.take(tx, id, { purpose: 'passkey_login', subject: SOMEBODY }));
      try {
        await passkeys.verify(origin.at, nonce, response, 'with_user');
      } catch (error) {
        await refused('passkey', origin);
        throw error;
      }
      return opened({ via: 'passkey', factor: null }, origin);
    },

    outside,
  };
}

/** Where from, for the audit. */
function placeOf({ address, certificate }: Origin): { readonly address: string; readonly certificate?: string } {
  return { address, ...(certificate !== undefined && { certificate }) };
}
