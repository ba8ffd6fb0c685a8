import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '#core/endpoint';
import { isLoopback } from '#core/config';
import { memberOf } from '#core/config/networks';
import { AppError } from '#core/errors';
import { sessionCookie } from '#owner';
import type { Clients } from './clients.ts';
import type { Denial } from './denials.ts';
import type { Auth, HttpConfig, HttpDeps } from './ports.ts';

/** Whoever asks for what is open, without a credential that holds. */
const ANONYMOUS: Caller = { id: 'anonymous', grants: new Set() };

const NO_GRANT = { effect: 'deny', reason: 'A route without a grant is open to nobody.' } as const;

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

export interface GuardDeps {
  readonly config: HttpConfig;
  readonly auth: Auth;
  readonly decide: HttpDeps['decide'];
  /** Throws when whoever has no credential asks too often. */
  readonly countStranger: (request: FastifyRequest) => void;
  /** Null where no certificate is asked for. */
  readonly clients: Clients | null;
  readonly onDenial: (denial: Denial) => void;
}

/** Lets a request in, as its caller, or throws; runs before the body is read. */
export type Guard = (request: FastifyRequest) => Promise<Caller>;

/**
 * In this order: by what way it came (certificate, proxy), is it meant for us (Host: DNS rebinding), does it come from our own page (Origin: hostile pages), who asks
 * (token or session), may they (grant), did the page itself send it (CSRF token). A token is read from its header and nowhere else; routes that
 * speak a vendor's protocol name the header of that vendor.
 */
export function createGuard({ config, auth, decide, countStranger, clients, onDenial }: GuardDeps): Guard {
  const isOurName = hostCheck(config);
  const checkWay = wayCheck(config);

  async function admit(request: FastifyRequest, onCaller: (caller: Caller) => void): Promise<Caller> {
    if (clients && isEncrypted(request)) request.certificate = await clients.nameOf(request.raw.socket);
    checkWay(request);
    if (!isOurName(request.hostname)) {
      throw new AppError(
        'forbidden',
        'http.unknown_host',
        'This server is not called by that name: use localhost or the address it was configured with, or give it the name (CASTELLAN_HOST_NAMES)',
        { host: request.host.slice(0, 200) },
      );
    }
    // With a token too: a page that got hold of one must not use it from a browser.
    if (isForeign(request)) {
      throw new AppError('forbidden', 'http.foreign_origin', 'A page of another origin may not call this server', {
        origin: String(request.headers.origin ?? '').slice(0, 200),
      });
    }
    if (request.is404) {
      countStranger(request);
      return ANONYMOUS;
    }
    const { grant } = request.routeOptions.config;
    const credential = await identify(request, request.headers.authorization);
    if (!credential) countStranger(request);
    if (grant === 'public') return credential?.caller ?? ANONYMOUS;
    if (!credential) throw new AppError('unauthenticated', 'http.unauthenticated', 'Log in, or send Authorization: Bearer <token>');
    onCaller(credential.caller);
    const { effect, reason } = grant === undefined ? NO_GRANT : decide(credential.caller, grant);
    if (effect !== 'allow') throw new AppError('forbidden', 'http.forbidden', `That needs the grant ${grant}. ${reason}`, { grant });
    const { csrfToken } = credential;
    if (
      csrfToken !== undefined &&
      request.method !== 'GET' &&
      request.method !== 'HEAD' &&
      !isSame(request.headers['x-csrf-token'], csrfToken)
    ) {
      throw new AppError('forbidden', 'http.csrf', 'The header x-csrf-token is missing or stale: reload the page');
    }
    return credential.caller;
  }

  async function identify(
    request: FastifyRequest,
    authorization: string | undefined,
  ): Promise<{ caller: Caller; csrfToken?: string } | null> {
    const key = request.routeOptions.config.keyHeaders?.map((name) => request.headers[name]).find((value) => typeof value === 'string');
    if (authorization !== undefined || key !== undefined) {
      const token = typeof key === 'string' ? key : /^Bearer +(\S{1,500})$/i.exec(authorization ?? '')?.[1];
      const caller = token === undefined || token.length > 500 ? null : await auth.bearer(token);
      return caller && { caller };
    }
    const cookie = request.cookies[sessionCookie(request.protocol === 'https').name];
    return cookie ? auth.session(cookie) : null;
  }

  return async (request) => {
    let actor = ANONYMOUS.id;
    try {
      return await admit(request, ({ id }) => (actor = id));
    } catch (error) {
      if (error instanceof AppError && error.kind === 'forbidden')
        onDenial({ actor, resource: `${request.method} ${request.routeOptions.url ?? '*'}`, error, certificate: request.certificate });
      throw error;
    }
  };
}

/**
 * Plain HTTP beyond this machine is spoken with the trusted proxy alone, and only for browsers that it speaks https with: who
 * finds a way around it must not send a password in the clear.
 */
function wayCheck({ host, tls, trustedProxies = [] }: HttpConfig): (request: FastifyRequest) => void {
  if (tls || isLoopback(host) || trustedProxies.length === 0) return () => {};
  const [isProxy, isMachine] = [memberOf(trustedProxies), memberOf(['loopback'])];
  return (request) => {
    const peer = request.raw.socket.remoteAddress;
    if (peer === undefined) return; // a socket of the file system
    if (!isProxy(peer) && !isMachine(peer))
      throw new AppError('forbidden', 'http.not_by_proxy', 'This server is reached through its proxy only', { peer });
    const isProbe = request.method === 'GET' && request.routeOptions.config.grant === 'public';
    if (isProxy(peer) && !isMachine(peer) && request.protocol !== 'https' && !isProbe)
      throw new AppError('forbidden', 'http.plain_proxy', 'The proxy must be reached by https, and say so (X-Forwarded-Proto: https)', {
        peer,
      });
  };
}

function isEncrypted({ raw }: FastifyRequest): boolean {
  return 'encrypted' in raw.socket;
}

/**
 * Names we answer to. Beyond loopback any literal address is ours too: rebinding needs a name, and the machine's own
 * addresses cannot be known where the network translates them.
 */
function hostCheck({ host, hostNames = [] }: HttpConfig): (hostname: string) => boolean {
  const bound = isIP(host) === 6 ? `[${host}]` : host;
  const names = new Set([...LOOPBACK, bound, ...hostNames].map((name) => name.toLowerCase()));
  const isWide = !LOOPBACK.includes(bound) && !bound.startsWith('127.');
  return (hostname) => names.has(hostname.toLowerCase()) || (isWide && isIP(hostname.replace(/^\[|\]$/g, '')) !== 0);
}

/** What browsers say of themselves: `Origin` (Fetch standard) and `Sec-Fetch-Site` (Fetch Metadata). Programs send neither. */
function isForeign(request: FastifyRequest): boolean {
  const { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = request.headers;
  if (origin !== undefined) return origin.toLowerCase() !== `${request.protocol}://${request.host.toLowerCase()}`;
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  // A link on another page may lead here; its cookie stays behind (SameSite=Strict).
  return !(mode === 'navigate' && request.method === 'GET');
}

function isSame(given: string | string[] | undefined, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return typeof given === 'string' && timingSafeEqual(digest(given), digest(expected));
}
