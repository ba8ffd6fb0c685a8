import { randomBytes } from 'node:crypto';
import type { Audit } from '#audit';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import type { Caller } from '#core/endpoint';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import type { Secret } from '#core/secret';
import type { Service } from '#core/service';
import { createChallenges } from './challenges.ts';
import type { SessionInfo, SessionState } from './contract.ts';
import { createFactorCheck, subjectOf } from './factor-check.ts';
import type { FactorRequest } from './factor-request.ts';
import { createFactors, type Factors, type Tell } from './factors.ts';
import { createLoginLinks, LINK_MS, type LoginLinks } from './login-link.ts';
import { createLogins, type Logins } from './logins.ts';
import { createPasskeys } from './passkeys.ts';
import { createPasswords, type Argon2Cost } from './password.ts';
import { createRecoveryCodes } from './recovery-codes.ts';
import { createSessions, USUAL_LIMITS, type Origin, type SessionLimits, type Sessions } from './sessions.ts';
import { createThrottle } from './throttle.ts';
import { csrfTokenOf, isSame, type Random } from './token-hash.ts';
import { createTokenRates } from './token-rate.ts';
import { tokenWarnings } from './token-warnings.ts';
import { createTokens, type Tokens } from './tokens.ts';
import { createTotp, type SecretKeeper } from './totp.ts';

export interface OwnerDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly audit: Audit;
  /** Keeps the secret of the authenticator app. */
  readonly secrets: SecretKeeper;
  readonly tell: Tell;
  /** Of `ensureControlToken`; none with no agent running. */
  readonly controlToken?: Secret;
  readonly limits?: () => SessionLimits;
  readonly tokenWarningDays?: () => number;
  readonly random?: Random;
  /** Whether a text is a secret of another purpose, which a password must not be. */
  readonly isUsedElsewhere?: (text: string) => boolean;
  /** Tests make it cheap. */
  readonly passwordCost?: Argon2Cost;
}

/** A request with a good session cookie. */
export interface Authenticated {
  readonly caller: Caller;
  readonly session: SessionInfo;
  /** Must come back in `X-CSRF-Token` with whatever is not a GET; see `isCsrfToken`. */
  readonly csrfToken: string;
}

/** The one person Castellan works for: how they get in, and who may act for them. */
export interface Owner {
  readonly tokens: Tokens;
  readonly sessions: Pick<Sessions, 'list'>;
  readonly factors: Factors;
  readonly login: Logins;
  hasPassword(): Promise<boolean>;
  logout(sessionToken: string): Promise<void>;
  /** What `GET /api/session` says; also for no cookie, or a bad one. */
  state(sessionToken: string | undefined, at: string): Promise<SessionState>;
  /** For a session that is in; every other one ends. Throws `owner.weak_password`, `owner.wrong_password`, `owner.password_needed`. */
  setPassword(sessionToken: string | undefined, password: string, current: string | undefined, origin: Origin): Promise<void>;
  /** For other questions that need the password; guesses count as those of the login. */
  verifyPassword(password: string, address?: string): Promise<boolean>;
  /**
   * Judges a request for a sensitive act: with no password set only the command line of this machine passes. Throws `owner.factor_needed`,
   * `owner.wrong_factor`, `owner.too_many_attempts`.
   */
  assertFactor(request: FactorRequest): Promise<void>;
  createLoginLink: LoginLinks['create'];
  revokeSession(id: string, actor: string): Promise<void>;
  /** Ends all but the one that asks (all, when none does); says how many. */
  revokeOtherSessions(sessionToken: string | undefined, actor: string): Promise<number>;
  /** An API token, or the control token of this machine. */
  authenticate(bearer: string): Promise<Caller | null>;
  authenticateSession(sessionToken: string): Promise<Authenticated | null>;
  /** Whether a header carries the CSRF token of this session; an absent one never does. */
  isCsrfToken(sessionToken: string, header: string | undefined): boolean;
  /** Names a session in challenges and counts, without telling its token. */
  subjectOf(caller: Caller, sessionToken: string | undefined): string;
  /** How long a browser keeps its cookie; the server judges by itself. */
  sessionMaxAgeS(): number;
  /** Tells in time that a token ends. */
  readonly service: Service;
}

const OWNER: Caller = { id: 'owner', grants: new Set(['*']) };
const CLI: Caller = { id: 'cli', grants: new Set(['*']) };

