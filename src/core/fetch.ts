import { lookup as dnsLookup } from 'node:dns/promises';
import type { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import { systemClock, type Clock } from './clock.ts';
import { AppError } from './errors.ts';
import { createReacher } from './fetch/addresses.ts';
import { ACCEPT_ENCODING, decode } from './fetch/body.ts';
import { describeFailure } from './fetch/failure.ts';
import { createGuardedAgent, type Lookup } from './fetch/guard.ts';
import { watch, type Limits } from './fetch/limits.ts';
import { nextHop, parseUrl, redirectTarget, type Hop } from './fetch/redirect.ts';

/** One request with the limits that every request must have. */
export interface FetchRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
  /** For the whole exchange, redirects and body included. */
  readonly timeoutMs: number;
  /** The longest silence of the server, before the first byte and between two; `timeoutMs` unless said otherwise. */
  readonly idleTimeoutMs?: number;
  /** Bytes of the body after decompression. */
  readonly maxBytes: number;
  /** 5 unless said otherwise; 0 refuses every redirect. */
  readonly maxRedirects?: number;
  /** Only for an address that the owner configured, never for one that came from content. Holds for that host and port alone. */
  readonly allowPrivate?: boolean;
  /** The `Accept` header. */
  readonly accept?: string;
}

interface Head {
  readonly status: number;
  readonly headers: Headers;
  /** Where the answer came from, after redirects. */
  readonly url: string;
  /** The `Content-Type` header as sent, or empty. */
  readonly contentType: string;
  /** Status 304: the caller's copy, named by `If-None-Match` or `If-Modified-Since`, is still good. */
  readonly notModified: boolean;
}

export interface FetchResponse extends Head {
  readonly body: Uint8Array;
}

/** An answer whose body is still on its way. Read it to its end, or `close` it; the limits hold until then. */
export interface FetchStream extends Head {
  readonly body: AsyncIterable<Uint8Array>;
  readonly close: () => void;
}

/**
 * The one way out to the web: http and https only, public addresses only, bounded in time and size.
 * Throws `fetch.bad_url`, `fetch.blocked`, `fetch.dns`, `fetch.refused`, `fetch.tls`, `fetch.timeout`, `fetch.too_large`,
 * `fetch.too_many_redirects`, `fetch.broken`, `fetch.closed`; or the signal's reason. A status of 400 and above is an answer, not an error.
 */
export interface GuardedFetch {
  fetch(request: FetchRequest): Promise<FetchResponse>;
  stream(request: FetchRequest): Promise<FetchStream>;
  /** Ends what is under way and closes the pooled connections. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface FetchOptions {
  readonly clock?: Clock;
  readonly lookup?: Lookup;
  readonly userAgent?: string;
  readonly connectTimeoutMs?: number;
  /** Extra certificate authorities, PEM. */
  readonly ca?: string;
}

const MOST_REDIRECTS = 5;
/** So much of a redirect's own body is read to keep its connection. */
const REDIRECT_BODY_BYTES = 65_536;

