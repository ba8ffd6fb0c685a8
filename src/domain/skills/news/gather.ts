import { createHash } from 'node:crypto';
import { AppError, errorInfo } from '#core/errors';
import type { Json } from '#core/json';
import { canonicalUrl, shorten, type FeedParser } from '#feeds';
import type { FeedItem } from '#feeds/contract';
import type { DeferredAct, SkillContext } from '../contract.ts';
import type { FeedStore, Validators } from '../feed-store.ts';
import type { Item } from './items.ts';
import type { GatherOptions } from './options.ts';
import { readFeed, type FeedRead } from './read-feed.ts';
import { findSources, type FeedSource } from './sources.ts';

export interface GatherDeps {
  readonly feeds: FeedStore;
  readonly parser: Pick<FeedParser, 'parseFeed'>;
}

export interface Gathered {
  /** New ones, the newest first. */
  readonly items: readonly Item[];
  /** That they were handed on becomes true when the run has succeeded: until then a later run must find them again. */
  readonly onRunSucceeded: readonly DeferredAct[];
}

interface Answer {
  readonly source: FeedSource;
  readonly windowHours: number;
  /** Null: nothing changed since a run that succeeded. */
  readonly read: FeedRead | null;
}

const HOUR_MS = 3_600_000;
const LONGEST_IDENTITY = 2_000;
const LONGEST_TITLE = 500;
const LONGEST_NAME = 200;
const LONGEST_URL = 4_000;

/** Reads the feeds of a step and takes what is new in them. A feed that fails is noted and hurts no other; all of them failing is `skill.all_feeds_failed`. */
export async function gatherNews(options: GatherOptions, { feeds, parser }: GatherDeps, context: SkillContext): Promise<Gathered> {
  const sources = await findSources(options, context);
  const validators = options.force ? new Map<string, Validators>() : await feeds.validators(sources.map(({ url }) => url));
  const { answers, failed } = await readAll(sources, options, validators, parser, context);
  if (!context.dryRun)
    await feeds.note(
      [...answers.map(({ source }) => ({ url: source.url, error: null })), ...failed.map(({ url, message }) => ({ url, error: message }))],
      context.now(),
    );
  if (answers.length === 0)
    throw new AppError(
      'unavailable',
      'skill.all_feeds_failed',
      `None of ${failed.length} feeds could be read: ${failed
        .slice(0, 3)
        .map(({ url, message }) => `${url}: ${message}`)
        .join('; ')}`,
      { feeds: failed },
    );

  const recent = withoutRepeats(answers.flatMap((answer) => recentItems(answer, context.now())));
  const known = options.force || recent.length === 0 ? new Set<string>() : await context.memory.known(recent.map(({ item }) => item.id));
  const fresh = recent.filter(({ item }) => !known.has(item.id)).toSorted((a, b) => (b.item.date ?? '').localeCompare(a.item.date ?? ''));
  const taken = fresh.length < options.minimum ? [] : fresh.slice(0, options.maxItems);
  const waiting = new Set(fresh.slice(taken.length).map(({ from }) => from));
  context.note('feeds.read', {
    feeds: sources.length,
    failed: failed.length,
    unchanged: answers.filter(({ read }) => read === null).length,
    recent: recent.length,
    known: recent.length - fresh.length,
    taken: taken.length,
    leftForLater: fresh.length - taken.length,
  });
  return {
    items: taken.map(({ item }) => item),
    onRunSucceeded: [...remember(taken.map(({ item }) => item)), ...keepValidators(answers, waiting, context.now())],
  };
}

interface Failed {
  readonly url: string;
  readonly code: string;
  readonly message: string;
}

