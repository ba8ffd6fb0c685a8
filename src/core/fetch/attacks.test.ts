import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { createFetch, type FetchOptions, type FetchRequest } from '../fetch.ts';
import { createReacher, type Reacher } from './addresses.ts';

const LIMITS = { signal: new AbortController().signal, timeoutMs: 5_000, maxBytes: 100_000 };

interface Case {
  readonly url: string;
  readonly expect: 'block' | 'allow' | 'policy';
}

const CASES = readFileSync(new URL('fixtures/addresses.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

async function listening(server: Server, port = 0, host = '127.0.0.1') {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => void sockets.add(socket));
  server.listen(port, host);
  await once(server, 'listening');
  return {
    sockets,
    port: (server.address() as AddressInfo).port,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** A server and a fetch that may go there, as to an address of the owner's. */
async function setup(handle: RequestListener | Server, options: FetchOptions = {}) {
  const server = await listening(typeof handle === 'function' ? createServer(handle) : handle);
  const net = createFetch(options);
  return {
    net,
    get: (path: string, more: Partial<FetchRequest> = {}) =>
      net.fetch({ ...LIMITS, url: `http://127.0.0.1:${server.port}${path}`, allowPrivate: true, ...more }),
    async [Symbol.asyncDispose]() {
      await net.close();
      server[Symbol.dispose]();
    },
  };
}

/** The real judge of addresses; what it would let out to the internet is written down and goes nowhere. */
function wouldDial(): { readonly dialled: string[]; readonly reach: Reacher } {
  const dialled: string[] = [];
  const real = createReacher();
  return {
    dialled,
    reach(ip) {
      const how = real(ip);
      if (how === 'public') dialled.push(ip);
      return how === 'public' ? 'never' : how;
    },
  };
}

test('every address of the list comes to the same by http and by https, given at once or by a redirect', async () => {
  const asked: string[] = [];
  const { dialled, reach } = wouldDial();
  let location = '';
  await using it = await setup(
    (_request, response) => void response.writeHead(302, { location: Buffer.from(location).toString('latin1') }).end(),
    {
      reach,
      lookup: async (host) => (
        asked.push(host),
        [{ address: host.endsWith('example.com') ? '93.184.215.14' : '169.254.169.254', family: 4 }]
      ),
    },
  );
  const secure = CASES.filter(({ url }) => url.startsWith('http:')).map((each) => ({ ...each, url: each.url.replace('http:', 'https:') }));
  assert.ok(CASES.length + secure.length > 90);
  for (const { url, expect } of [...CASES, ...secure]) {
    const how = { direct: () => it.net.fetch({ ...LIMITS, url }), redirected: () => ((location = url), it.get('/')) };
    for (const [name, attempt] of Object.entries(how)) {
      if (name === 'redirected' && /[\t\n]|^http:\/?[^/]/.test(url)) continue; // no header can hold it, or it is relative there
      dialled.length = 0;
      await assert.rejects(attempt(), { code: expect === 'policy' ? 'fetch.bad_url' : /^fetch\.(blocked|bad_url)$/ }, `${name} ${url}`);
      assert.equal(dialled.length, expect === 'allow' ? 1 : 0, `${name} ${url}`);
    }
  }
  assert.deepEqual(
    asked.filter((host) => !host.endsWith('example.com')),
    [],
  ); // names of this network are not even asked for
});

/** A name server that answers each question with the next of these addresses. */
async function nameServer(addresses: readonly string[]) {
  const socket = createSocket('udp4');
  let questions = 0;
  socket.on('message', (question, { port, address }) => {
    const next = addresses[Math.min(questions, addresses.length - 1)]!;
    questions += 1;
    const answer = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...next.split('.').map(Number)]);
    const end = question.indexOf(0, 12) + 5;
    const head = Buffer.concat([question.subarray(0, 2), Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]), question.subarray(12, end)]);
    socket.send(Buffer.concat([head, answer]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    questions: () => questions,
    lookup: async (host: string) => (await resolver.resolve4(host)).map((address) => ({ address, family: 4 })),
    [Symbol.dispose]: () => void socket.close(),
  };
}

test(
  'a name that changes its answer is dialled where it was checked, and nowhere else',
  { skip: process.platform !== 'linux' && 'needs 127.0.0.2' },
  async () => {
    const isPublic = createReacher();
    using dns = await nameServer(['127.0.0.2', '127.0.0.1', '127.0.0.2', '169.254.169.254', '127.0.0.1']);
    using outside = await listening(
      createServer((_request, response) => void response.setHeader('connection', 'close').end('outside')),
      0,
      '127.0.0.2',
    );
    using inside = await listening(
      createServer((_request, response) => void response.end('inside')),
      outside.port,
    );
    await using net = createFetch({ lookup: dns.lookup, reach: (ip) => (ip === '127.0.0.2' ? 'public' : isPublic(ip)) });
    const get = () => net.fetch({ ...LIMITS, url: `http://rebound.example:${outside.port}/` });
    const outcomes: string[] = [];
    for (let n = 0; n < 5; n += 1)
      outcomes.push(
        await get().then(
          ({ body }) => Buffer.from(body).toString(),
          ({ code }: { code: string }) => code,
        ),
      );
    assert.deepEqual(outcomes, ['outside', 'fetch.blocked', 'outside', 'fetch.blocked', 'fetch.blocked']);
    assert.deepEqual([inside.sockets.size, outside.sockets.size, dns.questions()], [0, 2, 5]);
  },
);

test('content speaks to no port of another protocol; the owner may', async () => {
  const { dialled, reach } = wouldDial();
  await using net = createFetch({ lookup: async () => [{ address: '93.184.215.14', family: 4 }], reach });
  for (const [port, allowPrivate, reached] of [
    [22, false, 0],
    [6379, false, 0],
    [11211, false, 0],
    [8443, false, 1],
    [6379, true, 1],
  ] as const) {
    dialled.length = 0;
    await assert.rejects(net.fetch({ ...LIMITS, url: `http://example.com:${port}/`, allowPrivate }), { code: 'fetch.blocked' });
    assert.equal(dialled.length, reached, `${port} ${allowPrivate}`);
  }
});

test('a bomb of any compression, in any layer, ends at the limit', async () => {
  const zeros = Buffer.alloc(64 * 2 ** 20);
  const bombs: Record<string, [string, Buffer]> = {
    '/gzip': ['gzip', gzipSync(zeros)],
    '/br': ['br', brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })],
    '/zstd': ['zstd', zstdCompressSync(zeros)],
    '/deflate': ['deflate', deflateSync(zeros)],
    '/raw': ['deflate', deflateRawSync(zeros)],
    '/gzip-gzip': ['gzip, gzip', gzipSync(gzipSync(zeros))],
    '/br-zstd': ['br, zstd', zstdCompressSync(brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }))],
    '/members': ['gzip', Buffer.concat(Array.from({ length: 100 }, () => gzipSync(zeros.subarray(0, 2 ** 20))))],
  };
  await using it = await setup((request, response) => {
    const [encoding, body] = bombs[request.url!]!;
    response.writeHead(200, { 'content-encoding': encoding }).end(body);
  });
  for (const path of Object.keys(bombs)) await assert.rejects(it.get(path), { code: 'fetch.too_large' }, path);
});

