import type { Audit } from '#audit';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import type { Caller } from '#core/endpoint';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import type { Secret } from '#core/secret';
import type { SessionInfo, SessionState } from './contract.ts';
import type { FactorRequest } from './factor-request.ts';
import { createLoginLinks, LINK_MS, type LoginLinks } from './login-link.ts';
import { createPasswords, type Argon2Cost } from './password.ts';
import { createSessions, type Origin, type Sessions } from './sessions.ts';
import { createThrottle } from './throttle.ts';
import { csrfTokenOf, isSame, type Random } from './token-hash.ts';
import { createTokens, type Tokens } from './tokens.ts';

export interface OwnerDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly audit: Audit;
  /** Of `ensureControlToken`; none with no agent running. */
  readonly controlToken?: Secret;
  readonly random?: Random;
  /** Tests make it cheap. */
  readonly passwordCost?: Argon2Cost;
}

/** A session just opened: its token goes into the cookie and nowhere else. */
export interface OpenedSession {
  readonly token: Secret;
  readonly state: SessionState;
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
  hasPassword(): Promise<boolean>;
  /** Throws `owner.wrong_password`, `owner.no_password`, `owner.too_many_attempts`. */
  login(password: string, origin: Origin): Promise<OpenedSession>;
  /** Throws `owner.bad_link` for a code that is unknown, used or older than 15 minutes. */
  loginWithLink(code: string, origin: Origin): Promise<OpenedSession>;
  logout(sessionToken: string): Promise<void>;
  /** What `GET /api/session` says; also for no cookie, or a bad one. */
  state(sessionToken: string | undefined): Promise<SessionState>;
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
  /** An API token, or the control token of this machine. */
  authenticate(bearer: string): Promise<Caller | null>;
  authenticateSession(sessionToken: string): Promise<Authenticated | null>;
  /** Whether a header carries the CSRF token of this session; an absent one never does. */
  isCsrfToken(sessionToken: string, header: string | undefined): boolean;
}

const OWNER: Caller = { id: 'owner', grants: new Set(['*']) };
const CLI: Caller = { id: 'cli', grants: new Set(['*']) };

export function createOwner({ store, clock, newId, audit, controlToken, random, passwordCost }: OwnerDeps): Owner {
  const chance = random ? { random } : {};
  const passwords = createPasswords({ store, clock, ...chance, ...(passwordCost && { cost: passwordCost }) });
  const sessions = createSessions({ store, clock, newId, ...chance });
  const tokens = createTokens({ store, clock, newId, audit, ...chance });
  const links = createLoginLinks({ store, clock, ...chance });
  const throttle = createThrottle({ store, clock });

  async function opened(via: SessionInfo['via'], origin: Origin): Promise<OpenedSession> {
    const { token, session } = await store.write(async (tx) => {
      const it = await sessions.open(tx, via, origin);
      await audit.record(
        {
          actor: 'owner',
          action: 'owner.login',
          resource: `session:${it.session.id}`,
          decision: 'allow',
          details: { via, address: origin.address },
        },
        tx,
      );
      return it;
    });
    await throttle.succeed(origin.address);
    return { token, state: { authenticated: true, passwordSet: await passwords.isSet(), csrfToken: token.use(csrfTokenOf), session } };
  }

  async function refused(via: SessionInfo['via'], origin: Origin): Promise<void> {
    await audit.record({
      actor: 'unknown',
      action: 'owner.login',
      resource: 'owner',
      decision: 'deny',
      details: { via, address: origin.address },
    });
  }

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
    hasPassword: passwords.isSet,

    async login(password, origin) {
      if (!(await passwords.isSet()))
        throw new AppError('unauthenticated', 'owner.no_password', 'No password is set yet: use the login link that is printed at start');
      await throttle.enter(origin.address);
      if (await passwords.verify(password)) return opened('password', origin);
      await refused('password', origin);
      throw new AppError('unauthenticated', 'owner.wrong_password', 'password: not the right one');
    },

    async loginWithLink(code, origin) {
      if (await store.write((tx) => links.take(tx, code))) return opened('link', origin);
      await throttle.enter(origin.address); // a good code always passes: it is the way in while the password is being guessed at
      await refused('link', origin);
      throw new AppError(
        'unauthenticated',
        'owner.bad_link',
        'This login link was used already or is older than 15 minutes: make a new one',
      );
    },

    async logout(sessionToken) {
      const session = await sessions.find(sessionToken);
      if (session) await store.write((tx) => sessions.revoke(tx, session.id));
    },

    async state(sessionToken) {
      const found = sessionToken === undefined ? null : await authenticateSession(sessionToken);
      return {
        authenticated: found !== null,
        passwordSet: await passwords.isSet(),
        csrfToken: found?.csrfToken ?? null,
        session: found?.session ?? null,
      };
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

    async assertFactor({ caller, connection, given, whenEnrolled }) {
      if (whenEnrolled) return; // none can be enrolled yet
      if (!(await passwords.isSet())) {
        if (caller.id === CLI.id) return;
        throw new AppError('forbidden', 'owner.factor_needed', 'Set a password first: this needs it', { factors: [] });
      }
      const details = { factors: ['password'] };
      if (given === undefined) throw new AppError('forbidden', 'owner.factor_needed', 'This needs your password', details);
      if (!(await verifyPassword(given, connection.address)))
        throw new AppError('forbidden', 'owner.wrong_factor', 'Not the right password', details);
    },

    createLoginLink: links.create,

    async revokeSession(id, actor) {
      await store.write(async (tx) => {
        await sessions.revoke(tx, id);
        await audit.record({ actor, action: 'owner.revoke_session', resource: `session:${id}` }, tx);
      });
    },

    async authenticate(bearer) {
      if (controlToken?.use((token) => isSame(token, bearer))) return CLI;
      return tokens.authenticate(bearer);
    },

    authenticateSession,
    isCsrfToken: (sessionToken, header) => header !== undefined && isSame(csrfTokenOf(sessionToken), header),
  };
}
