import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { networkInterfaces } from 'node:os';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { manualClock } from '#core/clock';
import { endpoint, route } from '#core/endpoint';
import { createStrangerRate } from './rate.ts';
import { call, serve, SESSION, TOKEN } from './testing.ts';

const who = endpoint({
  method: 'POST',
  path: '/api/who',
  grant: 'public',
  summary: 'Says who asks.',
  input: z.strictObject({}),
  output: z.object({ address: z.string() }),
});
const routes = [route(who, async (_input, { connection }) => ({ address: connection!.address }))];

/** An address of this machine that is not loopback, as another machine has one. */
const OUTER = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
const NO_NETWORK = OUTER === undefined && 'this machine has no network';

describe('beyond loopback without TLS', () => {
  const serving = (trustedProxies: string[]) =>
    serve(routes, { config: { host: '0.0.0.0', port: 0, hostNames: ['castle.example'], trustedProxies } });
  const forwarded = {
    host: 'castle.example',
    origin: 'https://castle.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': '203.0.113.9',
  };
  const post = (url: string, headers: Record<string, string>) => call(`${url}/api/who`, { method: 'POST', headers });
  const at = (url: string): string => `http://${OUTER}:${new URL(url).port}`;

  it('who finds a way around the proxy gets nothing, forged headers or not', { skip: NO_NETWORK }, async () => {
    await using t = await serving(['192.0.2.1']);
    for (const headers of [forwarded, { ...forwarded, ...TOKEN }, { ...SESSION, ...forwarded }, {}]) {
      const { status, json } = await post(at(t.url), { host: OUTER!, ...headers });
      assert.deepEqual([status, json.error.code], [403, 'http.not_by_proxy']);
    }
    assert.equal((await call(`${at(t.url)}/health`)).status, 403);
  });

  it('the proxy is believed, if the browser came to it by https', { skip: NO_NETWORK }, async () => {
    await using t = await serving([OUTER!]);
    assert.deepEqual((await post(at(t.url), forwarded)).json, { address: '203.0.113.9' });
    for (const proto of ['http', '']) {
      const { status, json } = await post(at(t.url), { ...forwarded, origin: 'http://castle.example', 'x-forwarded-proto': proto });
      assert.deepEqual([proto, status, json.error.code], [proto, 403, 'http.plain_proxy']);
    }
    assert.equal((await call(`${at(t.url)}/health`, { headers: { host: OUTER! } })).status, 200); // its own probe
  });

  it('this machine needs no proxy', async () => {
    await using t = await serving(['192.0.2.1']);
    assert.equal((await post(`http://127.0.0.1:${new URL(t.url).port}`, {})).status, 200);
  });
});

describe('a stranger', () => {
  it('who asks too often waits, wherever they say they come from', () => {
    const clock = manualClock(1_000);
    const count = createStrangerRate(clock);
    const ask = (ip: string): void => count({ ip } as FastifyRequest);
    for (let n = 0; n < 2_000; n += 1) ask('192.0.2.1');
    assert.throws(() => ask('192.0.2.1'), { code: 'http.too_many_requests', details: { retryAfterSeconds: 1 } });
    ask('192.0.2.2');
    clock.set(1_100);
    for (let n = 0; n < 5; n += 1) ask('192.0.2.1');
    assert.throws(() => ask('192.0.2.1'), { code: 'http.too_many_requests' });
  });
});