test('a compression that comes to nothing for ever, or wants a window of 128 MiB, is not waited for', async () => {
  const nothing = Buffer.concat(Array.from({ length: 4_000 }, () => Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff]))); // empty stored blocks
  const wide = zstdCompressSync(Buffer.alloc(1_000), {
    params: { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_contentSizeFlag]: 0 },
  });
  const wideFrame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, ...wide.subarray(6)]);
  await using it = await setup((request, response) => {
    if (request.url === '/wide') return void response.writeHead(200, { 'content-encoding': 'zstd' }).end(wideFrame);
    response.writeHead(200, { 'content-encoding': 'gzip' });
    response.write(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]));
    const more = (): void => {
      while (!response.destroyed && response.write(nothing));
    };
    response.on('drain', more);
    more();
  });
  await assert.rejects(it.get('/nothing'), { code: 'fetch.too_large' });
  await assert.rejects(it.get('/wide'), { code: 'fetch.broken' });
});

test('a bomb of headers, a flood of interim answers and broken framing end the exchange', async () => {
  const flood = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(1_000);
  const answers: Record<string, (socket: Socket) => void> = {
    '/one': (socket) => void socket.write(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(1_000_000)}\r\n\r\n`),
    '/many': (socket) => void socket.write(`HTTP/1.1 200 OK\r\n${'X: a\r\n'.repeat(100_000)}\r\n`),
    '/endless': (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const more = (): void => {
        while (!socket.destroyed && socket.write('X-Again: and again\r\n'));
      };
      socket.on('drain', more);
      more();
    },
    '/interim': (socket) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write(flood));
      };
      socket.on('drain', more);
      more();
    },
    '/length': (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'),
    '/both': (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    '/chunk': (socket) => void socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n'),
    '/extension': (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;');
      const more = (): void => {
        while (!socket.destroyed && socket.write('a'.repeat(65_536)));
      };
      socket.on('drain', more);
      more();
    },
  };
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => answers[/^GET (\S+)/.exec(data.toString())![1]!]!(socket));
  });
  await using it = await setup(server);
  for (const path of Object.keys(answers))
    await assert.rejects(it.get(path, { timeoutMs: 500 }), { code: /^fetch\.(broken|timeout|too_large)$/ }, path);
});
