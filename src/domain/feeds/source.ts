import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { AppError } from '#core/errors';
import type { GuardedFetch } from '#core/fetch';
import type { Feed } from './contract.ts';
import type { FeedParser } from './parser.ts';

/** What a feed or page may weigh, after decompression. */
export const MAX_SOURCE_BYTES = 16 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
const IDLE_TIMEOUT_MS = 15_000;
const ACCEPT_FEED =
  'application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, text/html;q=0.5, */*;q=0.1';

export interface SourceOptions {
  readonly signal: AbortSignal;
  /** Only when the owner gave the address. */
  readonly allowPrivate?: boolean;
  /** Of the copy the caller has: the answer may then be that it is still good. */
  readonly etag?: string;
  readonly lastModified?: string;
}

/** A document and what is known of it. */
export interface Source {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  /** Where a web document came from, after redirects; absent for a file. */
  readonly url?: string;
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly notModified: boolean;
}

/** Reads an http(s) address or a file (path or `file:` URL). Throws `feeds.no_such_file`, `feeds.too_large`, `feeds.http_status` and what `GuardedFetch` throws. */
export async function readSource(source: string, web: GuardedFetch, options: SourceOptions): Promise<Source> {
  return /^https?:/i.test(source.trim()) ? readWeb(source.trim(), web, options) : readFileSource(source);
}

async function readWeb(
  url: string,
  web: GuardedFetch,
  { signal, allowPrivate = false, etag, lastModified }: SourceOptions,
): Promise<Source> {
  const headers = {
    ...(etag !== undefined && { 'if-none-match': etag }),
    ...(lastModified !== undefined && { 'if-modified-since': lastModified }),
  };
  const answer = await web.fetch({
    url,
    headers,
    accept: ACCEPT_FEED,
    signal,
    allowPrivate,
    timeoutMs: TIMEOUT_MS,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    maxBytes: MAX_SOURCE_BYTES,
  });
  const { status, body: bytes, contentType, notModified } = answer;
  if (!notModified && (status < 200 || status >= 300)) {
    const retryAfter = answer.headers.get('retry-after');
    const kind = status === 404 || status === 410 ? 'not_found' : 'unavailable';
    throw new AppError(kind, 'feeds.http_status', `${new URL(answer.url).host} answered with status ${status}`, {
      status,
      ...(retryAfter !== null && { retryAfter }),
    });
  }
  return {
    bytes,
    contentType,
    url: answer.url,
    etag: answer.headers.get('etag'),
    lastModified: answer.headers.get('last-modified'),
    notModified,
  };
}

async function readFileSource(source: string): Promise<Source> {
  const path = source.startsWith('file:') ? fileURLToPath(source) : source;
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > MAX_SOURCE_BYTES) throw new AppError('limited', 'feeds.too_large', `${path} is larger than ${MAX_SOURCE_BYTES} bytes`);
    return { bytes: await file.readFile(), contentType: '', etag: null, lastModified: null, notModified: false };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('not_found', 'feeds.no_such_file', `${path} cannot be read; give a file or an http(s) address`, { path }, error);
  }
}

/** A feed as it is now, or word that the caller's copy is still good; both with what to ask by next time. */
export type FetchedFeed = { readonly etag: string | null; readonly lastModified: string | null } & (
  | { readonly outcome: 'read'; readonly feed: Feed; readonly url: string | null }
  | { readonly outcome: 'not_modified' }
);

export interface FeedDeps {
  readonly fetch: GuardedFetch;
  readonly parser: FeedParser;
}

/** Fetches and reads one feed. Throws what `readSource` and `FeedParser.parseFeed` throw. */
export async function fetchFeed(source: string, { fetch, parser }: FeedDeps, options: SourceOptions): Promise<FetchedFeed> {
  const { bytes, contentType, url, etag, lastModified, notModified } = await readSource(source, fetch, options);
  if (notModified)
    return { outcome: 'not_modified', etag: etag ?? options.etag ?? null, lastModified: lastModified ?? options.lastModified ?? null };
  const feed = await parser.parseFeed(bytes, { contentType, ...(url !== undefined && { url }) }, options.signal);
  return { outcome: 'read', feed, url: url ?? null, etag, lastModified };
}