async function readAll(
  sources: readonly FeedSource[],
  options: GatherOptions,
  validators: ReadonlyMap<string, Validators>,
  parser: GatherDeps['parser'],
  context: SkillContext,
): Promise<{ answers: Answer[]; failed: Failed[] }> {
  const results: (Answer | Failed)[] = [];
  const queue = sources.entries();
  const lane = async (): Promise<void> => {
    for (const [index, source] of queue) results[index] = await readOne(source);
  };
  const readOne = async (source: FeedSource): Promise<Answer | Failed> => {
    const windowHours = source.recentHours ?? options.recentHours;
    const kept = validators.get(source.url);
    // A copy that was looked at less far back may hold items of this wider window.
    const usable = kept && (kept.windowHours === 0 || (windowHours !== 0 && windowHours <= kept.windowHours)) ? kept : undefined;
    try {
      return {
        source,
        windowHours,
        read: await readFeed(
          source,
          { timeoutMs: options.timeoutMs, maxBytes: options.maxBytesPerFeed, validators: usable },
          parser,
          context,
        ),
      };
    } catch (error) {
      context.signal.throwIfAborted();
      const { code, message } = errorInfo(error);
      context.note('feed.failed', { url: source.url, code, message });
      return { url: source.url, code, message };
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency, sources.length) }, lane));
  return { answers: results.filter((it) => 'source' in it), failed: results.filter((it) => 'message' in it) };
}

interface Found {
  readonly item: Item;
  readonly from: FeedSource;
}

function recentItems({ source, windowHours, read }: Answer, now: number): Found[] {
  const since = windowHours === 0 ? -Infinity : now - windowHours * HOUR_MS;
  return (read?.feed.items ?? [])
    .filter(({ date }) => date === null || !(Date.parse(date) < since))
    .map((item) => ({ from: source, item: toItem(item, source, source.name ?? read?.feed.title ?? null) }));
}

function toItem({ key, title, url, date, summary, author }: FeedItem, source: FeedSource, feed: string | null): Item {
  const name = title ?? (summary === null ? (url ?? 'Untitled') : shorten(summary, 100));
  return {
    id: identityOf(key, source),
    title: shorten(name, LONGEST_TITLE) || 'Untitled',
    url: url === null || url.length > LONGEST_URL ? null : withoutTracking(url),
    date,
    summary,
    feed: feed === null ? null : shorten(feed, LONGEST_NAME),
    author: author === null ? null : shorten(author, LONGEST_NAME),
  };
}

/** The address as published, without the parameters that report the click; the place in the page stays. */
function withoutTracking(url: string): string {
  const clean = canonicalUrl(url);
  return clean.includes('#') ? clean : clean + (URL.parse(url)?.hash ?? '');
}

/** A publisher's name for an item is unique as an address or URI; anything else is so only within its feed. */
function identityOf(key: string, source: FeedSource): string {
  const identity = /^https?:/i.test(key) ? canonicalUrl(key) : /^(tag|urn|doi):/i.test(key) ? key : `item:${source.url}#${key}`;
  return identity.length <= LONGEST_IDENTITY ? identity : `item:sha256:${createHash('sha256').update(identity).digest('base64url')}`;
}

/** One item of each identity; what two feeds tell under one address is one item too (in one feed it may be two: a log of changes). */
function withoutRepeats(found: readonly Found[]): Found[] {
  const ids = new Set<string>();
  const firstAt = new Map<string, string>();
  return found.filter(({ item, from }) => {
    if (ids.has(item.id)) return false;
    ids.add(item.id);
    if (item.url === null) return true;
    const address = canonicalUrl(item.url);
    const first = firstAt.get(address) ?? from.url;
    firstAt.set(address, first);
    return first === from.url;
  });
}

function remember(items: readonly Item[]): DeferredAct[] {
  if (items.length === 0) return [];
  const memories = items.map(({ id, title, url, summary, feed, date, author }): Json => ({
    kind: 'news_item',
    identity: id,
    title,
    url,
    text: withoutTags(summary ? `${title}\n\n${summary}` : title),
    labels: ['untrusted'],
    metadata: { feed, date, author },
  }));
  return [{ kind: 'memory.remember', data: { items: memories } }];
}

/** Memory refuses text that feigns to be recalled (a tag of its own); a stranger's item may not bring a run to a fall by that. */
const withoutTags = (text: string): string => text.replaceAll(/<(?=[a-z/])/gi, '‹');

/** A feed with items that wait for a later run must be read whole again, so its validators are not kept. */
function keepValidators(answers: readonly Answer[], waiting: ReadonlySet<FeedSource>, at: number): DeferredAct[] {
  const feeds = answers.flatMap(({ source, windowHours, read }): Json[] =>
    read && (read.etag ?? read.lastModified) !== null && !waiting.has(source)
      ? [{ url: source.url, etag: read.etag, lastModified: read.lastModified, windowHours }]
      : [],
  );
  return feeds.length === 0 ? [] : [{ kind: 'skill.feeds_read', data: { at, feeds } }];
}
