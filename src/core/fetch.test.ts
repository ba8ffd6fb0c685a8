import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { createReacher } from './fetch/addresses.ts';
import { createFetch, type FetchOptions, type FetchRequest } from './fetch.ts';

const PEM = readFileSync(new URL('fetch/fixtures/localhost.pem', import.meta.url), 'utf8');

/** A loopback server and a fetch to try on it; `hits` are the paths that reached the server. */
async function setup(handle: RequestListener, options: FetchOptions = {}, secure = false) {
  const hits: string[] = [];
  const sockets = new Set<Socket>();
  const listener: RequestListener = (request, response) => {
    hits.push(request.url ?? '');
    handle(request, response);
  };
  const server: Server = secure ? createTlsServer({ cert: PEM, key: PEM }, listener) : createServer(listener);
  server.on('connection', (socket: Socket) => void sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const net = createFetch(options);
  const limits = { signal: new AbortController().signal, timeoutMs: 5_000, maxBytes: 1_000_000 };
  return {
    port,
    hits,
    sockets,
    net,
    origin: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`,
    /** As the owner's own address. */
    get: (path: string, more: Partial<FetchRequest> = {}) =>
      net.fetch({ url: `${secure ? 'https' : 'http'}://127.0.0.1:${port}${path}`, allowPrivate: true, ...limits, ...more }),
    /** As an address that came from content. */
    wander: (url: string, more: Partial<FetchRequest> = {}) => net.fetch({ url, ...limits, ...more }),
    async [Symbol.asyncDispose]() {
      await net.close();
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const toLoopback: FetchOptions = { lookup: async () => [{ address: '127.0.0.1', family: 4 }] };

test('addresses from the list are refused or let through', async (t) => {
  const reach = createReacher();
  const net = createFetch({
    lookup: async (host) =>
      host.endsWith('example.com') ? [{ address: '93.184.215.14', family: 4 }] : [{ address: '169.254.169.254', family: 4 }],
    connectTimeoutMs: 1,
  });
  t.after(() => net.close());
  const cases = readFileSync(new URL('fetch/fixtures/addresses.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { url: string; expect: string; group: string });
  assert.ok(cases.length > 50);
  for (const { url, expect, group } of cases) {
    if (expect === 'allow' && /\d+\.\d+\.\d+\.\d+/.test(url)) {
      assert.equal(reach(new URL(url).hostname), 'public', url);
    } else if (expect === 'block') {
      const allowed = group === 'scheme' || url.includes('%0d') || url.includes('@') ? /^fetch\.(bad_url|blocked)$/ : /^fetch\.blocked$/;
      await assert.rejects(net.fetch({ url, signal: AbortSignal.timeout(2_000), timeoutMs: 1_000, maxBytes: 10 }), { code: allowed }, url);
    }
  }
});

test('every way to write a private IPv4 address inside IPv6 is refused', () => {
  const reach = createReacher();
  const octet = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(fc.constantFrom(10, 127), octet, octet, octet, (a, b, c, d) => {
      const high = (a * 256 + b).toString(16);
      const low = (c * 256 + d).toString(16);
      for (const ip of [
        `::ffff:${a}.${b}.${c}.${d}`,
        `::ffff:${high}:${low}`,
        `::${high}:${low}`,
        `64:ff9b::${high}:${low}`,
        `2002:${high}:${low}::1`,
        `64:ff9b:1::${high}:${low}`,
      ]) {
        assert.notEqual(reach(ip), 'public', ip);
      }
    }),
  );
  assert.equal(reach('2606:4700::1'), 'public');
  assert.equal(reach('168.63.129.16'), 'never');
});

test('a name that resolves to loopback is refused at connect time, for http and https', async () => {
  for (const secure of [false, true]) {
    await using it = await setup((_request, response) => response.end('inside'), { ...toLoopback, ca: PEM }, secure);
    await assert.rejects(it.wander(`${secure ? 'https' : 'http'}://feeds.example:${it.port}/`), { code: 'fetch.blocked' });
    assert.equal(it.sockets.size, 0);
  }
});

test('a name with one public and one private answer never reaches the private one', async () => {
  await using it = await setup((_request, response) => response.end('inside'), {
    lookup: async () => [
      { address: '127.0.0.1', family: 4 },
      { address: '192.0.2.1', family: 4 },
    ],
  });
  await assert.rejects(it.wander(`http://feeds.example:${it.port}/`), { code: 'fetch.blocked' });
  assert.equal(it.sockets.size, 0);
});

test('a connection of the owner is not lent to a request that may not go there', async () => {
  await using it = await setup((_request, response) => response.end('ok'), { ...toLoopback });
  await it.wander(`http://feeds.example:${it.port}/`, { allowPrivate: true });
  await assert.rejects(it.wander(`http://feeds.example:${it.port}/`), { code: 'fetch.blocked' });
  assert.equal(it.hits.length, 1);
});

test('metadata services are refused to the owner too', async () => {
  await using it = await setup((_request, response) => response.end());
  await assert.rejects(it.wander('http://169.254.169.254/', { allowPrivate: true }), { code: 'fetch.blocked' });
});

test('a redirect from an owner address to another private one is refused, one on the same host is followed', async () => {
  await using other = await setup((_request, response) => response.end('inside'));
  await using it = await setup((request, response) => {
    if (request.url === '/away') response.writeHead(302, { location: `${other.origin}/` }).end();
    else if (request.url === '/here') response.writeHead(302, { location: '/there' }).end();
    else response.end('arrived');
  });
  await assert.rejects(it.get('/away'), { code: 'fetch.blocked' });
  assert.deepEqual(other.hits, []);
  const answer = await it.get('/here');
  assert.equal(text(answer.body), 'arrived');
  assert.equal(answer.url, `${it.origin}/there`);
});

test('redirects end, and lead to http(s) only', async () => {
  await using it = await setup((request, response) => {
    response.writeHead(302, { location: request.url === '/file' ? 'file:///etc/passwd' : '/again' }).end();
  });
  await assert.rejects(it.get('/', { maxRedirects: 3 }), { code: 'fetch.too_many_redirects' });
  assert.equal(it.hits.length, 4);
  await assert.rejects(it.get('/file'), { code: 'fetch.bad_url' });
});

test('credentials stay with their origin and a posted body becomes a GET', async () => {
  const seen: unknown[] = [];
  await using it = await setup(
    (request, response) => {
      seen.push([
        request.method,
        request.headers.host,
        request.headers.authorization,
        request.headers['x-api-key'],
        request.headers['content-type'],
        request.headers.accept,
      ]);
      if (request.url === '/cross') response.writeHead(302, { location: `http://b.example:${it.port}/end` }).end();
      else if (request.url === '/near') response.writeHead(303, { location: '/end' }).end();
      else if (request.url === '/body') response.writeHead(307, { location: `http://b.example:${it.port}/end` }).end();
      else response.end();
    },
    { lookup: async () => [{ address: '127.0.0.1', family: 4 }] },
  );
  const headers = { Authorization: 'Bearer x', 'X-Api-Key': 'k', 'content-type': 'text/plain' };
  await it.get('/near', { method: 'POST', body: 'hello', headers, accept: 'a/b' });
  await assert.rejects(it.get('/cross', { headers }), { code: 'fetch.blocked' });
  await assert.rejects(it.get('/body', { headers, method: 'POST', body: 'hello' }), { code: 'fetch.blocked' });
  const host = `127.0.0.1:${it.port}`;
  assert.deepEqual(seen.slice(0, 2), [
    ['POST', host, 'Bearer x', 'k', 'text/plain', 'a/b'],
    ['GET', host, 'Bearer x', 'k', undefined, 'a/b'],
  ]);
});

test('every compression is undone, stacked and mislabelled ones too', async () => {
  const words = Buffer.from('to be or not to be '.repeat(50));
  const kinds: Record<string, [string, Buffer]> = {
    '/gzip': ['gzip', gzipSync(words)],
    '/br': ['br', brotliCompressSync(words)],
    '/zstd': ['zstd', zstdCompressSync(words)],
    '/deflate': ['deflate', deflateSync(words)],
    '/raw': ['deflate', deflateRawSync(words)],
    '/both': ['gzip, br', brotliCompressSync(gzipSync(words))],
    '/plain': ['identity', words],
  };
  await using it = await setup((request, response) => {
    const [encoding, body] = kinds[request.url!]!;
    response.writeHead(200, { 'content-encoding': encoding }).end(body);
  });
  for (const path of Object.keys(kinds)) assert.equal(text((await it.get(path)).body), words.toString(), path);
});

test('an unknown compression, a cut one and too many of them are broken answers', async () => {
  await using it = await setup((request, response) => {
    if (request.url === '/unknown') response.writeHead(200, { 'content-encoding': 'magic' }).end('x');
    else if (request.url === '/cut')
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(9_000, 'abc')).subarray(0, 20));
    else response.writeHead(200, { 'content-encoding': 'gzip, gzip, gzip' }).end('x');
  });
  for (const path of ['/unknown', '/cut', '/many']) await assert.rejects(it.get(path), { code: 'fetch.broken' }, path);
});

test('the limit counts what comes out of the decompressor', async () => {
  const bomb = gzipSync(Buffer.alloc(200_000_000));
  await using it = await setup((_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
  await assert.rejects(it.get('/'), { code: 'fetch.too_large' });
});

test('a body that says it is too large, or just never stops, is cut off', async () => {
  await using it = await setup((request, response) => {
    if (request.url === '/said') return void response.writeHead(200, { 'content-length': 200_000_000 }).write('x');
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', more);
    more();
  });
  await assert.rejects(it.get('/said'), { code: 'fetch.too_large' });
  await assert.rejects(it.get('/endless'), { code: 'fetch.too_large' });
});

test('a body that is shorter than it said is a broken answer', async () => {
  await using it = await setup((_request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('short', () => response.destroy());
  });
  await assert.rejects(it.get('/'), { code: 'fetch.broken' });
});

test('a server that hangs before or inside its answer costs one timeout', async () => {
  await using it = await setup((request, response) => {
    if (request.url === '/inside') response.write('some');
    if (request.url === '/drip') {
      const drip = setInterval(() => response.write('x'), 5);
      response.on('close', () => clearInterval(drip));
    }
  });
  await assert.rejects(it.get('/before', { timeoutMs: 60 }), { code: 'fetch.timeout' });
  await assert.rejects(it.get('/inside', { idleTimeoutMs: 60 }), { code: 'fetch.timeout' });
  await assert.rejects(it.get('/drip', { timeoutMs: 80, idleTimeoutMs: 60 }), { code: 'fetch.timeout' });
});

test('the caller may give up, with a reason of its own', async () => {
  await using it = await setup(() => {});
  const stop = new AbortController();
  const pending = it.get('/', { signal: stop.signal });
  const reason = new Error('not needed any more');
  stop.abort(reason);
  await assert.rejects(pending, reason);
});

test('https works through the guard, checks the certificate and keeps its connection', async () => {
  await using it = await setup((_request, response) => response.end('safe'), { ca: PEM }, true);
  assert.equal(text((await it.get('/')).body), 'safe');
  for (const path of ['/2', '/3', '/4']) await it.get(path);
  assert.ok(it.sockets.size < 4);
  await using stranger = await setup((_request, response) => response.end('?'), {}, true);
  await assert.rejects(stranger.get('/'), { code: 'fetch.tls' });
});

test('names that do not resolve and ports that do not answer are told apart', async () => {
  const lookup = async (): Promise<never> => {
    throw Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
  };
  await using it = await setup(() => {}, { lookup });
  await assert.rejects(it.wander('http://nowhere.example/'), { code: 'fetch.dns' });
  const closed = createTcpServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  await assert.rejects(it.wander(`http://127.0.0.1:${port}/`, { allowPrivate: true }), { code: 'fetch.refused' });
});

test('an answer that is not HTTP is broken, and no secret of the address is in the error', async () => {
  const server = createTcpServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH\r\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using it = await setup(() => {});
  await using _ = { [Symbol.asyncDispose]: async () => void server.close() };
  const { port } = server.address() as AddressInfo;
  await assert.rejects(
    it.wander(`http://127.0.0.1:${port}/bot123/secret?key=hidden`, { allowPrivate: true }),
    (error: Error & { code: string; details: unknown }) => {
      assert.equal(error.code, 'fetch.broken');
      assert.ok(!JSON.stringify([error.message, error.details]).match(/bot123|hidden/));
      return true;
    },
  );
});

test('a 304 is an answer that says so, and status and headers come through', async () => {
  await using it = await setup((request, response) => {
    response
      .writeHead(request.headers['if-none-match'] === '"v1"' ? 304 : 404, {
        etag: '"v1"',
        'content-type': 'text/x',
        'set-cookie': ['a=1', 'b=2'],
      })
      .end();
  });
  const same = await it.get('/', { headers: { 'if-none-match': '"v1"' } });
  assert.deepEqual([same.status, same.notModified, same.headers.get('ETag'), same.body.length], [304, true, '"v1"', 0]);
  const missing = await it.get('/');
  assert.deepEqual(
    [missing.status, missing.notModified, missing.contentType, missing.headers.getSetCookie()],
    [404, false, 'text/x', ['a=1', 'b=2']],
  );
});

test('a stream gives its chunks as they come and can be left early', async () => {
  await using it = await setup((_request, response) => {
    response.write('one');
  });
  const answer = await it.net.stream({
    url: `${it.origin}/`,
    allowPrivate: true,
    signal: new AbortController().signal,
    timeoutMs: 5_000,
    maxBytes: 100,
  });
  for await (const chunk of answer.body) {
    assert.equal(text(chunk), 'one');
    break;
  }
  const unread = await it.net.stream({
    url: `${it.origin}/`,
    allowPrivate: true,
    signal: new AbortController().signal,
    timeoutMs: 5_000,
    maxBytes: 100,
  });
  unread.close();
});

test('after close nothing is sent', async () => {
  await using it = await setup((_request, response) => response.end());
  await it.net.close();
  await assert.rejects(it.get('/'), { code: 'fetch.closed' });
});
