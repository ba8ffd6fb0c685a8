import { lookup as dnsLookup } from 'node:dns/promises';
import type { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import { systemClock, type Clock } from './clock.ts';
import { AppError } from './errors.ts';
import { createReacher, type Reacher } from './fetch/addresses.ts';
import { ACCEPT_ENCODING, decode, tooLarge } from './fetch/body.ts';
import { createCrawler, type CrawlManners, type Crawler } from './fetch/crawler.ts';
import { describeFailure } from './fetch/failure.ts';
import { createGuardedAgent, type Lookup } from './fetch/guard.ts';
import { watch, type Limits } from './fetch/limits.ts';
import { nextHop, parseUrl, redirectTarget, type Hop } from './fetch/redirect.ts';
import { ROBOTS_BYTES, type RobotsAnswer } from './fetch/robots.ts';
import type { Turn } from './fetch/turns.ts';

export type { CrawlManners } from './fetch/crawler.ts';

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
  /** Throws where a redirect leads that may not be followed; asked of each, before it is. */
  readonly mayFollow?: (next: URL) => void;
  /** Only for an address that the owner configured, never for one that came from content. Holds for that host and port alone. */
  readonly allowPrivate?: boolean;
  /** The `Accept` header. */
  readonly accept?: string;
  /** Read as a guest: robots.txt obeyed, one at a time for each host, with pauses. For pages that content led to; the wait is not in `timeoutMs`. */
  readonly crawl?: boolean;
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
  /** How long a page that was crawled waited for its turn. */
  readonly waitedMs?: number;
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
 * `fetch.too_many_redirects`, `fetch.broken`, `fetch.closed`; when crawling also `fetch.robots_denied`,
 * `fetch.robots_unavailable`, `fetch.host_resting`; or the signal's reason. A status of 400 and above is an answer, not an error.
 */
export interface GuardedFetch {
  fetch(request: FetchRequest): Promise<FetchResponse>;
  stream(request: FetchRequest): Promise<FetchStream>;
  /** Hosts that are left alone for now, and pages that robots may not read. */
  crawling: Crawler['state'];
  /** Ends what is under way and closes the pooled connections. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface FetchOptions {
  readonly clock?: Clock;
  readonly lookup?: Lookup;
  /** What is public; tests have no internet. */
  readonly reach?: Reacher;
  /** How pages that nobody configured are visited; `userAgent` is that of every request. */
  readonly manners?: () => CrawlManners;
  readonly connectTimeoutMs?: number;
  /** Extra certificate authorities, PEM. */
  readonly ca?: string;
}

const MOST_REDIRECTS = 5;
/** So much of a redirect's own body is read to keep its connection. */
const REDIRECT_BODY_BYTES = 65_536;
const ROBOTS_MS = 10_000;
const MANNERS: CrawlManners = { userAgent: 'Castellan (personal agent)', robots: true, delayMs: 1_000 };

export function createFetch(options: FetchOptions = {}): GuardedFetch {
  const { clock = systemClock, manners = () => MANNERS, connectTimeoutMs = 10_000, ca } = options;
  const guard = {
    reach: options.reach ?? createReacher(),
    lookup: options.lookup ?? ((host) => dnsLookup(host, { all: true })),
    connectTimeoutMs,
    ...(ca !== undefined && { ca }),
  };
  /** Two pools: a connection made to a private address must never serve a request that may not go there. */
  const agents = new Map<boolean, Agent>();
  const crawler = createCrawler({ clock, manners, get: getRobots });
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
    const { crawl = false, signal } = request;
    const hop = firstHop(request, manners().userAgent);
    const turn = crawl ? await crawler.enter(hop.url, signal) : undefined;
    try {
      return await follow(request, hop, turn);
    } catch (error) {
      turn?.done();
      throw error;
    }
  }

  /** Goes from hop to hop until there is an answer. The turn is given back with the end of the body. */
  async function follow(request: FetchRequest, first: Hop, turn: Turn | undefined): Promise<FetchStream> {
    const { maxBytes, maxRedirects = MOST_REDIRECTS } = request;
    let hop = first;
    const limits = watch(request, clock);
    const fail = (error: unknown): Error =>
      limits.signal.aborted ? (limits.signal.reason as Error) : describeFailure(error, hop.url.host);
    const end = (): void => {
      limits.done();
      turn?.done();
    };
    // a body that nobody reads must not keep its host closed
    if (turn) limits.signal.addEventListener('abort', () => turn?.done(), { once: true });
    try {
      for (let redirects = 0; ; redirects += 1) {
        limits.signal.throwIfAborted();
        const answer = await send(hop, limits.signal);
        limits.heard();
        const headers = headersOf(answer);
        if (turn) crawler.answered(hop.url, answer.statusCode, headers.get('retry-after'));
        const target = redirectTarget(answer.statusCode, headers.get('location'));
        if (target === null) {
          const head = {
            status: answer.statusCode,
            headers,
            url: hop.url.href,
            contentType: headers.get('content-type') ?? '',
            notModified: answer.statusCode === 304,
            ...(turn && { waitedMs: turn.waitedMs }),
          };
          const source = await bodyOf(answer, hop, headers, maxBytes);
          const body = bounded(source, maxBytes, { ...limits, done: end }, fail);
          return {
            ...head,
            body,
            close: () => {
              end();
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
        const next = nextHop(hop, answer.statusCode, parseUrl(target, hop.url));
        request.mayFollow?.(next.url);
        if (turn) turn = await moveOn(turn, hop.url, next.url, limits.signal);
        hop = next;
      }
    } catch (error) {
      end();
      throw fail(error);
    }
  }

  /** A redirect on one host belongs to the same visit; another host is another visit. */
  async function moveOn(turn: Turn, from: URL, to: URL, signal: AbortSignal): Promise<Turn> {
    if (from.host === to.host) {
      await crawler.check(to, signal);
      return turn;
    }
    turn.done();
    const { waitedMs, done } = await crawler.enter(to, signal);
    return { waitedMs: turn.waitedMs + waitedMs, done };
  }

  async function getRobots(url: string): Promise<RobotsAnswer> {
    const limits = { signal: new AbortController().signal, timeoutMs: ROBOTS_MS, maxBytes: 2 * ROBOTS_BYTES };
    const { status, body, close } = await stream({ url, accept: 'text/plain', ...limits });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= ROBOTS_BYTES) break;
    }
    close();
    return { status, text: Buffer.concat(chunks).subarray(0, ROBOTS_BYTES).toString('utf8') };
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

  return { fetch, stream, crawling: crawler.state, close, [Symbol.asyncDispose]: close };
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
    return await decode(body, encoding, maxBytes);
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