export function createFetch(options: FetchOptions = {}): GuardedFetch {
  const { clock = systemClock, userAgent = 'Castellan (personal agent)', connectTimeoutMs = 10_000, ca } = options;
  const guard = {
    reach: createReacher(),
    lookup: options.lookup ?? ((host) => dnsLookup(host, { all: true })),
    connectTimeoutMs,
    ...(ca !== undefined && { ca }),
  };
  /** Two pools: a connection made to a private address must never serve a request that may not go there. */
  const agents = new Map<boolean, Agent>();
  let closed = false;

  async function agentFor(allowPrivate: boolean): Promise<Agent> {
    const undici = await import('undici');
    if (closed) throw new AppError('unavailable', 'fetch.closed', 'The program is shutting down');
    const agent = agents.get(allowPrivate) ?? createGuardedAgent(undici, { ...guard, allowPrivate });
    agents.set(allowPrivate, agent);
    return agent;
  }

  async function send(hop: Hop, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const agent = await agentFor(hop.allowPrivate);
    const { url, method, headers, body } = hop;
    return agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: method as Dispatcher.HttpMethod,
      headers,
      body,
      signal,
    });
  }

  async function stream(request: FetchRequest): Promise<FetchStream> {
    const { maxBytes, maxRedirects = MOST_REDIRECTS } = request;
    let hop = firstHop(request, userAgent);
    const limits = watch(request, clock);
    const fail = (error: unknown): Error =>
      limits.signal.aborted ? (limits.signal.reason as Error) : describeFailure(error, hop.url.host);
    try {
      for (let redirects = 0; ; redirects += 1) {
        limits.signal.throwIfAborted();
        const answer = await send(hop, limits.signal);
        limits.heard();
        const headers = headersOf(answer);
        const target = redirectTarget(answer.statusCode, headers.get('location'));
        if (target === null) {
          const head = {
            status: answer.statusCode,
            headers,
            url: hop.url.href,
            contentType: headers.get('content-type') ?? '',
            notModified: answer.statusCode === 304,
          };
          const source = await bodyOf(answer, hop, headers, maxBytes);
          const body = bounded(source, maxBytes, limits, fail);
          return {
            ...head,
            body,
            close: () => {
              limits.done();
              source.destroy();
            },
          };
        }
        await answer.body.dump({ limit: REDIRECT_BODY_BYTES });
        if (redirects >= maxRedirects)
          throw new AppError(
            'unavailable',
            'fetch.too_many_redirects',
            `More than ${maxRedirects} redirects, the last from ${hop.url.host}`,
            { host: hop.url.host },
          );
        hop = nextHop(hop, answer.statusCode, parseUrl(target, hop.url));
      }
    } catch (error) {
      limits.done();
      throw fail(error);
    }
  }

  async function fetch(request: FetchRequest): Promise<FetchResponse> {
    const { body, close: _, ...head } = await stream(request);
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return { ...head, body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) };
  }

  async function close(): Promise<void> {
    closed = true;
    await Promise.all([...agents.values()].map((agent) => agent.destroy()));
  }

  return { fetch, stream, close, [Symbol.asyncDispose]: close };
}

function firstHop(request: FetchRequest, userAgent: string): Hop {
  const given = Object.entries(request.headers ?? {}).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  return {
    url: parseUrl(request.url),
    method: request.method?.toUpperCase() ?? 'GET',
    headers: { 'user-agent': userAgent, 'accept-encoding': ACCEPT_ENCODING, accept: request.accept ?? '*/*', ...Object.fromEntries(given) },
    body: request.body ?? null,
    allowPrivate: request.allowPrivate ?? false,
  };
}

function headersOf(answer: Dispatcher.ResponseData): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  return headers;
}

/** The decompressed body; refuses one that says itself that it is too large. */
async function bodyOf(answer: Dispatcher.ResponseData, hop: Hop, headers: Headers, maxBytes: number): Promise<Readable> {
  const { statusCode, body } = answer;
  body.on('error', () => {});
  try {
    if (hop.method === 'HEAD' || statusCode === 204 || statusCode === 304) return body;
    const encoding = headers.get('content-encoding');
    if (encoding === null && Number(headers.get('content-length')) > maxBytes) throw tooLarge(maxBytes);
    return await decode(body, encoding);
  } catch (error) {
    body.destroy();
    throw error;
  }
}

async function* bounded(
  source: Readable,
  maxBytes: number,
  limits: Limits,
  fail: (error: unknown) => Error,
): AsyncGenerator<Uint8Array, void, void> {
  let bytes = 0;
  try {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      limits.rest();
      yield chunk;
      limits.heard();
    }
  } catch (error) {
    throw fail(error);
  } finally {
    limits.done();
    source.destroy();
  }
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('limited', 'fetch.too_large', `The answer is larger than ${maxBytes} bytes`, { maxBytes });
}
