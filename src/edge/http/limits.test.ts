import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBus } from '#core/bus';
import { manualClock } from '#core/clock';
import { buildApp } from './app.ts';

test('a sender who dribbles cannot hold a connection for long', async () => {
  const app = await buildApp(
    {
      config: { host: '127.0.0.1', port: 0 },
      routes: [],
      auth: { session: async () => null, bearer: async () => null },
      decide: () => ({ effect: 'deny', reason: '' }),
      verifyFactor: async () => {},
      health: () => ({ ok: true }),
      ready: () => true,
      version: '0',
      staticDir: '/nonexistent',
      bus: createBus(() => {}),
      clock: manualClock(0),
      log: { warn: () => {}, error: () => {} },
      audit: { record: async () => {} },
    },
    { closing: new AbortController().signal, tls: null, clients: null, onDenial: () => {} },
  );
  const { headersTimeout, requestTimeout, keepAliveTimeout } = app.server;
  assert.deepEqual([headersTimeout, requestTimeout, keepAliveTimeout <= 120_000], [10_000, 30_000, true]);
  await app.close();
});
