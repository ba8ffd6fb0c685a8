import { z } from 'zod';
import type { Json } from '#core/json';
import { shorten } from '#feeds';

const text = z.string().nullable().default(null);

/** A piece of news as steps hand it on: a JSON object all the way, never text to be read again. What else a step adds stays on it. */
export const Item = z.looseObject({
  id: z.string().default('').describe('What tells it from every other item, the same each time it is fetched'),
  title: z.string().describe('One line of plain text'),
  url: text.describe('Where it is published'),
  date: text.describe('When it was published: ISO 8601, UTC'),
  summary: text.describe('Plain text'),
  feed: text.describe('Name of the feed it came from'),
  author: text,
  score: z.number().min(0).max(1).optional().describe('How well it meets the interests, in [0, 1]'),
  reason: z.string().optional().describe('Why it has this score'),
});
export type Item = z.infer<typeof Item>;

export const Items = z.array(Item);

/** Items are JSON by their schema; what else a step put on them came as JSON too. */
export const asJson = (items: readonly Item[]): Json => items as unknown as Json;

/** Items as they come in: a list, `{ items }` as some steps wrap it, or nothing. */
export const ItemsIn = z
  .union([Items, z.looseObject({ items: Items }), z.null()])
  .transform((it): Item[] => (it === null ? [] : Array.isArray(it) ? it : it.items))
  .describe('The items, as rss_fetch gives them; only the title is needed');

/** The items in a step's input, or null when it is something else. An empty list is a list of items. */
export function itemsIn(input: unknown): readonly Item[] | null {
  const read = ItemsIn.safeParse(input);
  return input !== null && read.success ? read.data : null;
}

const LONGEST_SUMMARY = 600;

/** Items for a model to read, numbered from 1. */
export function describeItems(items: readonly Item[]): string {
  return items
    .map(({ title, url, date, summary, feed, score }, index) => {
      const facts = [feed, date, url, score === undefined ? null : `score ${score.toFixed(2)}`].filter(Boolean).join(' | ');
      return [`${index + 1}. ${title}`, ...(facts ? [facts] : []), ...(summary ? [shorten(summary, LONGEST_SUMMARY)] : [])].join('\n   ');
    })
    .join('\n');
}

const LONGEST_LINE = 300;

/** Items for a person to read: a Markdown list. */
export function listItems(items: readonly Item[]): string {
  return items
    .map(({ title, url, summary, feed }) => {
      const name = plainMarkdown(title);
      const link =
        url && /^https?:\/\//i.test(url)
          ? `[${name}](${url
              .replaceAll(/[()\s<>]/g, encodeURIComponent)
              .replaceAll('(', '%28')
              .replaceAll(')', '%29')})`
          : `**${name}**`;
      const source = feed ? ` (${plainMarkdown(feed)})` : '';
      return `- ${link}${source}${summary ? `\n  ${plainMarkdown(shorten(summary, LONGEST_LINE))}` : ''}`;
    })
    .join('\n');
}

/** Text on one line that Markdown shows as it is (CommonMark 0.31, 2.4: a backslash before punctuation). */
export function plainMarkdown(foreign: string): string {
  return foreign
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*_[\]<>#|~]/g, '\\$&')
    .trim();
}
