import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createFetch } from '#core/fetch';
import { checkFeeds, fetchPage } from './check.ts';
import { FeedCheck } from './contract.ts';
import { createFeedParser } from './parser.ts';
import { fetchFeed } from './source.ts';
import { sampleFeed } from './testing.ts';

async function setup(handle: RequestListener = (_request, response) => response.end()) {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const fetch = createFetch();
  const parser = createFeedParser();
  return {
    deps: { fetch, parser },
    options: { signal: new AbortController().signal, allowPrivate: true },
    url: (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    async [Symbol.asyncDispose]() {
      await Promise.all([fetch.close(), parser.close()]);
      server.closeAllConnections();
      server.close();
    },
  };
}

const file = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

test('files and addresses are checked in order, and one that fails hurts no other', async () => {
  await using it = await setup((request, response) => {
    if (request.url === '/feed') response.writeHead(200, { 'content-type': 'application/rss+xml' }).end(sampleFeed('rss', 2));
    else if (request.url === '/page')
      response.end('<html><head><link rel="alternate" type="application/rss+xml" href="/feed"></head></html>');
    else response.writeHead(404).end();
  });
  const sources = [it.url('/page'), file('111-feed-rs-atom_pub_spec_1.xml'), it.url('/feed'), it.url('/gone'), file('no such file')];
  const checks = await checkFeeds(sources, it.deps, it.options);
  checks.forEach((check) => FeedCheck.parse(check));
  assert.deepEqual(
    checks.map((it) => it.source),
    sources,
  );
  assert.deepEqual(
    checks.map((it) => it.error?.code ?? it.format),
    ['feeds.not_a_feed', 'atom', 'rss', 'feeds.http_status', 'feeds.no_such_file'],
  );
  assert.ok(checks[0]!.error!.message.includes(it.url('/feed')));
  assert.deepEqual(checks[1]!.items[0], {
    id: 'urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a',
    title: 'Atom-Powered Robots Run Amok',
    url: null,
    date: '2003-12-13T18:30:02Z',
    summary: 'Some text.',
    author: 'John Doe',
  });
});

test('an address that content gave may not be private', async () => {
  await using it = await setup();
  const [check] = await checkFeeds([it.url('/')], it.deps, { signal: it.options.signal });
  assert.equal(check!.error!.code, 'fetch.blocked');
});

test('a feed that did not change is not read again', async () => {
  await using it = await setup((request, response) => {
    if (request.headers['if-none-match'] === '"v1"') response.writeHead(304).end();
    else response.writeHead(200, { etag: '"v1"', 'last-modified': 'Mon, 02 Nov 2026 06:00:00 GMT' }).end(sampleFeed('json', 3));
  });
  const first = await fetchFeed(it.url('/'), it.deps, it.options);
  assert.equal(first.outcome === 'read' && first.feed.items.length, 3);
  assert.equal(first.etag, '"v1"');
  const again = await fetchFeed(it.url('/'), it.deps, { ...it.options, etag: first.etag! });
  assert.deepEqual(again, { outcome: 'not_modified', etag: '"v1"', lastModified: null });
});

test('a page is read from a file or the web', async () => {
  await using it = await setup((_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html; charset=iso-8859-1' }).end(Buffer.from('<p>Grüße</p>', 'latin1')),
  );
  assert.equal((await fetchPage(it.url('/'), it.deps, it.options)).text, 'Grüße');
  assert.equal((await fetchPage(file('article.html'), it.deps, it.options)).byline, 'Ines Example');
});
