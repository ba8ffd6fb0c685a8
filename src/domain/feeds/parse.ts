import { createHash } from 'node:crypto';
import { AppError } from '#core/errors';
import { readAtom } from './atom.ts';
import { decodeText } from './charset.ts';
import type { Feed, FeedItem, SourceHints } from './contract.ts';
import { parseDate } from './dates.ts';
import type { DraftFeed, DraftItem } from './draft.ts';
import { readJsonFeed } from './jsonfeed.ts';
import { readRss } from './rss.ts';
import { plainText, shorten } from './text.ts';
import { canonicalUrl } from './urls.ts';
import { localName, scanXml } from './xml.ts';

const SUMMARY_LENGTH = 1_000;
/** So much HTML is looked at for a summary; full texts can be megabytes. */
const SUMMARY_SOURCE_LENGTH = 8_000;

/** Reads a feed of any format from its bytes. Throws `feeds.not_a_feed`. Runs where it is called; see `createFeedParser`. */
export function parseFeed(bytes: Uint8Array, { contentType, url }: SourceHints = {}): Feed {
  const { items, ...feed } = readDraft(decodeText(bytes, contentType), url ?? null);
  return { ...feed, items: tellApart(items.map(finish)) };
}

function readDraft(text: string, url: string | null): DraftFeed {
  const first = /\S/.exec(text)?.[0];
  const feed = first === '{' ? readJsonFeed(parseJson(text), url) : readXml(text, url);
  if (!feed) throw new AppError('invalid', 'feeds.not_a_feed', notAFeed(text, first));
  return feed;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function readXml(text: string, url: string | null): DraftFeed | null {
  for (const root of scanXml(text)) {
    switch (localName(root)) {
      case 'rss':
        return readRss(root, 'rss', url);
      case 'rdf':
        return readRss(root, 'rdf', url);
      case 'feed':
        return readAtom(root, url);
      // The channel of a feed whose envelope is missing, and CDF, which never had one.
      case 'channel':
        return readRss(root, 'rss', url);
    }
  }
  return null;
}

function notAFeed(text: string, first: string | undefined): string {
  if (first === undefined) return 'The document is empty; expected RSS, Atom or JSON Feed';
  if (first === '{') return 'The document is JSON but not a JSON Feed; expected "version", "title" and "items"';
  if (/<(!doctype html|html|body)\b/i.test(text.slice(0, 2_000)))
    return 'The document is a web page, not a feed; look for a link to its feed in the page';
  return 'The document is no feed; expected RSS, Atom, RDF or JSON Feed';
}

function finish(draft: DraftItem): FeedItem {
  const { guid, title, url, contentHtml } = draft;
  const date = firstDate(draft.dates);
  const summaryHtml = draft.summaryHtml ?? contentHtml;
  const summary = summaryHtml === null ? null : shorten(plainText(summaryHtml.slice(0, SUMMARY_SOURCE_LENGTH)), SUMMARY_LENGTH) || null;
  const id = guid ?? (url === null ? hash(title, date, title === null ? summary : null) : canonicalUrl(url));
  return { id, key: id, title, url, date, summary, author: draft.author, ...(contentHtml !== null && { contentHtml }) };
}

function firstDate(candidates: DraftItem['dates']): string | null {
  for (const each of candidates) {
    const date = each && parseDate(each);
    if (date) return date;
  }
  return null;
}

/** Drops repetitions, and gives different items that share an id a key of their own: some publishers use one id for all. */
function tellApart(items: readonly FeedItem[]): FeedItem[] {
  const sharing = Map.groupBy(items, (it) => it.id);
  if (sharing.size === items.length) return [...items];
  const isOne = new Map(
    [...sharing].map(([id, [first, ...rest]]) => [id, rest.every((it) => it.url === first!.url && it.title === first!.title)]),
  );
  const seen = new Map<string, number>();
  return items.flatMap((item) => {
    const what = hash(item.url && canonicalUrl(item.url), item.title, item.title === null ? item.summary : null);
    const identity = `${item.id}#${what}`;
    const before = seen.get(identity) ?? 0;
    seen.set(identity, before + 1);
    if (before > 0 && item.title !== null) return [];
    if (isOne.get(item.id)) return before > 0 ? { ...item, key: `${identity}#${before}` } : item;
    return { ...item, key: identity };
  });
}

function hash(...parts: readonly (string | null)[]): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 32)}`;
}
