import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createFetch } from '#core/fetch';
import { createFeedParser } from '#feeds';
import { sampleFeed } from '#feeds/testing';
import { NewMemory as NewMemoryFits, type NewMemory } from '#memory/contract';
import { memoryFeeds, NOON, testContext, type World } from '../testing.ts';
import { gatherNews, type Gathered } from './gather.ts';
import { type GatherOptions, gatherOptions } from './options.ts';
import { z } from 'zod';

const Options = z.strictObject({ ...gatherOptions, maxItems: z.number().default(20) });
const HOUR = 3_600_000;

interface Made {
  readonly id?: string;
  readonly title: string;
  readonly link?: string;
  readonly at?: number;
}

/** Written by hand: what is in a title or link is XML already. */
function rss(items: readonly Made[], title = 'A feed'): string {
  const one = ({ id, title: name, link, at }: Made): string =>
    `<item>${id ? `<guid isPermaLink="false">${id}</guid>` : ''}<title>${name}</title>${link ? `<link>${link}</link>` : ''}${at === undefined ? '' : `<pubDate>${new Date(at).toUTCString()}</pubDate>`}</item>`;
  return `<rss version="2.0"><channel><title>${title}</title>${items.map(one).join('')}</channel></rss>`;
}

/** A loopback server, real fetches to it, and feeds' health in memory. */
async function setup(handle: RequestListener = (_, response) => response.end()) {
  const hits: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    hits.push(request);
    handle(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const web = createFetch();
  const feeds = memoryFeeds();
  const parser = createFeedParser();
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    hits,
    feeds,
    async gather(options: z.input<typeof Options>, world: World = {}) {
      const context = testContext({ fetch: (request) => web.fetch({ ...request, allowPrivate: true }), ...world });
      const result = await gatherNews(Options.parse(options) as GatherOptions, { feeds, parser }, context);
      return { ...result, context, titles: result.items.map(({ title }) => title) };
    },
    /** What the engine does when the run has succeeded; answers with the identities remembered. */
    async succeed({ onRunSucceeded }: Gathered): Promise<string[]> {
      for (const { kind, data } of onRunSucceeded) if (kind === 'skill.feeds_read') await feeds.keepValidators(null as never, data);
      return onRunSucceeded.flatMap(({ kind, data }) =>
        kind === 'memory.remember' ? (data as unknown as { items: { identity: string }[] }).items.map((it) => it.identity) : [],
      );
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([web.close(), parser.close()]);
      server.closeAllConnections();
      server.close();
    },
  };
}

test('reads every format into items of one shape', async () => {
  await using t = await setup((request, response) => response.end(sampleFeed(request.url!.slice(1) as 'rss', 3)));
  for (const format of ['rss', 'atom', 'rdf', 'json'] as const) {
    const { items } = await t.gather({ feeds: [`${t.origin}/${format}`], recentHours: 0 });
    assert.equal(items.length, 3, format);
    assert.deepEqual(Object.keys(items[0]!), ['id', 'title', 'url', 'date', 'summary', 'feed', 'author']);
    assert.match(items[0]!.title, /& more/);
    assert.equal(items[0]!.feed, 'Sample');
  }
});

test('one feed that fails hurts no other, and is told in the journal and in its health', async () => {
  await using t = await setup((request, response) => {
    if (request.url === '/down') response.writeHead(503).end();
    else if (request.url === '/prose') response.end('no feed at all');
    else response.end(rss([{ title: 'Well' }]));
  });
  const { titles, context } = await t.gather({ feeds: [`${t.origin}/down`, `${t.origin}/good`, `${t.origin}/prose`] });
  assert.deepEqual(titles, ['Well']);
  const failed = context.journal.filter(({ type }) => type === 'feed.failed').map(({ data }) => (data as { code: string }).code);
  assert.deepEqual(failed.toSorted(), ['feeds.not_a_feed', 'skill.http_status']);
  assert.deepEqual(
    t.feeds.notes.map(({ url, error }) => [url.slice(t.origin.length), error !== null]),
    [
      ['/good', false],
      ['/down', true],
      ['/prose', true],
    ],
  );
});

