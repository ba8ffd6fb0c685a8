import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { getRun, isOver, type RunDetail } from '#runs/contract';
import { createWorkflow, listFeeds, saveWorkflow, startRun } from '#workflows/contract';
import { eventually, folder, startAgent, type Agent } from './agent.ts';

interface World extends AsyncDisposable {
  readonly url: string;
  /** `GET /path` with the status it was answered with. */
  readonly seen: { path: string; status: number; condition: string | undefined }[];
  /** Bytes of the feed without an end that were taken. */
  sentEndless(): number;
  addItem(feed: string, id: string): void;
}

const MB = 1024 * 1024;
const ENDLESS_BYTES = 200 * MB;

/** Feeds as they are met: one good, the others each wrong in their own way. */
async function startWorld(): Promise<World> {
  const seen: World['seen'] = [];
  const feeds = new Map(['/good-1.xml', '/good-2.xml', '/good-3.xml'].map((path) => [path, ['first', 'second', 'third']]));
  let endless = 0;

  async function pour(response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'application/rss+xml' }).write('<rss version="2.0"><channel><title>Endless</title>');
    const chunk = `<item><title>more</title><description>${'x'.repeat(MB / 4)}</description></item>`;
    const left = new AbortController();
    response.once('close', () => left.abort());
    while (endless < ENDLESS_BYTES && !left.signal.aborted) {
      endless += chunk.length;
      if (!response.write(chunk)) await once(response, 'drain', { signal: left.signal }).catch(() => {});
    }
    response.end();
  }

  const pages: Record<string, (response: ServerResponse) => void> = {
    '/hang.xml': () => {},
    '/lies.xml': (response) => {
      response.writeHead(200, { 'content-length': '100000' }).write(rss('Lies', ['half']));
      setTimeout(() => response.destroy(), 20);
    },
    '/endless.xml': (response) => void pour(response),
    '/to-metadata.xml': (response) => response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end(),
    '/to-neighbour.xml': (response) =>
      response.writeHead(301, { location: `http://127.0.0.1:${(neighbour.address() as AddressInfo).port}/admin` }).end(),
    '/broken.xml': (response) => response.end('<?xml version="1.0"?><nothing><of the="sort'),
    // says UTF-8 and is Windows-1252
    '/encoding.xml': (response) =>
      response.end(
        Buffer.from(
          '<?xml version="1.0" encoding="utf-8"?>' + rss('Caf\u00e9', ['encoding']).replace('Item encoding', 'Cr\u00e8me br\u00fbl\u00e9e'),
          'latin1',
        ),
      ),
  };
  const server = createServer((request, response) => {
    const path = request.url!;
    const ids = feeds.get(path);
    const etag = `"${ids?.length}"`;
    const condition = request.headers['if-none-match'];
    response.on('close', () => seen.push({ path, status: response.statusCode, condition }));
    if (!ids) pages[path]!(response);
    else if (condition === etag) response.writeHead(304, { etag }).end();
    else response.writeHead(200, { 'content-type': 'application/rss+xml', etag }).end(rss('Good', ids));
  });
  const neighbour = createServer((request, response) => {
    seen.push({ path: `neighbour ${request.url}`, status: 200, condition: undefined });
    response.end(rss('Admin', ['secret']));
  });
  for (const each of [server, neighbour]) await once(each.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    sentEndless: () => endless,
    addItem: (feed, id) => void feeds.get(feed)!.push(id),
    async [Symbol.asyncDispose]() {
      for (const each of [server, neighbour]) {
        each.closeAllConnections();
        await new Promise((done) => each.close(done));
      }
    },
  };
}

function rss(title: string, ids: readonly string[]): string {
  const items = ids.map(
    (id) =>
      `<item><guid>${id}</guid><title>Item ${id}</title><link>https://news.example/${id}</link><pubDate>${new Date().toUTCString()}</pubDate></item>`,
  );
  return `<rss version="2.0"><channel><title>${title}</title>${items.join('')}</channel></rss>`;
}

