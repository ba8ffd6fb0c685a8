import { z } from 'zod';

export const FeedFormat = z.enum(['rss', 'atom', 'rdf', 'json']);
export type FeedFormat = z.output<typeof FeedFormat>;

/** One item, the same whatever format it came in. All text is foreign: label it `untrusted`. */
export const FeedItem = z.object({
  /** What the publisher calls the item (guid, atom:id, rdf:about), else its canonical address, else a hash of title and date. */
  id: z.string(),
  /** What to store and compare it by: `id`, told apart where a feed uses one id for several items. */
  key: z.string(),
  /** One line of plain text; null when the item has no title, as in a microblog. */
  title: z.string().nullable(),
  /** Absolute http(s) address as published; see `canonicalUrl` to compare. */
  url: z.string().nullable(),
  /** When it was published, else updated: ISO 8601, UTC, to the second. */
  date: z.string().nullable(),
  /** Plain text on one line, at most 1000 characters. */
  summary: z.string().nullable(),
  author: z.string().nullable(),
  /** The full text as published: foreign HTML, never to be shown unsanitised. */
  contentHtml: z.string().optional(),
});
export type FeedItem = z.output<typeof FeedItem>;

export const Feed = z.object({
  format: FeedFormat,
  title: z.string().nullable(),
  link: z.string().nullable(),
  items: z.array(FeedItem),
});
export type Feed = z.output<typeof Feed>;

/** What may be known of a document besides its bytes. */
export interface SourceHints {
  /** The `Content-Type` header. */
  readonly contentType?: string;
  /** Where it came from: relative links are resolved against it. */
  readonly url?: string;
}

/** The readable part of a web page. Foreign text: label it `untrusted`. */
export const ReadablePage = z.object({
  title: z.string().nullable(),
  byline: z.string().nullable(),
  /** ISO 8601, UTC. */
  date: z.string().nullable(),
  /** Plain text, a blank line between paragraphs. */
  text: z.string(),
  /** GitHub-flavoured Markdown; links are absolute and http(s) or mailto only. */
  markdown: z.string(),
});
export type ReadablePage = z.output<typeof ReadablePage>;

/** A feed of a list of subscriptions. */
export const Subscription = z.object({
  title: z.string(),
  xmlUrl: z.string(),
  htmlUrl: z.string().nullable(),
  /** Folder it stands in, outermost first. */
  folders: z.array(z.string()),
});
export type Subscription = z.output<typeof Subscription>;

/** A feed that an HTML page points at. */
export const FeedLink = z.object({ url: z.string(), title: z.string().nullable(), type: z.string() });
export type FeedLink = z.output<typeof FeedLink>;

/** What `castellan feeds check` says of one source. */
export const FeedCheck = z.object({
  source: z.string(),
  format: FeedFormat.nullable(),
  title: z.string().nullable(),
  items: z.array(FeedItem.pick({ id: true, title: true, url: true, date: true, summary: true, author: true })),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});
export type FeedCheck = z.output<typeof FeedCheck>;
