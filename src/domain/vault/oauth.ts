import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '#core/errors';
import type { FetchRequest, FetchResponse } from '#core/fetch';
import type { Secret } from '#core/secret';
import type { OAuthClient } from './oauth-contract.ts';

const TIMEOUT_MS = 20_000;
const MAX_BYTES = 256 * 1024;

/** What a service gave; times as milliseconds since the epoch. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly accessExpiresAt: number | null;
  /** When the refresh token itself ends, where the service says so. */
  readonly grantExpiresAt: number | null;
  readonly scopes: readonly string[] | null;
}

/** An answer of the service that says no (RFC 6749, 5.2): `invalid_grant`, `authorization_pending`, … */
export interface Refusal {
  readonly refused: string;
  readonly why: string;
}

export interface OAuthDeps {
  readonly fetch: (request: FetchRequest) => Promise<FetchResponse>;
  readonly now: () => number;
  readonly secretOf: (reference: string, to: string) => Promise<Secret>;
}

const Seconds = z.coerce
  .number()
  .positive()
  .max(10 * 365 * 86_400);
const TokenAnswer = z.object({
  access_token: z.string().min(1),
  token_type: z.string().optional(),
  refresh_token: z.string().min(1).nullish(),
  expires_in: Seconds.nullish(),
  /** Google, and Keycloak's word for it. */
  refresh_token_expires_in: Seconds.nullish(),
  refresh_expires_in: Seconds.nullish(),
  scope: z.string().nullish(),
});
const Failure = z.object({ error: z.string().max(200), error_description: z.string().max(1_000).optional() });
const DeviceAnswer = z.object({
  device_code: z.string().min(1),
  user_code: z.string().min(1).max(100),
  verification_uri: z.url(),
  verification_uri_complete: z.url().nullish(),
  expires_in: Seconds,
  interval: z.coerce.number().min(1).max(300).default(5),
});

/** The parameter and its proof of RFC 7636, method S256. */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

