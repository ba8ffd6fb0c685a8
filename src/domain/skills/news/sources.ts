import { z } from 'zod';
import { AppError } from '#core/errors';
import { parseOpml } from '#feeds';
import type { SkillContext } from '../contract.ts';

/** A feed to read. */
export interface FeedSource {
  readonly url: string;
  /** The owner's name for it; the feed's own title when left out. */
  readonly name: string | null;
  /** Instead of the step's: `metadata.recentHours` of the resource. */
  readonly recentHours: number | null;
}

export interface SourceOptions {
  readonly feeds: readonly string[];
  readonly opml?: string | undefined;
  readonly timeoutMs: number;
}

const MAX_OPML_BYTES = 5 * 1024 * 1024;
const Hours = z.number().min(0).nullable().catch(null);

/** Every feed a step reads, each address once: the workflow's resources, the step's own list, an OPML document. Throws `skill.no_feeds`. */
export async function findSources({ feeds, opml, timeoutMs }: SourceOptions, context: SkillContext): Promise<readonly FeedSource[]> {
  const resources = context.resources.flatMap(({ type, url, name, metadata }): FeedSource[] =>
    type === 'rss_feed' && url ? [{ url, name, recentHours: Hours.parse(metadata['recentHours'] ?? null) }] : [],
  );
  const own = feeds.map((url): FeedSource => ({ url, name: null, recentHours: null }));
  const listed = opml === undefined ? [] : await readOpml(opml, timeoutMs, context);
  const all = new Map([...resources, ...own, ...listed].toReversed().map((source) => [source.url, source]));
  if (all.size === 0)
    throw new AppError(
      'invalid',
      'skill.no_feeds',
      'There is no feed to read: give the workflow a resource of type rss_feed, or the step "feeds" or "opml"',
    );
  return [...all.values()].toReversed();
}

/** Feeds of an OPML document: the text itself, or where it is. Only a file of the owner's may name files. */
async function readOpml(opml: string, timeoutMs: number, context: SkillContext): Promise<FeedSource[]> {
  const isFile = opml.startsWith('file:');
  const text = opml.trimStart().startsWith('<')
    ? opml
    : new TextDecoder().decode(isFile ? await context.readFile(opml) : await fetchOpml(opml, timeoutMs, context));
  // A relative path is resolved as if it began at the root, and made relative again.
  const isRelative = isFile && !opml.startsWith('file:/');
  const base = isRelative ? `file:///${opml.slice('file:'.length)}` : opml;
  return parseOpml(text, URL.canParse(base) ? base : undefined)
    .filter(({ xmlUrl }) => isFile || !xmlUrl.startsWith('file:'))
    .map(({ title, xmlUrl }) => ({ url: isRelative ? xmlUrl.replace(/^file:\/\/\//, 'file:') : xmlUrl, name: title, recentHours: null }));
}

async function fetchOpml(url: string, timeoutMs: number, context: SkillContext): Promise<Uint8Array> {
  const { status, body } = await context.fetch({
    url,
    accept: 'text/x-opml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1',
    signal: context.signal,
    timeoutMs,
    maxBytes: MAX_OPML_BYTES,
  });
  if (status !== 200)
    throw new AppError('unavailable', 'skill.http_status', `${new URL(url).host} answered with status ${status} for the OPML document`, {
      status,
    });
  return body;
}
