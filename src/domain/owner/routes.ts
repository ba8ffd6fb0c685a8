import { route, type Endpoint, type Request, type Route } from '#core/endpoint';
import type { Secret } from '#core/secret';
import type { z } from 'zod';
import {
  addPasskey,
  beginPasskey,
  beginPasskeyLogin,
  beginTotp,
  confirmTotp,
  createLoginLink,
  createToken,
  getFactors,
  getSession,
  listDevices,
  listSessions,
  listTokens,
  login,
  loginWithFactor,
  loginWithLink,
  loginWithPasskey,
  logout,
  newRecoveryCodes,
  removePasskey,
  removeTotp,
  renamePasskey,
  revokeDevice,
  revokeOtherSessions,
  revokeSession,
  revokeToken,
  setPassword,
} from './contract.ts';
import { devicesOf, revokeDevice as endDevice, type Senders } from './devices.ts';
import type { OpenedSession } from './logins.ts';
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
  readonly setSession?: { readonly token: Secret; readonly maxAgeS: number } | null;
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
  /** In, or on to the second step. The session that the browser had before ends: nobody needs two. */
  const entered = async ({ token, state }: OpenedSession, { sessionToken }: DoorRequest) => {
    if (token === null) return { body: state };
    if (sessionToken !== undefined) await owner.logout(sessionToken);
    return { body: state, setSession: { token, maxAgeS: owner.sessionMaxAgeS() } };
  };
  return [
    door(login, false, async ({ password }, request) => entered(await owner.login.withPassword(password, request), request)),
    door(loginWithLink, false, async ({ code }, request) => entered(await owner.login.withLink(code, request), request)),
    door(loginWithFactor, false, async ({ challenge, ...answer }, request) =>
      entered(await owner.login.withFactor(challenge, answer, request), request),
    ),
    door(beginPasskeyLogin, false, async (_input, request) => ({ body: await owner.login.beginPasskey(request) })),
    door(loginWithPasskey, false, async ({ challenge, passkey }, request) =>
      entered(await owner.login.withPasskey(challenge, passkey, request), request),
    ),
    door(logout, true, async (_input, { sessionToken }) => {
      if (sessionToken !== undefined) await owner.logout(sessionToken);
      return { body: { ok: true as const }, setSession: null };
    }),
    door(getSession, false, async (_input, { sessionToken, at }) => ({ body: await owner.state(sessionToken, at) })),
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
  /** Of the channels module. */
  readonly senders: Senders;
}

export function ownerRoutes({ owner, baseUrl, senders }: OwnerRoutesDeps): readonly Route[] {
  const { factors } = owner;
  const ok = { ok: true as const };
  const reveal = (it: Secret): string => it.use((text) => text);
  const currentSession = async ({ caller, connection }: Request): Promise<string | null> =>
    caller.id === 'owner' && connection?.sessionToken !== undefined
      ? ((await owner.authenticateSession(connection.sessionToken))?.session.id ?? null)
      : null;
  /** Our own address and who asks, for a ceremony of passkeys. */
  const ceremony = ({ caller, connection }: Request) => ({
    at: connection?.origin ?? baseUrl(),
    subject: owner.subjectOf(caller, connection?.sessionToken),
    actor: caller.id,
  });
  return [
    route(createLoginLink, async () => {
      const { url, expiresAt } = await owner.createLoginLink(baseUrl());
      return { url: reveal(url), expiresAt: new Date(expiresAt).toISOString() };
    }),
    route(listSessions, async (_input, request) => {
      const current = await currentSession(request);
      return { items: (await owner.sessions.list()).map((it) => ({ ...it, isCurrent: it.id === current })), next: null };
    }),
    route(revokeOtherSessions, async (_input, { caller, connection }) => ({
      ended: await owner.revokeOtherSessions(caller.id === 'owner' ? connection?.sessionToken : undefined, caller.id),
    })),
    route(revokeSession, async ({ id }, { caller }) => {
      await owner.revokeSession(id, caller.id);
      return ok;
    }),
    route(listTokens, async () => ({ items: await owner.tokens.list(), next: null })),
    route(createToken, async (input, { caller }) => {
      const { token, info } = await owner.tokens.create(input, caller);
      return { ...info, token: reveal(token) };
    }),
    route(revokeToken, async ({ id }, { caller }) => {
      await owner.tokens.revoke(id, caller.id);
      return ok;
    }),
    route(listDevices, async (_input, request) => ({
      items: await devicesOf(owner, senders, await currentSession(request)),
      next: null,
    })),
    route(revokeDevice, async ({ id }, { caller }) => {
      await endDevice(owner, senders, id, caller.id);
      return ok;
    }),
    route(getFactors, async (_input, { connection }) => factors.state(connection?.origin ?? baseUrl())),
    route(beginTotp, async (_input, request) => factors.beginTotp(`owner at ${new URL(ceremony(request).at).host}`, request.caller.id)),
    route(confirmTotp, async ({ code }, { caller }) => factors.confirmTotp(code, caller.id)),
    route(removeTotp, async (_input, { caller }) => {
      await factors.removeTotp(caller.id);
      return ok;
    }),
    route(newRecoveryCodes, async (_input, { caller }) => ({ recoveryCodes: await factors.newRecoveryCodes(caller.id) })),
    route(beginPasskey, async (_input, request) => {
      const { at, subject } = ceremony(request);
      return factors.beginPasskey(at, subject);
    }),
    route(addPasskey, async ({ challenge, name, passkey }, request) =>
      factors.addPasskey({ challenge, name, response: passkey }, ceremony(request)),
    ),
    route(renamePasskey, async ({ id, name }, { caller }) => factors.renamePasskey(id, name, caller.id)),
    route(removePasskey, async ({ id }, { caller }) => {
      await factors.removePasskey(id, caller.id);
      return ok;
    }),
  ];
}
