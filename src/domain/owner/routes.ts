import { route, type Endpoint, type Route } from '#core/endpoint';
import type { Secret } from '#core/secret';
import type { z } from 'zod';
import {
  createLoginLink,
  createToken,
  getSession,
  listSessions,
  listTokens,
  login,
  loginWithLink,
  logout,
  revokeSession,
  revokeToken,
  setPassword,
} from './contract.ts';
import type { Owner } from './owner.ts';
import type { Origin } from './sessions.ts';

/** What a route of the door knows of its request: things no other route may see. */
export interface DoorRequest extends Origin {
  /** Of the session cookie, when sent. */
  readonly sessionToken?: string | undefined;
}

/** An answer that may also set the session cookie (a token) or clear it (null). */
export interface DoorAnswer<T> {
  readonly body: T;
  readonly setSession?: Secret | null;
}

/** An endpoint that deals in cookies, so the server mounts it by hand; `grant` is `public` or judged inside. */
export interface DoorRoute {
  readonly endpoint: Endpoint;
  /** Whether the CSRF token is checked; not where one logs in, for a stale cookie must not lock anyone out. */
  readonly needsCsrfToken: boolean;
  readonly handle: (input: never, request: DoorRequest) => Promise<DoorAnswer<unknown>>;
}

function door<I extends z.ZodType, O extends z.ZodType>(
  endpoint: Endpoint<I, O>,
  needsCsrfToken: boolean,
  handle: (input: z.output<I>, request: DoorRequest) => Promise<DoorAnswer<z.input<O>>>,
): DoorRoute {
  return { endpoint, needsCsrfToken, handle: handle as DoorRoute['handle'] };
}

/** Login, logout, session, password. The server checks `Origin` on all that is not a GET. */
export function doorRoutes(owner: Owner): readonly DoorRoute[] {
  return [
    door(login, false, async ({ password }, request) => {
      const { token, state } = await owner.login(password, request);
      return { body: state, setSession: token };
    }),
    door(loginWithLink, false, async ({ code }, request) => {
      const { token, state } = await owner.loginWithLink(code, request);
      return { body: state, setSession: token };
    }),
    door(logout, true, async (_input, { sessionToken }) => {
      if (sessionToken !== undefined) await owner.logout(sessionToken);
      return { body: { ok: true as const }, setSession: null };
    }),
    door(getSession, false, async (_input, { sessionToken }) => ({ body: await owner.state(sessionToken) })),
    door(setPassword, true, async ({ password, current }, request) => {
      await owner.setPassword(request.sessionToken, password, current, request);
      return { body: { ok: true as const } };
    }),
  ];
}

export interface OwnerRoutesDeps {
  readonly owner: Owner;
  /** Where the owner's side listens, for login links: `http://127.0.0.1:4848`. */
  readonly baseUrl: () => string;
}

export function ownerRoutes({ owner, baseUrl }: OwnerRoutesDeps): readonly Route[] {
  const reveal = (it: Secret): string => it.use((text) => text);
  return [
    route(createLoginLink, async () => {
      const { url, expiresAt } = await owner.createLoginLink(baseUrl());
      return { url: reveal(url), expiresAt: new Date(expiresAt).toISOString() };
    }),
    route(listSessions, async () => ({ items: await owner.sessions.list(), next: null })),
    route(revokeSession, async ({ id }, { caller }) => {
      await owner.revokeSession(id, caller.id);
      return { ok: true as const };
    }),
    route(listTokens, async () => ({ items: await owner.tokens.list(), next: null })),
    route(createToken, async (input, { caller }) => {
      const { token, info } = await owner.tokens.create(input, caller);
      return { ...info, token: reveal(token) };
    }),
    route(revokeToken, async ({ id }, { caller }) => {
      await owner.tokens.revoke(id, caller.id);
      return { ok: true as const };
    }),
  ];
}
