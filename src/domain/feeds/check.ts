import { errorInfo } from '#core/errors';
import { decodeText } from './charset.ts';
import type { Feed, FeedCheck, ReadablePage } from './contract.ts';
import { discoverFeeds } from './discover.ts';
import { readSource, type FeedDeps, type Source, type SourceOptions } from './source.ts';

/** So many sources are read at once. */
const AT_ONCE = 6;

/** Reads each source and says what is in it, in order; one that fails says why and hurts no other. For `castellan feeds check`. */
export async function checkFeeds(sources: readonly string[], deps: FeedDeps, options: SourceOptions): Promise<FeedCheck[]> {
  const results: FeedCheck[] = [];
  const waiting = sources.entries();
  const work = async (): Promise<void> => {
    for (const [index, source] of waiting) results[index] = await checkFeed(source, deps, options);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, sources.length) }, work));
  return results;
}

async function checkFeed(source: string, deps: FeedDeps, options: SourceOptions): Promise<FeedCheck> {
  let read: Source | undefined;
  try {
    read = await readSource(source, deps.fetch, options);
    const feed = await deps.parser.parseFeed(read.bytes, hintsOf(read), options.signal);
    return { source, ...summarise(feed) };
  } catch (error) {
    options.signal.throwIfAborted();
    const { code, message } = errorInfo(error);
    const found = code === 'feeds.not_a_feed' && read ? feedsIn(read) : [];
    const hint = found.length > 0 ? `; the page points at ${found.join(' and ')}` : '';
    return { source, format: null, title: null, items: [], error: { code, message: message + hint } };
  }
}

function summarise({ format, title, items }: Feed): Omit<FeedCheck, 'source' | 'error'> {
  return {
    format,
    title,
    items: items.map(({ id, title: itemTitle, url, date, summary, author }) => ({ id, title: itemTitle, url, date, summary, author })),
  };
}

function feedsIn({ bytes, contentType, url }: Source): string[] {
  if (url === undefined) return [];
  return discoverFeeds(decodeText(bytes.subarray(0, 500_000), contentType), url)
    .slice(0, 3)
    .map((it) => it.url);
}

function hintsOf({ contentType, url }: Source) {
  return { contentType, ...(url !== undefined && { url }) };
}

/** The readable article of a file or address. For `castellan page`. Throws what `readSource` and `FeedParser.readPage` throw. */
export async function fetchPage(source: string, deps: FeedDeps, options: SourceOptions): Promise<ReadablePage> {
  const read = await readSource(source, deps.fetch, options);
  return deps.parser.readPage(read.bytes, hintsOf(read), options.signal);
}
