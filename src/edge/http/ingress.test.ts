import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
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

  it('takes the methods and the size its handler takes', async () => {
    await using t = await setup(accept);
    const wrong = await call(`${t.url}/hooks/a`);
    assert.deepEqual([wrong.status, wrong.text, wrong.headers.allow], [405, '', 'POST']);
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
