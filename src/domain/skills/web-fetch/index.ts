import { z } from 'zod';
import { AppError } from '#core/errors';
import { AnyJson, type Json } from '#core/json';
import type { FetchResponse } from '#core/fetch';
import type { FeedParser } from '#feeds';
import { skill, type Skill, type SkillContext } from '../contract.ts';
import { cutText } from '../material.ts';
import { listItems } from '../news/items.ts';
import { decodeBody } from './decode.ts';

export interface WebFetchDeps {
  readonly parser: Pick<FeedParser, 'parseFeed' | 'readPage'>;
}

const Config = z.strictObject({
  url: z.string().min(1).optional().describe('The address; the input, or its "url", when left out'),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'is not the name of a header'), z.string().max(8_192))
    .optional()
    .describe('Sent along, as in { "authorization": "Bearer @secret:github" }; a secret goes only to hosts you named for it'),
  as: z
    .enum(['text', 'markdown', 'html'])
    .default('text')
    .describe('text: the readable words; markdown: with headings and links; html: as it was sent'),
  maxChars: z.int().min(100).max(2_000_000).default(20_000).describe('The text is cut after so many characters, and says so'),
  timeoutMs: z.int().min(100).max(120_000).default(20_000).describe('The longest the page may take, in milliseconds'),
  maxBytes: z
    .int()
    .min(1_024)
    .max(50 * 1024 * 1024)
    .default(10 * 1024 * 1024)
    .describe('The largest the page may be, in bytes after decompression'),
});
type Config = z.infer<typeof Config>;

const Page = z.object({
  url: z.string().describe('Where it came from, after redirects'),
  status: z.int(),
  contentType: z.string(),
  title: z.string().nullable(),
  author: z.string().nullable(),
  date: z.string().nullable().describe('ISO 8601, UTC'),
  text: z.string(),
  leftOut: z.int().describe('Characters cut from the end'),
});
type Content = Pick<z.infer<typeof Page>, 'title' | 'author' | 'date' | 'text'>;

const NOTHING: Content = { title: null, author: null, date: null, text: '' };
const FEED = /^application\/(rss|atom|rdf|feed)\+(xml|json)|^(text|application)\/xml\b/i;
const READABLE = /^text\/|^application\/(json|[\w.-]+\+json|xml|[\w.-]+\+xml|javascript|yaml|x-ndjson|toml)\b/i;

/** One page, feed or document of the web as text. */
export function webFetch(deps: WebFetchDeps): Skill {
  return skill({
    name: 'web_fetch',
    title: 'Fetch a page',
    description: 'Reads a web page and hands on its article without menus and advertising; feeds, JSON and plain text too.',
    config: Config,
    input: AnyJson,
    output: Page,
    outcomes: ['on_success', 'on_not_found'],
    grants: ['net:fetch'],
    external: true,
    timeoutMs: 60_000,
    stepFields: ['config'],
    presets: {
      Text: { config: { as: 'text' } },
      'With links': { config: { as: 'markdown' } },
      'Long page': { config: { maxChars: 200_000 } },
    },
    async run({ config, input, context }) {
      const answer = await context.fetch({
        url: addressOf(config, input),
        ...(config.headers && { headers: config.headers }),
        accept: 'text/html, application/xhtml+xml, text/plain;q=0.9, */*;q=0.5',
        signal: context.signal,
        timeoutMs: config.timeoutMs,
        maxBytes: config.maxBytes,
        crawl: true,
      });
      const { url, status, contentType } = answer;
      if (status === 404 || status === 410)
        return { outcome: 'on_not_found', output: { url, status, contentType, ...NOTHING, leftOut: 0 } };
      if (status < 200 || status > 299)
        throw new AppError('unavailable', 'skill.http_status', `${new URL(url).host} answered with status ${status}`, { status });
      const content = await read(answer, config.as, deps.parser, context);
      const { text, leftOut } = cutText(content.text, config.maxChars);
      return { outcome: 'on_success', output: { url, status, contentType, ...content, text, leftOut } };
    },
  });
}

function addressOf({ url }: Config, input: Json): string {
  const given = url ?? (typeof input === 'string' ? input : ((input as { url?: Json } | null)?.url ?? null));
  if (typeof given !== 'string' || given.trim() === '')
    throw new AppError(
      'invalid',
      'skill.no_url',
      'There is no address to fetch: give the step a "url", or an input that is one or has one',
    );
  return given.trim();
}

async function read(
  { body, contentType, url }: FetchResponse,
  as: Config['as'],
  parser: WebFetchDeps['parser'],
  context: SkillContext,
): Promise<Content> {
  if (contentType !== '' && !READABLE.test(contentType))
    throw new AppError('invalid', 'skill.not_text', `The address holds ${contentType.split(';')[0]}, not text`, { contentType });
  const whole = (): Content => ({ ...NOTHING, text: decodeBody(body, contentType) });
  if (as === 'html') return whole();
  if (FEED.test(contentType)) {
    try {
      const { title, items } = await parser.parseFeed(body, { contentType, url }, context.signal);
      return { ...NOTHING, title, text: listItems(items.map((item) => ({ ...item, title: item.title ?? 'Untitled', feed: null }))) };
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'feeds.not_a_feed') throw error;
      return whole();
    }
  }
  const isPage = /html/i.test(contentType) || (contentType === '' && /^\s*</.test(decodeBody(body.subarray(0, 200), '')));
  if (!isPage) return whole();
  const { title, byline, date, text, markdown } = await parser.readPage(body, { contentType, url }, context.signal);
  return { title, author: byline, date, text: as === 'markdown' ? markdown : text };
}
