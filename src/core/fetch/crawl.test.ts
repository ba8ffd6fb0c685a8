import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate as soon } from 'node:timers/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { manualClock } from '../clock.ts';
import { createCrawler, type CrawlManners } from './crawler.ts';
import { productToken, readRobots } from './robots.ts';
import { createTurns } from './turns.ts';
import { createFetch } from '../fetch.ts';

const NEVER = new AbortController().signal;
const robots = (text: string, token = 'castellan') => readRobots({ status: 200, text }, 'https://site.example', token);
const at = (path: string): URL => new URL(`https://site.example${path}`);

test('robots.txt is read as RFC 9309 says: our group before the one for all, the longest rule, wildcards, the end', async () => {
  const rules = await robots(`\uFEFF# a comment
User-agent: other
Disallow: /

User-agent: Castellan/2.0
User-agent: third
Disallow: /private # not this
Allow: /private/open
Disallow: /*.pdf$
Crawl-delay: 3

User-agent: *
Disallow: /`);
  for (const [path, allowed] of [
    ['/', true],
    ['/private', false],
    ['/private/x', false],
    ['/private/open/x', true],
    ['/a/b.pdf', false],
    ['/a/b.pdf?x', true],
  ] as const)
    assert.equal(rules.allows(at(path)), allowed, path);
  assert.equal(rules.delayMs, 3_000);
  const others = await robots('User-agent: a\nUser-agent: b\nDisallow: /\n\nUser-agent: *\nDisallow: /x');
  assert.deepEqual([others.allows(at('/y')), others.allows(at('/x'))], [true, false]);
});

test('a robots.txt that is not there allows all, one that cannot be had nothing for now', async () => {
  for (const status of [404, 403, 401, 410])
    assert.ok((await readRobots({ status, text: 'x' }, 'https://site.example', 'castellan')).allows(at('/')));
  for (const status of [500, 503, 429])
    await assert.rejects(readRobots({ status, text: '' }, 'https://site.example', 'castellan'), { code: 'fetch.robots_unavailable' });
  assert.deepEqual(
    [productToken('Castellan (personal agent)'), productToken('My-Bot/1.0'), productToken('1')],
    ['castellan', 'my-bot', 'castellan'],
  );
});

test('what is no robots.txt, or a hostile one, is read all the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.constantFrom(
          'User-agent: *',
          'user-agent: castellan',
          'User-agent: x',
          'Disallow: /',
          'Allow: /a*b$',
          'Disallow:',
          '\u0000',
          'Crawl-delay: x',
          'Disallow: /%zz',
          ':',
        ),
        { maxLength: 30 },
      ),
      fc.webPath(),
      async (lines, path) => {
        const rules = await robots(lines.join('\n'));
        assert.equal(typeof rules.allows(at(path || '/')), 'boolean');
      },
    ),
    { numRuns: 50 },
  );
  const agents = Array.from({ length: 20_000 }, (_, n) => `User-agent: a${n}`).join('\n');
  const stars = Array.from({ length: 5_000 }, () => `Disallow: /${'*aaaaaaaaaaaaaaaa'.repeat(8)}$`).join('\n');
  assert.equal((await robots(`${agents}\n${stars}\nUser-agent: *\n${stars}\nDisallow: /no`)).allows(at(`/${'a'.repeat(5_000)}b`)), true);
});

test('of a host one at a time, with a pause between two; hosts do not wait for each other', async () => {
  const clock = manualClock(1_000);
  const turns = createTurns(clock);
  const first = await turns.take('a', 500, NEVER);
  const got: string[] = [];
  const second = turns.take('a', 500, NEVER).then((turn) => (got.push('second'), turn));
  (await turns.take('b', 500, NEVER)).done();
  await soon();
  assert.deepEqual(got, []);
  first.done();
  first.done();
  await soon();
  await clock.advance(499);
  assert.deepEqual(got, []);
  await clock.advance(1);
  assert.equal((await second).waitedMs, 500);
});

test('who gives up in the queue holds nobody up', async () => {
  const clock = manualClock();
  const turns = createTurns(clock);
  const first = await turns.take('a', 0, NEVER);
  const stop = new AbortController();
  const second = turns.take('a', 0, stop.signal);
  const third = turns.take('a', 0, NEVER);
  stop.abort(new Error('enough'));
  await assert.rejects(second, /enough/);
  first.done();
  (await third).done();
  assert.deepEqual(turns.resting(), []);
});

test('a host that says when to come back is left alone until then', async () => {
  const clock = manualClock(Date.parse('2026-01-01T00:00:00Z'));
  const turns = createTurns(clock);
  turns.close('a', '30');
  const waiting = turns.take('a', 0, NEVER);
  await soon();
  await clock.advance(30_000);
  (await waiting).done();
  turns.close('a', 'Thu, 01 Jan 2026 02:00:00 GMT');
  await assert.rejects(turns.take('a', 0, NEVER), { code: 'fetch.host_resting', details: { host: 'a', retryAfterSeconds: 7_170 } });
  assert.equal(turns.resting()[0]!.untilMs, Date.parse('2026-01-01T02:00:00Z'));
  turns.close('b', '999999999');
  assert.equal(turns.resting()[1]!.untilMs, clock.now() + 24 * 3_600_000);
  turns.close('c', 'soon');
  assert.equal(turns.resting()[2]!.untilMs, clock.now() + 60_000);
});

