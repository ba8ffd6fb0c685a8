import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createIngress, type IngressAnswer, type IngressHandler, type IngressRequest } from './ingress.ts';
import { call } from './testing.ts';

async function setup(handle: (request: IngressRequest) => Promise<IngressAnswer | null>, more: Partial<IngressHandler> = {}) {
  const seen: IngressRequest[] = [];
  const logged: unknown[] = [];
  const hooks: IngressHandler = {
    prefix: 'hooks',
    methods: ['POST'],
    maxBodyBytes: 1_000,
    handle: async (request) => (seen.push(request), handle(request)),
    ...more,
  };
  const ingress = createIngress({
    config: { host: '127.0.0.1', port: 0 },
    handlers: [hooks],
    log: { warn: () => {}, error: (_message, fields) => void logged.push(fields?.['error']) },
  });
  const running = await ingress.start({ signal: new AbortController().signal, exit: () => {} });
  const { url, port } = ingress.address()!;
  return { url, port, seen, logged, ingress, stop: running.stop, [Symbol.asyncDispose]: running.stop };
}

const accept = async (): Promise<IngressAnswer> => ({ status: 202, body: 'ok' });
const post = (url: string, body: string | Buffer = 'x', headers: Record<string, string> = {}) =>
  call(url, { method: 'POST', body, headers });