/** Where the owner says yes (RFC 6749, 4.1.1; RFC 7636, 4.3). */
export function authorizeAddress(client: OAuthClient, about: { state: string; verifier: string; redirectUri: string }): string {
  if (client.authorizeUrl === undefined)
    throw new AppError(
      'invalid',
      'vault.connection_flow',
      'This service knows no grant in the browser (authorizeUrl): use the device flow',
    );
  const url = new URL(client.authorizeUrl);
  const params = {
    ...client.authorizeParams,
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: about.redirectUri,
    ...(client.scopes.length > 0 && { scope: client.scopes.join(' ') }),
    state: about.state,
    code_challenge: challengeOf(about.verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  return url.href;
}

/** Speaks with the endpoints of a service. What says no is an answer; what cannot be reached or understood throws `vault.connection_unreachable`. */
export function createOAuth({ fetch, now, secretOf }: OAuthDeps) {
  async function post(
    client: OAuthClient,
    url: string,
    form: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<FetchResponse> {
    const { headers, body } = await authenticated(client, url, form);
    const limits = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES, maxRedirects: 0, allowPrivate: true, signal };
    const type = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    try {
      return await fetch({ url, method: 'POST', headers: { ...type, ...headers }, body, ...limits });
    } catch (cause) {
      if (signal.aborted) throw cause;
      throw unreachable(url, (cause as Error).message, cause);
    }
  }

  /** RFC 6749, 2.3.1: a secret in the form, or as Basic with both parts encoded as in a form. */
  async function authenticated(client: OAuthClient, url: string, form: Readonly<Record<string, string>>) {
    const { clientId, clientSecret, clientAuth } = client;
    if (clientSecret === undefined) return { headers: {}, body: new URLSearchParams({ ...form, client_id: clientId }).toString() };
    const key = (await secretOf(clientSecret, url)).use((text) => text);
    if (clientAuth === 'post')
      return { headers: {}, body: new URLSearchParams({ ...form, client_id: clientId, client_secret: key }).toString() };
    const encode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);
    const credentials = Buffer.from(`${encode(clientId)}:${encode(key)}`).toString('base64');
    return { headers: { authorization: `Basic ${credentials}` }, body: new URLSearchParams(form).toString() };
  }

  async function token(client: OAuthClient, form: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Tokens | Refusal> {
    const asked = now();
    const answer = await post(client, client.tokenUrl, form, signal);
    const read = readAnswer(answer, TokenAnswer, client.tokenUrl);
    if ('refused' in read) return read;
    if (read.token_type !== undefined && read.token_type.toLowerCase() !== 'bearer')
      throw unreachable(client.tokenUrl, `it gives tokens of the type ${read.token_type.slice(0, 40)}, not bearer`);
    const end = (seconds: number | null | undefined): number | null => (seconds == null ? null : asked + seconds * 1_000);
    return {
      accessToken: read.access_token,
      refreshToken: read.refresh_token ?? null,
      accessExpiresAt: end(read.expires_in),
      grantExpiresAt: end(read.refresh_token_expires_in ?? read.refresh_expires_in),
      scopes: read.scope?.split(/\s+/).filter(Boolean) ?? null,
    };
  }

  return {
    exchange: (client: OAuthClient, about: { code: string; verifier: string; redirectUri: string }, signal: AbortSignal) =>
      token(
        client,
        { grant_type: 'authorization_code', code: about.code, redirect_uri: about.redirectUri, code_verifier: about.verifier },
        signal,
      ),

    renew: (client: OAuthClient, refreshToken: string, signal: AbortSignal) =>
      token(client, { grant_type: 'refresh_token', refresh_token: refreshToken }, signal),

    pollDevice: (client: OAuthClient, deviceCode: string, signal: AbortSignal) =>
      token(client, { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: deviceCode }, signal),

    async device(client: OAuthClient, signal: AbortSignal): Promise<z.infer<typeof DeviceAnswer>> {
      if (client.deviceUrl === undefined)
        throw new AppError(
          'invalid',
          'vault.connection_flow',
          'This service knows no grant on another device (deviceUrl): use the browser',
        );
      const form: Record<string, string> = client.scopes.length > 0 ? { scope: client.scopes.join(' ') } : {};
      const read = readAnswer(await post(client, client.deviceUrl, form, signal), DeviceAnswer, client.deviceUrl);
      if ('refused' in read) throw refusedBy(client.deviceUrl, read);
      return read;
    },

    /** RFC 7009: whether the service took it. */
    async revoke(client: OAuthClient, tokens: Pick<Tokens, 'accessToken' | 'refreshToken'>, signal: AbortSignal): Promise<boolean> {
      if (client.revokeUrl === undefined) return false;
      const [text, hint] = tokens.refreshToken === null ? [tokens.accessToken, 'access_token'] : [tokens.refreshToken, 'refresh_token'];
      const { status } = await post(client, client.revokeUrl, { token: text, token_type_hint: hint }, signal);
      return status >= 200 && status < 300;
    },
  };
}

export type OAuth = ReturnType<typeof createOAuth>;

function readAnswer<S extends z.ZodType>({ status, body }: FetchResponse, schema: S, url: string): z.output<S> | Refusal {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    value = null;
  }
  if (status >= 400 && status < 500 && status !== 429 && status !== 408) {
    const failure = Failure.safeParse(value);
    if (failure.success) return { refused: failure.data.error, why: failure.data.error_description ?? failure.data.error };
  }
  if (status < 200 || status > 299) throw unreachable(url, `it answered ${status}`);
  const read = schema.safeParse(value);
  if (!read.success) throw unreachable(url, 'its answer is not what RFC 6749 says');
  return read.data;
}

/** For what the service will not do. */
export function refusedBy(url: string, { refused, why }: Refusal): AppError {
  return new AppError('forbidden', 'vault.connection_refused', `${new URL(url).host} refused: ${why}`, { error: refused });
}

function unreachable(url: string, why: string, cause?: unknown): AppError {
  return new AppError('unavailable', 'vault.connection_unreachable', `${new URL(url).host}: ${why}`, { host: new URL(url).host }, cause);
}