test('robots.txt is asked for once a day for each origin, and again after a failure', async () => {
  const clock = manualClock(0);
  const asked: string[] = [];
  let status = 500;
  const how: CrawlManners = { userAgent: 'Castellan', robots: true, delayMs: 0 };
  const crawler = createCrawler({
    clock,
    manners: () => how,
    get: async (url) => (asked.push(url), { status, text: 'User-agent: *\nDisallow: /no' }),
  });
  await assert.rejects(crawler.enter(at('/'), NEVER), { code: 'fetch.robots_unavailable' });
  await soon();
  status = 200;
  const both = await Promise.all([crawler.check(at('/a'), NEVER), crawler.check(at('/b'), NEVER)]);
  assert.equal(both.length, 2);
  await assert.rejects(crawler.enter(at('/no/x?secret'), NEVER), { code: 'fetch.robots_denied', details: { host: 'site.example' } });
  assert.deepEqual(crawler.state().refusals, [{ url: 'https://site.example/no/x', at: 0 }]);
  assert.equal(asked.length, 2);
  clock.set(24 * 3_600_000 + 1);
  await crawler.check(at('/a'), NEVER);
  assert.deepEqual(
    asked,
    Array.from({ length: 3 }, () => 'https://site.example/robots.txt'),
  );
});

/** A web of one server under many names, and a fetch for which all of them are public. */
async function web(handle: RequestListener, manners: Partial<CrawlManners> = {}) {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    seen.push(`${request.headers.host!.replace(/:.*/, '')}${request.url}`);
    handle(request, response);
  });
  server.on('connection', (socket) => void sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const net = createFetch({
    manners: () => ({ userAgent: 'Castellan', robots: true, delayMs: 0, ...manners }),
    lookup: async () => [{ address: '127.0.0.1', family: 4 }],
    reach: () => 'public',
  });
  return {
    seen,
    port,
    net,
    crawl: (host: string, path: string) =>
      net.fetch({ url: `http://${host}:${port}${path}`, crawl: true, signal: NEVER, timeoutMs: 5_000, maxBytes: 100_000 }),
    async [Symbol.asyncDispose]() {
      await net.close();
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test('a crawled page is read as its site asks, wherever redirects lead', async () => {
  await using it = await web(({ url, headers: { host = '' } }, response) => {
    if (url === '/robots.txt')
      return void response.end(host.startsWith('b') ? 'User-agent: *\nDisallow: /closed' : 'User-agent: *\nDisallow: /own');
    if (url === '/to-b') return void response.writeHead(302, { location: `http://b.example:${it.port}/closed` }).end();
    if (url === '/to-own') return void response.writeHead(302, { location: '/own' }).end();
    if (url === '/round') return void response.writeHead(302, { location: '/round' }).end();
    response.end('page');
  });
  assert.equal(Buffer.from((await it.crawl('a.example', '/page')).body).toString(), 'page');
  await assert.rejects(it.crawl('a.example', '/own'), { code: 'fetch.robots_denied' });
  await assert.rejects(it.crawl('a.example', '/to-own'), { code: 'fetch.robots_denied' });
  await assert.rejects(it.crawl('a.example', '/to-b'), { code: 'fetch.robots_denied' });
  await assert.rejects(it.crawl('a.example', '/round'), { code: 'fetch.too_many_redirects' });
  assert.deepEqual(it.seen.slice(0, 5), [
    'a.example/robots.txt',
    'a.example/page',
    'a.example/to-own',
    'a.example/to-b',
    'b.example/robots.txt',
  ]);
  await it.net.fetch({ url: `http://a.example:${it.port}/own`, signal: NEVER, timeoutMs: 5_000, maxBytes: 100 }); // no crawling: nobody is asked
});

test('a crawled host serves one of us at a time, and rests when it says so', async () => {
  let [now, most] = [0, 0];
  await using it = await web(({ url }, response) => {
    if (url === '/robots.txt') return void response.writeHead(404).end();
    if (url === '/busy') return void response.writeHead(429, { 'retry-after': '3600' }).end();
    now += 1;
    most = Math.max(most, now);
    response.write('half');
    setImmediate(() => {
      now -= 1;
      response.end();
    });
  });
  await Promise.all(Array.from({ length: 8 }, (_, n) => it.crawl('a.example', `/${n}`)));
  assert.equal(most, 1);
  assert.equal((await it.crawl('a.example', '/busy')).status, 429);
  await assert.rejects(it.crawl('a.example', '/1'), { code: 'fetch.host_resting' });
  assert.equal(it.net.crawling().resting[0]!.host, `a.example:${it.port}`);
  await it.crawl('b.example', '/1');
});