describe('the public side', () => {
  it('hands over a callback byte for byte', async () => {
    await using t = await setup(accept);
    const body = Buffer.from([0, 255, 10, 13, 128]);
    const { status, text } = await post(`${t.url}/hooks/abc-1_Z?a=%2F&b`, body, { 'x-signature': 's' });
    assert.deepEqual([status, text], [202, 'ok']);
    const [request] = t.seen;
    assert.deepEqual(
      [request?.id, request?.method, request?.target, request?.headers['x-signature'], request?.address],
      ['abc-1_Z', 'POST', '/hooks/abc-1_Z?a=%2F&b', 's', '127.0.0.1'],
    );
    assert.deepEqual(request?.body, body);
  });

  it('has the same empty 404 for everything else', async () => {
    await using t = await setup(async () => null);
    const answers = [];
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/health'],
      ['GET', '/api/openapi.json'],
      ['GET', '/metrics'],
      ['POST', '/api/login'],
      ['GET', '/hooks'],
      ['POST', '/hooks/'],
      ['POST', '/hooks/a/b'],
      ['POST', '/hooks/..%2f'],
      ['POST', `/hooks/${'a'.repeat(129)}`],
      ['POST', '/hooksx/a'],
      ['POST', '/channels/a'],
      ['GET', '/channels/a'],
      ['POST', '/hooks/unknown'],
      ['OPTIONS', '/x'],
    ] as const) {
      const { status, text, headers } = await call(t.url + path, { method });
      delete headers['date'];
      answers.push(JSON.stringify([status, text, headers]));
    }
    assert.equal(new Set(answers).size, 1);
    assert.match(answers[0]!, /^\[404,"",/);
    assert.doesNotMatch(answers[0]!, /server|powered|castellan|version/i);
  });

  it('believes a forwarded address of its proxy only, and of that only what it saw itself', async () => {
    const addresses: string[] = [];
    const handlers: IngressHandler[] = [
      { prefix: 'hooks', methods: ['POST'], maxBodyBytes: 10, handle: async ({ address }) => (addresses.push(address), { status: 202 }) },
    ];
    for (const trustedProxies of [[], ['loopback', '10.0.0.0/8']]) {
      const ingress = createIngress({
        config: { host: '127.0.0.1', port: 0, trustedProxies },
        handlers,
        log: { warn: () => {}, error: () => {} },
      });
      const { stop } = await ingress.start({ signal: new AbortController().signal, exit: () => {} });
      for (const forwarded of ['192.0.2.66, 203.0.113.9, 10.1.1.1', '', '10.0.0.1'])
        await post(`${ingress.address()!.url}/hooks/a`, 'x', forwarded ? { 'x-forwarded-for': forwarded } : {});
      await stop();
    }
    assert.deepEqual(addresses, ['127.0.0.1', '127.0.0.1', '127.0.0.1', '203.0.113.9', '127.0.0.1', '127.0.0.1']);
  });

  it('tells no two absences apart, whatever is sent to it: fuzzed', async () => {
    await using t = await setup(async () => null);
    const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
    const known = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'QUERY');
    const path = fc.oneof(
      fc.webPath().map((text) => text || '/'),
      fc.constantFrom(
        '/',
        '*',
        '//',
        '/.',
        '/..',
        '/api/runs',
        '/health',
        '/hooks',
        '/hooks/',
        '/hooks/a/../b',
        '/channels/%00',
        '/hooks/a%0d%0aX:y',
        'http://x/health',
        '/hooks/a?b',
      ),
    );
    const header = fc.tuple(
      fc.oneof(
        token,
        fc.constantFrom(
          'Host',
          'Authorization',
          'Cookie',
          'Origin',
          'Upgrade',
          'Expect',
          'Connection',
          'X-HTTP-Method-Override',
          'Transfer-Encoding',
          'Content-Length',
        ),
      ),
      fc.oneof(fc.stringMatching(/^[ -~]{0,30}$/), fc.constantFrom('100-continue', 'upgrade', 'websocket', 'chunked', '5', 'h2c')),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(token, known),
        path,
        fc.array(header, { maxLength: 5 }),
        fc.string({ maxLength: 40 }),
        async (method, target, headers, body) => {
          const socket = connect(t.port, '127.0.0.1');
          socket.end(
            `${method} ${target} HTTP/1.1\r\n${body.length % 2 ? '' : 'Host: x\r\n'}${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
          );
          const said = (await socket.toArray().catch(() => [])).join('');
          const plain = said.replaceAll(/\r\nDate: [^\r]+/g, '').replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
          const absence =
            /^(HTTP\/1\.1 404 Not Found\r\ncontent-length: 0\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\nConnection: (close|keep-alive)\r\n(Keep-Alive: timeout=5\r\n)?\r\n)*$/;
          assert.ok(absence.test(plain), JSON.stringify(plain));
        },
      ),
      { numRuns: 100 },
    );
    assert.deepEqual(t.logged, []);
  });

  it('is not talked into a second request inside the first', async () => {
    await using t = await setup(accept);
    const inner = 'POST /hooks/inner HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';
    const heads = [
      `Content-Length: ${inner.length + 5}\r\nTransfer-Encoding: chunked`,
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
      'Transfer-Encoding: xchunked',
      'Transfer-Encoding : chunked',
      'Transfer-Encoding:\x0bchunked',
      'Content-Length: 0\r\nContent-Length: 5',
      'Content-Length: +0',
      'Content-Length: 0x0',
      ' Content-Length: 0',
      'X: y\nContent-Length: 0',
    ];
    for (const head of heads) {
      const socket = connect(t.port, '127.0.0.1');
      socket.end(`POST /hooks/outer HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n0\r\n\r\n${inner}`);
      assert.equal((await socket.toArray().catch(() => [])).join(''), '', head);
    }
    assert.deepEqual(t.seen, []);
  });

  it('takes the methods and the size its handler takes', async () => {
    await using t = await setup(accept);
    const wrong = await call(`${t.url}/hooks/a`);
    assert.deepEqual([wrong.status, wrong.text, wrong.headers.allow], [404, '', undefined]);
    assert.equal((await post(`${t.url}/hooks/a`, 'x'.repeat(1_000))).status, 202);
    assert.equal((await post(`${t.url}/hooks/a`, 'x'.repeat(1_001))).status, 413);
    assert.equal((await post(`${t.url}/hooks/a`, 'x'.repeat(3_000_000), { 'transfer-encoding': 'chunked' })).status, 413);
    assert.equal(t.seen.length, 1);
  });

  it('answers a bug with 500 and nothing, and logs it', async () => {
    await using t = await setup(async () => Promise.reject(new Error('hunter2')));
    const { status, text } = await post(`${t.url}/hooks/a`);
    assert.deepEqual([status, text, (t.logged[0] as Error).message], [500, '', 'hunter2']);
  });

  it('passes on what its handler answers, headers too', async () => {
    await using t = await setup(async () => ({ status: 429, headers: { 'retry-after': '7' } }));
    const { status, headers } = await post(`${t.url}/hooks/a`);
    assert.deepEqual([status, headers['retry-after']], [429, '7']);
  });

  it('says nothing to what is no HTTP', async () => {
    await using t = await setup(accept);
    const socket = connect(t.port, '127.0.0.1');
    socket.end('hello\r\n\r\n');
    assert.equal((await socket.toArray()).join(''), '');
  });

  it('tells its handler when the sender has gone', async () => {
    const started = Promise.withResolvers<AbortSignal>();
    await using t = await setup(async ({ signal }) => {
      started.resolve(signal);
      await once(signal, 'abort');
      return null;
    });
    const socket = connect(t.port, '127.0.0.1');
    socket.write('POST /hooks/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    const signal = await started.promise;
    socket.destroy();
    if (!signal.aborted) await once(signal, 'abort');
  });

  it('lets a callback under way end before it closes', async () => {
    const started = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    await using t = await setup(async () => {
      started.resolve();
      await finish.promise;
      return { status: 202 };
    });
    const answer = post(`${t.url}/hooks/a`);
    await started.promise;
    const stopped = t.stop();
    finish.resolve();
    assert.equal((await answer).status, 202);
    await stopped;
    assert.equal(t.ingress.address(), null);
  });
});