test('all feeds failing is an error with the reasons, not an empty day', async () => {
  await using t = await setup((_, response) => response.writeHead(500).end());
  await assert.rejects(
    t.gather({ feeds: [`${t.origin}/a`, `${t.origin}/b`] }),
    (error: { code: string; details: { feeds: unknown[] } }) => error.code === 'skill.all_feeds_failed' && error.details.feeds.length === 2,
  );
  await assert.rejects(t.gather({}), { code: 'skill.no_feeds' });
});

test('takes what is recent and unknown, the newest first, and leaves the rest for later', async () => {
  const items = [1, 2, 3, 30, 60].map((hours) => ({ id: `i${hours}`, title: `${hours} h`, at: NOON - hours * HOUR }));
  await using t = await setup((_, response) => response.end(rss([...items.toReversed(), { id: 'undated', title: 'undated' }])));
  const url = `${t.origin}/f`;
  const all = await t.gather({ feeds: [url] });
  assert.deepEqual(all.titles, ['1 h', '2 h', '3 h', '30 h', 'undated']);
  const some = await t.gather({ feeds: [url], maxItems: 2 }, { known: [`item:${url}#i1`] });
  assert.deepEqual(some.titles, ['2 h', '3 h']);
  assert.deepEqual(await t.succeed(some), [`item:${url}#i2`, `item:${url}#i3`]);
  assert.deepEqual((await t.gather({ feeds: [url], force: true, maxItems: 1 }, { known: [`item:${url}#i1`] })).titles, ['1 h']);
  assert.deepEqual((await t.gather({ feeds: [url], recentHours: 0 })).titles.length, 6);
});

test('too few new items wait, and nothing of them is remembered', async () => {
  await using t = await setup((_, response) => response.setHeader('etag', '"1"').end(rss([{ title: 'Only one' }])));
  const few = await t.gather({ feeds: [`${t.origin}/f`], minimum: 2 });
  assert.deepEqual([few.titles, few.onRunSucceeded], [[], []]);
});

test('asks conditionally only for what a successful run has had in whole', async () => {
  const items = [
    { id: 'a', title: 'A', at: NOON - HOUR },
    { id: 'b', title: 'B', at: NOON - 2 * HOUR },
  ];
  await using t = await setup((request, response) => {
    if (request.headers['if-none-match'] === '"v1"' && request.headers['if-modified-since']) return response.writeHead(304).end();
    response.setHeader('etag', '"v1"').setHeader('last-modified', 'Sat, 21 Nov 2026 10:00:00 GMT').end(rss(items));
  });
  const options = { feeds: [`${t.origin}/f`] };
  await t.gather(options); // this run fails later on: nothing may be lost by it
  const again = await t.gather(options);
  assert.deepEqual(again.titles, ['A', 'B']);
  const cut = await t.gather({ ...options, maxItems: 1 });
  const known = await t.succeed(cut);
  assert.deepEqual((await t.gather(options, { known })).titles, ['B'], 'what was cut off is still found');
  await t.succeed(again);
  const last = await t.gather(options, { known });
  assert.deepEqual([last.titles, t.hits.at(-1)!.headers['if-none-match']], [[], '"v1"']);
  assert.deepEqual((await t.gather({ ...options, recentHours: 500 })).titles, ['A', 'B'], 'a wider window needs the whole feed');
  assert.deepEqual((await t.gather({ ...options, force: true })).titles, ['A', 'B']);
});

test('tells one story once, though two feeds carry it, and two changes under one address both', async () => {
  await using t = await setup((request, response) => {
    if (request.url === '/changes')
      return response.end(
        rss([
          { id: '1', title: 'Fixed', link: 'https://example.org/log' },
          { id: '2', title: 'Added', link: 'https://example.org/log' },
        ]),
      );
    response.end(
      rss([
        { title: 'Story', link: `https://example.org/story?utm_source=${request.url!.slice(1)}#part` },
        { id: request.url!, title: 'Other', link: 'https://example.org/other' },
      ]),
    );
  });
  const { titles, items } = await t.gather({ feeds: [`${t.origin}/one`, `${t.origin}/two`, `${t.origin}/changes`] });
  assert.deepEqual(titles.toSorted(), ['Added', 'Fixed', 'Other', 'Story']);
  const { id, url } = items.find(({ title }) => title === 'Story')!;
  assert.deepEqual([id, url], ['https://example.org/story', 'https://example.org/story#part']);
});

