import { AppError } from '#core/errors';
import type { FeedParser } from '#feeds';
import type { Feed } from '#feeds/contract';
import type { SkillContext } from '../contract.ts';
import type { Validators } from '../feed-store.ts';
import type { FeedSource } from './sources.ts';

const ACCEPT =
  'application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1';

export interface ReadOptions {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly validators: Validators | undefined;
}

/** A feed as it is now with what to ask by next time, or null: the same as when the validators were kept. */
export interface FeedRead {
  readonly feed: Feed;
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/** Fetches and parses one feed. Throws what the fetch, the file and the parser throw, and `skill.http_status`. */
export async function readFeed(
  { url }: FeedSource,
  { timeoutMs, maxBytes, validators }: ReadOptions,
  parser: Pick<FeedParser, 'parseFeed'>,
  context: SkillContext,
): Promise<FeedRead | null> {
  const { signal } = context;
  if (url.startsWith('file:')) {
    const feed = await parser.parseFeed(await context.readFile(url), {}, signal);
    return { feed, etag: null, lastModified: null };
  }
  const headers = {
    ...(validators?.etag && { 'if-none-match': validators.etag }),
    ...(validators?.lastModified && { 'if-modified-since': validators.lastModified }),
  };
  const answer = await context.fetch({ url, headers, accept: ACCEPT, signal, timeoutMs, maxBytes });
  const { status, body, contentType, notModified } = answer;
  if (notModified && validators) return null;
  if (status < 200 || status > 299)
    throw new AppError('unavailable', 'skill.http_status', `${new URL(answer.url).host} answered with status ${status}`, { status });
  const feed = await parser.parseFeed(body, { contentType, url: answer.url }, signal);
  return { feed, etag: answer.headers.get('etag'), lastModified: answer.headers.get('last-modified') };
}
