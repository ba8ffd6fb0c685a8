import { z } from 'zod';
import type { DraftFeed, DraftItem } from './draft.ts';
import { escapeHtml, plainText } from './text.ts';
import { resolveUrl } from './urls.ts';

/** A field that is missing or of another kind is as good as null: one odd item must not lose the others. */
const text = z.string().nullable().catch(null).default(null);
const Author = z.object({ name: text }).nullable().catch(null).default(null);
const Authors = z.array(Author).catch([]).default([]);

const Item = z.object({
  id: z
    .union([z.string(), z.number().transform(String)])
    .nullable()
    .catch(null)
    .default(null),
  url: text,
  external_url: text,
  title: text,
  content_html: text,
  content_text: text,
  summary: text,
  date_published: text,
  date_modified: text,
  author: Author,
  authors: Authors,
});

const Document = z.object({
  version: text,
  title: text,
  home_page_url: text,
  feed_url: text,
  author: Author,
  authors: Authors,
  items: z.array(z.unknown()),
});

/** Reads JSON Feed 1.0 and 1.1 (jsonfeed.org); null when the value is something else. */
export function readJsonFeed(value: unknown, documentUrl: string | null): DraftFeed | null {
  const parsed = Document.safeParse(value);
  if (!parsed.success) return null;
  const document = parsed.data;
  const isFeed = /jsonfeed\.org/.test(document.version ?? '') || document.title !== null || document.home_page_url !== null;
  if (!isFeed) return null;
  const feedUrl = resolveUrl(document.feed_url, documentUrl);
  const link = resolveUrl(document.home_page_url, feedUrl, documentUrl);
  const feedAuthor = nameOf(document);
  const items = document.items.flatMap((each) => {
    const item = Item.safeParse(each);
    return item.success ? [readItem(item.data, [link, feedUrl, documentUrl], feedAuthor)] : [];
  });
  return { format: 'json', title: plainText(document.title ?? '') || null, link, items };
}

function readItem(item: z.output<typeof Item>, bases: readonly (string | null)[], feedAuthor: string | null): DraftItem {
  const html = item.content_html ?? (item.content_text && escapeHtml(item.content_text));
  return {
    guid: item.id?.trim() || null,
    title: plainText(item.title ?? '') || null,
    url: resolveUrl(item.url, ...bases) ?? resolveUrl(item.external_url, ...bases) ?? resolveUrl(item.id),
    dates: [item.date_published, item.date_modified],
    author: nameOf(item) ?? feedAuthor,
    summaryHtml: item.summary && escapeHtml(item.summary),
    contentHtml: html,
  };
}

function nameOf({ author, authors }: { author: z.output<typeof Author>; authors: z.output<typeof Authors> }): string | null {
  const names = [...authors, author].flatMap((it) => plainText(it?.name ?? '') || []);
  return [...new Set(names)].join(', ') || null;
}