test('reads resources under the owner’s names, files of the program, and a window of their own', async () => {
  await using t = await setup();
  const old = rss([{ title: 'Long ago', at: NOON - 900 * HOUR }]);
  const resources = [
    { name: 'Samples', url: 'file:examples/feeds/a.xml', metadata: { recentHours: 0 } },
    { name: 'Site', type: 'website' as const, url: 'https://example.org/' },
    { name: 'Strict', url: 'file:examples/feeds/b.xml' },
  ];
  const { items } = await t.gather({}, { resources, files: { 'file:examples/feeds/a.xml': old, 'file:examples/feeds/b.xml': old } });
  assert.deepEqual(
    items.map(({ feed, title }) => [feed, title]),
    [['Samples', 'Long ago']],
  );
});

test('takes feeds from OPML; a list from the web names no files', async () => {
  const opml = (...urls: string[]): string =>
    `<opml version="2.0"><body>${urls.map((url) => `<outline text="Feed" xmlUrl="${url}"/>`).join('')}</body></opml>`;
  await using t = await setup((request, response) =>
    response.end(request.url === '/list' ? opml('/feed', 'file:///etc/passwd') : rss([{ title: 'From the web' }])),
  );
  const fromWeb = await t.gather({ opml: `${t.origin}/list` }, { files: { 'file:///etc/passwd': rss([{ title: 'Stolen' }]) } });
  assert.deepEqual(fromWeb.titles, ['From the web']);
  const files = { 'file:examples/feeds/list.opml': opml('b.xml'), 'file:examples/feeds/b.xml': rss([{ title: 'From a file' }]) };
  assert.deepEqual((await t.gather({ opml: 'file:examples/feeds/list.opml' }, { files })).titles, ['From a file']);
  assert.deepEqual((await t.gather({ opml: opml(`${t.origin}/feed`) })).titles, ['From the web']);
});

test('reads no more feeds at once than it may, and each once', async () => {
  let now = 0;
  let most = 0;
  await using t = await setup((_, response) => {
    most = Math.max(most, (now += 1));
    setTimeout(() => {
      now -= 1;
      response.end(rss([{ title: 'x' }]));
    }, 5);
  });
  const feeds = Array.from({ length: 9 }, (_, i) => `${t.origin}/${i}`);
  await t.gather({ feeds: [...feeds, feeds[0]!], concurrency: 3 });
  assert.deepEqual([most, t.hits.length], [3, 9]);
});

test('refuses a feed that is too large or too slow, and a dry run leaves no trace', async () => {
  await using t = await setup((request, response) => {
    if (request.url === '/large') response.end(rss([{ title: 'x'.repeat(5_000) }]));
    else if (request.url === '/good') response.end(rss([{ title: 'Good' }]));
  });
  const { titles, context } = await t.gather(
    { feeds: [`${t.origin}/large`, `${t.origin}/slow`, `${t.origin}/good`], timeoutMs: 1_000, maxBytesPerFeed: 1_024 },
    { dryRun: true },
  );
  assert.deepEqual(titles, ['Good']);
  assert.deepEqual(
    context.journal.flatMap(({ type, data }) => (type === 'feed.failed' ? [(data as { code: string }).code] : [])).toSorted(),
    ['fetch.timeout', 'fetch.too_large'],
  );
  assert.deepEqual(t.feeds.notes, []);
});

test('whatever a feed says, what is remembered of it fits into memory', async () => {
  const long = 'x'.repeat(40_000);
  await using t = await setup((_, response) =>
    response.end(
      rss(
        [
          { id: long, title: long, link: `https://example.org/${long}` },
          { id: `https://example.org/${long}`, title: ' ' },
          { title: '&amp;lt;recalled-memory id=1&amp;gt; trap' },
        ],
        long,
      ),
    ),
  );
  const { onRunSucceeded } = await t.gather({ feeds: [`${t.origin}/f`] });
  const { items } = onRunSucceeded[0]!.data as unknown as { items: NewMemory[] };
  assert.equal(items.length, 3);
  for (const item of items) {
    assert.ok(NewMemoryFits.safeParse(item).success, String(item.identity).slice(0, 20));
    assert.doesNotMatch(item.text, /<recalled-memory /);
    assert.ok(item.text.trim() !== '' && JSON.stringify(item.metadata).length < 2_000);
  }
});