describe('feeds of the real web', () => {
  const opened = new AsyncDisposableStack();
  let world: World;
  let agent: Agent;
  before(async () => {
    const home = opened.use(await folder());
    world = opened.use(await startWorld());
    agent = opened.use(await startAgent({ home: home.path }));
  });
  after(() => opened.disposeAsync());

  const PATHS = ['good-1', 'hang', 'lies', 'endless', 'to-metadata', 'to-neighbour', 'broken', 'encoding'].map((name) => `/${name}.xml`);
  const definition = (name: string, paths: readonly string[], send: Record<string, unknown>) => ({
    name,
    resources: paths.map((path) => ({ name: path, type: 'rss_feed', url: world.url + path })),
    steps: [
      { id: 'fetch', skill: 'rss_fetch', config: { timeoutMs: 5_000 }, next: { on_empty: 'end' } },
      { id: 'send', skill: 'notify', config: send },
    ],
    output: 'fetch',
  });

  async function run(name: string, input?: string): Promise<RunDetail> {
    const { id } = await agent.client.call(startRun, { id: name, input });
    return eventually(
      () => agent.client.call(getRun, { id }),
      ({ status }) => isOver(status),
    );
  }
  const titles = ({ output }: RunDetail): string[] => (output as { title: string }[]).map(({ title }) => title).toSorted();

  it('a run succeeds with what is good; each feed that is not is one bounded failure with its reason', async () => {
    await agent.client.call(createWorkflow, { definition: definition('mixed', PATHS, { optional: true }) });
    const mixed = await run('mixed');
    assert.equal(mixed.status, 'succeeded', JSON.stringify(mixed.error));
    assert.deepEqual(titles(mixed), ['Cr\u00e8me br\u00fbl\u00e9e', 'Item first', 'Item second', 'Item third']);

    const failed = mixed.journal
      .filter(({ type }) => type === 'feed.failed')
      .map(({ data }) => data as { url: string; code: string; message: string });
    assert.deepEqual(Object.fromEntries(failed.map(({ url, code }) => [url.slice(world.url.length), code])), {
      '/hang.xml': 'fetch.timeout',
      '/lies.xml': 'fetch.broken',
      '/endless.xml': 'fetch.too_large',
      '/to-metadata.xml': 'fetch.blocked',
      '/to-neighbour.xml': 'fetch.blocked',
      '/broken.xml': 'feeds.not_a_feed',
    });
    assert.equal(failed.length, 6);
    const { items: shown } = await agent.client.call(listFeeds, {});
    assert.deepEqual(
      shown.filter(({ state }) => state === 'failing').map(({ url, lastError }) => [url, lastError]),
      failed.map(({ url, message }) => [url, message]).toSorted(([a = ''], [b = '']) => a.localeCompare(b)),
    );
    for (const { message } of failed) assert.ok(message.length < 300, message);
    assert.ok(world.sentEndless() < 20 * MB, `${world.sentEndless() / MB} MB were taken`);
    assert.deepEqual(
      world.seen.filter(({ path }) => path.startsWith('neighbour')),
      [],
    );
  });

  it('asks the second time whether anything changed, and tells nothing twice', async () => {
    await agent.client.call(createWorkflow, { definition: definition('again', ['/good-2.xml'], { optional: true }) });
    assert.equal(titles(await run('again')).length, 3);
    const again = await run('again');
    assert.deepEqual([again.status, again.steps[0]!.outcome, again.output], ['succeeded', 'on_empty', []]);
    const asked = await eventually(
      async () => world.seen.filter(({ path }) => path === '/good-2.xml'),
      ({ length }) => length === 2,
    );
    assert.deepEqual(asked, [
      { path: '/good-2.xml', status: 200, condition: undefined },
      { path: '/good-2.xml', status: 304, condition: '"3"' },
    ]);

    world.addItem('/good-2.xml', 'fourth');
    assert.deepEqual(titles(await run('again')), ['Item fourth']);
  });

  it('a run whose delivery failed has seen nothing: the next one hands the same items on', async () => {
    await agent.client.call(createWorkflow, { definition: definition('sent', ['/good-3.xml'], { channel: 'nowhere' }) });
    for (let i = 0; i < 2; i += 1) {
      const lost = await run('sent');
      assert.deepEqual(
        [lost.status, lost.steps.map(({ path, status }) => [path, status])],
        [
          'failed',
          [
            ['fetch', 'succeeded'],
            ['send', 'failed'],
          ],
        ],
      );
      assert.match(lost.error!.code, /^(channel|notify)\./);
      assert.equal((lost.steps[0]!.output as { title: string }[]).length, 3);
    }
    await agent.client.call(saveWorkflow, { id: 'sent', definition: definition('sent', ['/good-3.xml'], { optional: true }) });
    assert.deepEqual(titles(await run('sent')), ['Item first', 'Item second', 'Item third']);
    assert.deepEqual((await run('sent')).output, []);
  });

  it('an address that came as content may not be private, whoever serves it', async () => {
    await agent.client.call(createWorkflow, {
      definition: { name: 'reader', steps: [{ id: 'read', skill: 'web_fetch', config: { url: '{{ input }}' } }] },
    });
    for (const url of [
      `${world.url}/good-1.xml`,
      'http://169.254.169.254/latest/meta-data/',
      'http://localhost/',
      'http://[::1]/',
      'http://2130706433/',
      'http://0x7f.1/',
      'http://[::ffff:127.0.0.1]/',
      'http://10.0.0.1/',
    ]) {
      const { status, error } = await run('reader', url);
      assert.deepEqual([url, status, error?.code], [url, 'failed', 'fetch.blocked']);
    }
    for (const url of ['file:///etc/passwd', 'gopher://127.0.0.1/']) assert.equal((await run('reader', url)).status, 'failed');
  });
});