export function createOwner(deps: OwnerDeps): Owner {
  const {
    store,
    clock,
    newId,
    audit,
    secrets,
    tell,
    controlToken,
    limits = () => USUAL_LIMITS,
    random = randomBytes,
    passwordCost,
    isUsedElsewhere,
  } = deps;
  const passwords = createPasswords({
    store,
    clock,
    random,
    ...(passwordCost && { cost: passwordCost }),
    ...(isUsedElsewhere && { isUsedElsewhere }),
  });
  const sessions = createSessions({ store, clock, newId, random, limits });
  const tokens = createTokens({ store, clock, newId, audit, random, rates: createTokenRates(clock) });
  const links = createLoginLinks({ store, clock, random });
  const throttle = createThrottle({ store, clock });
  const challenges = createChallenges({ store, clock, random });
  const recovery = createRecoveryCodes({ store, clock, random });
  const totp = createTotp({ store, clock, secrets, random });
  const passkeys = createPasskeys({
    store,
    clock,
    newId,
    random,
    async onRegress({ id, name }) {
      await audit.record({
        actor: 'unknown',
        action: 'owner.passkey_cloned',
        resource: `passkey:${id}`,
        decision: 'deny',
        details: { name },
      });
      tell('critical', 'A passkey may have been copied', `"${name}" counted backwards. Remove it on the page Security and enrol it anew.`);
    },
  });
  const factors = createFactors({ store, audit, totp, passkeys, recovery, challenges, throttle, tell });
  const login = createLogins({ store, audit, passwords, sessions, links, throttle, factors, passkeys, challenges, tell });
  const assertFactor = createFactorCheck({ store, passwords, verifyPassword, factors, passkeys, challenges, cli: CLI.id });

  async function verifyPassword(password: string, address = 'local'): Promise<boolean> {
    await throttle.enter(address);
    if (!(await passwords.verify(password))) return false;
    await throttle.succeed(address);
    return true;
  }

  async function authenticateSession(sessionToken: string): Promise<Authenticated | null> {
    const session = await sessions.find(sessionToken);
    return session && { caller: OWNER, session, csrfToken: csrfTokenOf(sessionToken) };
  }

  /** A browser that just came by a link has proved more than a password does. */
  function isFreshFromLink({ via, createdAt }: SessionInfo): boolean {
    return via === 'link' && clock.now() - Date.parse(createdAt) < LINK_MS;
  }

  return {
    tokens,
    sessions,
    factors,
    login,
    hasPassword: passwords.isSet,

    async logout(sessionToken) {
      const session = await sessions.find(sessionToken);
      if (!session) return;
      await store.write(async (tx) => {
        await sessions.revoke(tx, session.id);
        await audit.record({ actor: 'owner', action: 'owner.logout', resource: `session:${session.id}` }, tx);
      });
    },

    async state(sessionToken, at) {
      const outside = await login.outside(at);
      const found = sessionToken === undefined ? null : await authenticateSession(sessionToken);
      return found ? { ...outside, authenticated: true, csrfToken: found.csrfToken, session: found.session } : outside;
    },

    async setPassword(sessionToken, password, current, origin) {
      const session = sessionToken === undefined ? null : await sessions.find(sessionToken);
      if (!session) throw new AppError('unauthenticated', 'owner.not_logged_in', 'Log in first');
      if ((await passwords.isSet()) && !isFreshFromLink(session)) {
        if (current === undefined)
          throw new AppError('invalid', 'owner.password_needed', 'current: your present password is needed to change it');
        if (!(await verifyPassword(current, origin.address)))
          throw new AppError('forbidden', 'owner.wrong_password', 'current: not the right password');
      }
      const ready = await passwords.prepare(password);
      await store.write(async (tx) => {
        await ready.store(tx);
        await sessions.revokeOthers(tx, session.id);
        await audit.record({ actor: 'owner', action: 'owner.set_password', resource: 'owner', details: { address: origin.address } }, tx);
      });
    },

    verifyPassword,
    assertFactor,
    createLoginLink: links.create,

    async revokeSession(id, actor) {
      await store.write(async (tx) => {
        await sessions.revoke(tx, id);
        await audit.record({ actor, action: 'owner.revoke_session', resource: `session:${id}` }, tx);
      });
    },

    async revokeOtherSessions(sessionToken, actor) {
      const current = sessionToken === undefined ? null : await sessions.find(sessionToken);
      return store.write(async (tx) => {
        const ended = await sessions.revokeOthers(tx, current?.id ?? null);
        await audit.record({ actor, action: 'owner.revoke_other_sessions', resource: 'owner', details: { ended } }, tx);
        return ended;
      });
    },

    async authenticate(bearer) {
      if (controlToken?.use((token) => isSame(token, bearer))) return CLI;
      return tokens.authenticate(bearer);
    },

    authenticateSession,
    isCsrfToken: (sessionToken, header) => header !== undefined && isSame(csrfTokenOf(sessionToken), header),
    subjectOf,
    sessionMaxAgeS: () => Math.ceil(limits().absoluteMs / 1_000),
    service: tokenWarnings({ store, clock, tell, daysBefore: deps.tokenWarningDays ?? (() => 7) }),
  };
}
