import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { createClient, type FactorNeed } from '#core/client';
import { assertFactor, endpoint, route, streamRoute } from '#core/endpoint';
import { AppError } from '#core/errors';
import type { FactorRequest } from '#owner';
import { rulesOnly, testRule } from '#policy/testing';
import { call, CSRF, serve, SESSION, TOKEN, type TestServer } from './testing.ts';

const read = endpoint({
  method: 'GET',
  path: '/api/things',
  grant: 'things:read',
  summary: 'Reads.',
  input: z.strictObject({}),
  output: z.object({}),
});
const change = endpoint({
  method: 'POST',
  path: '/api/things',
  grant: 'things:write',
  summary: 'Changes.',
  input: z.strictObject({}),
  output: z.object({}),
});
const remove = endpoint({
  method: 'DELETE',
  path: '/api/things',
  grant: 'things:write',
  summary: 'Removes.',
  input: z.strictObject({}),
  output: z.object({}),
});
const watch = endpoint({
  method: 'GET',
  path: '/api/watch',
  grant: 'things:read',
  summary: 'Streams.',
  input: z.strictObject({}),
  output: z.string(),
  stream: true,
});
const login = endpoint({
  method: 'POST',
  path: '/api/login',
  grant: 'public',
  summary: 'Logs in.',
  input: z.strictObject({}),
  output: z.object({ as: z.string() }),
});

async function setup(more: Parameters<typeof serve>[1] = {}) {
  const reached: string[] = [];
  const t = await serve(
    [
      route(read, async () => (reached.push('read'), {})),
      route(change, async () => (reached.push('change'), {})),
      route(remove, async () => (reached.push('remove'), {})),
      route(login, async (_input, { caller }) => (reached.push('login'), { as: caller.id })),
      streamRoute(watch, async function* () {
        reached.push('watch');
        yield { data: 'x' };
      }),
    ],
    more,
  );
  return { ...t, reached, host: new URL(t.url).host, [Symbol.asyncDispose]: t.stop };
}

const codeOf = (json: { error?: { code: string } } | undefined): string | undefined => json?.error?.code;

describe('a page of another origin', () => {
  const hostile = [
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another port of this machine', { origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'same-site' }],
    ['a sandboxed frame or a file', { origin: 'null' }],
    ['a site whose name begins like ours', { origin: 'http://127.0.0.1.evil.example' }],
    ['a browser that hides the origin', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  ] as const;
  const doors = [
    ['GET', '/api/things'],
    ['POST', '/api/things'],
    ['DELETE', '/api/things'],
    ['GET', '/api/watch'],
    ['GET', '/api/events'],
    ['POST', '/api/login'],
    ['GET', '/health'],
    ['GET', '/'],
    ['OPTIONS', '/api/things'],
  ] as const;
  for (const [what, headers] of hostile) {
    it(`gets nowhere: ${what}`, async () => {
      await using t = await setup();
      for (const [method, path] of doors) {
        const { status, json, headers: answered } = await call(t.url + path, { method, headers: { ...SESSION, ...CSRF, ...headers } });
        assert.deepEqual([method, path, status, codeOf(json)], [method, path, 403, 'http.foreign_origin']);
        assert.equal(answered['access-control-allow-origin'], undefined);
      }
      assert.deepEqual(t.reached, []);
    });
  }

  it('is recorded, but cannot fill the record', async () => {
    await using t = await setup();
    const knock = () => call(`${t.url}/api/things`, { method: 'POST', headers: { origin: 'https://evil.example' } });
    for (let n = 0; n < 5; n += 1) await knock();
    assert.equal(t.denied.length, 1);
    assert.deepEqual(t.denied[0], {
      actor: 'anonymous',
      action: 'http.refused',
      resource: 'POST /api/things',
      decision: 'deny',
      details: { code: 'http.foreign_origin', origin: 'https://evil.example' },
    });
    t.clock.set(t.clock.now() + 60_000);
    await knock();
    assert.deepEqual(t.denied[1]?.details['alsoSince'], 4);
  });

  it('may link here', async () => {
    await using t = await setup();
    const { status } = await call(t.url, {
      headers: { accept: 'text/html', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
    });
    assert.equal(status, 200);
  });
});

describe('a name that was rebound to this machine', () => {
  for (const host of ['evil.example', 'evil.example:4848', '127.0.0.1.evil.example', 'localhost.evil.example', '192.168.0.7', '[::2]']) {
    it(`gets nowhere: Host: ${host}`, async () => {
      await using t = await setup();
      for (const path of ['/api/things', '/health', '/', '/api/events']) {
        const { status, json } = await call(t.url + path, { headers: { ...TOKEN, host, accept: 'text/html' } });
        assert.deepEqual([path, status, codeOf(json)], [path, 403, 'http.unknown_host']);
      }
      assert.deepEqual(t.reached, []);
    });
  }

  it('does not come in by a forged X-Forwarded-Host', async () => {
    await using t = await setup();
    const { status } = await call(`${t.url}/health`, { headers: { host: 'evil.example', 'x-forwarded-host': 'localhost' } });
    assert.equal(status, 403);
  });

  it('is not confused with the names of this server', async () => {
    await using t = await setup({ config: { host: '127.0.0.1', port: 0, hostNames: ['castle.example'] } });
    const { port } = new URL(t.url);
    for (const host of [`localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`, `127.0.0.1:${port}`, 'castle.example']) {
      assert.equal((await call(`${t.url}/health`, { headers: { host } })).status, 200, host);
    }
  });

  it('is told from a bare address where the server listens beyond loopback', async () => {
    await using t = await setup({ config: { host: '0.0.0.0', port: 0 } });
    const url = `http://127.0.0.1:${new URL(t.url).port}`;
    assert.equal((await call(`${url}/health`, { headers: { host: '192.168.0.7' } })).status, 200);
    assert.equal((await call(`${url}/health`, { headers: { host: 'evil.example' } })).status, 403);
  });
});

describe('a session', () => {
  const post = (t: TestServer, headers: Record<string, string>, method = 'POST') =>
    call(`${t.url}/api/things`, { method, headers: { ...SESSION, ...headers } });

  it('changes nothing without the token of its page', async () => {
    await using t = await setup();
    const origin = { origin: t.url };
    for (const method of ['POST', 'DELETE']) {
      assert.equal(codeOf((await post(t, origin, method)).json), 'http.csrf');
      assert.equal(codeOf((await post(t, { ...origin, 'x-csrf-token': 'csrf-of-another' }, method)).json), 'http.csrf');
      assert.equal(codeOf((await post(t, { ...origin, 'x-csrf-token': '' }, method)).json), 'http.csrf');
      assert.equal((await post(t, { ...origin, ...CSRF }, method)).status, 200);
    }
    assert.deepEqual(t.reached, ['change', 'remove']);
  });

  it('reads without one', async () => {
    await using t = await setup();
    assert.equal((await call(`${t.url}/api/things`, { headers: SESSION })).status, 200);
    assert.equal((await call(`${t.url}/api/things`, { headers: { cookie: 'castellan=stale' } })).status, 401);
  });

  it('yields to a token, which needs no page: even a wrong one', async () => {
    await using t = await setup();
    assert.equal((await post(t, TOKEN)).status, 200);
    assert.equal((await post(t, { ...CSRF, authorization: 'Bearer castellan_wrong' })).status, 401);
  });

  it('is known on open routes and not needed there', async () => {
    await using t = await setup();
    const as = async (headers: Record<string, string>) => (await call(`${t.url}/api/login`, { method: 'POST', headers })).json.as;
    assert.deepEqual([await as({}), await as(SESSION), await as({ cookie: 'castellan=stale' })], ['anonymous', 'owner', 'anonymous']);
  });

  it('behind a trusted proxy speaks https: its cookie is Secure and pinned to the host; others are not believed', async () => {
    const enter = endpoint({
      method: 'POST',
      path: '/api/enter',
      grant: 'public',
      summary: 'Enters.',
      input: z.strictObject({}),
      output: z.object({ address: z.string() }),
    });
    const routes = [route(enter, async (_input, { connection }) => (connection!.setSession('good', 5), { address: connection!.address }))];
    const forwarded = {
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '203.0.113.9',
      origin: 'https://castle.example',
      host: 'castle.example',
    };
    const config = { host: '127.0.0.1', port: 0, hostNames: ['castle.example'] };
    await using trusting = await serve(routes, { config: { ...config, trustedProxies: ['127.0.0.1'] } });
    const { headers, json } = await call(`${trusting.url}/api/enter`, { method: 'POST', headers: forwarded });
    assert.deepEqual(
      [json, headers['set-cookie']],
      [{ address: '203.0.113.9' }, ['__Host-castellan=good; Max-Age=5; Path=/; HttpOnly; Secure; SameSite=Strict']],
    );
    assert.equal(headers['strict-transport-security'], 'max-age=31536000');
    await using wary = await serve(routes, { config });
    assert.equal(codeOf((await call(`${wary.url}/api/enter`, { method: 'POST', headers: forwarded })).json), 'http.foreign_origin');
  });
});

describe('what is no proper HTTP', () => {
  for (const [what, bytes] of [
    ['garbage', 'hello\r\n\r\n'],
    ['two lengths', 'POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx'],
    [
      'a length and chunks',
      'POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['endless headers', `GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(40_000)}\r\n\r\n`],
    ['an empty host', 'GET /health HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'],
    ['no host', 'GET /health HTTP/1.1\r\n\r\n'],
  ] as const) {
    it(`is refused with a bare answer: ${what}`, async () => {
      await using t = await setup();
      const socket = connect(Number(new URL(t.url).port), '127.0.0.1');
      socket.end(bytes);
      const answer = (await socket.toArray()).join('');
      assert.match(answer, /^HTTP\/1\.1 4\d\d /);
      assert.deepEqual(t.reached, []);
    });
  }

  it('does not answer an upgrade', async () => {
    await using t = await setup();
    const req = request(`${t.url}/health`, { headers: { connection: 'Upgrade', upgrade: 'websocket' } });
    req.end();
    const [res] = await once(req, 'response');
    assert.equal(res.statusCode, 200);
    res.resume();
    req.destroy();
  });
});

describe('a sensitive act', () => {
  const act = endpoint({
    ...change,
    path: '/api/acts/{id}',
    input: z.strictObject({ id: z.string(), n: z.number().optional() }),
    secondFactor: true,
  });
  const sometimes = endpoint({ ...change, path: '/api/sometimes', input: z.strictObject({ hard: z.boolean() }) });
  const asked: FactorRequest[] = [];

  async function acting() {
    const done: string[] = [];
    asked.length = 0;
    const t = await serve(
      [
        route(act, async ({ id }) => (done.push(id), {})),
        route(sometimes, async ({ hard }, about) => {
          if (hard) await assertFactor(about);
          if (hard) await assertFactor(about); // a code is judged once
          done.push('sometimes');
          return {};
        }),
      ],
      {
        async verifyFactor(it) {
          asked.push(it);
          if (it.given !== 'geheim ü') throw new AppError('forbidden', 'owner.factor_needed', 'x', { factors: ['totp'] });
        },
      },
    );
    return { ...t, done, [Symbol.asyncDispose]: t.stop };
  }
  const post = (t: TestServer, path: string, body: object, factor?: string) =>
    call(t.url + path, {
      method: 'POST',
      headers: { ...TOKEN, ...(factor !== undefined && { 'castellan-factor': encodeURIComponent(factor) }) },
      body,
    });

  it('needs its factor, from every kind of caller', async () => {
    await using t = await acting();
    for (const headers of [TOKEN, { ...SESSION, ...CSRF }]) {
      const { status, json } = await call(`${t.url}/api/acts/a`, { method: 'POST', headers, body: {} });
      assert.deepEqual([status, json.error.code, json.error.details], [403, 'owner.factor_needed', { factors: ['totp'] }]);
    }
    assert.equal(codeOf((await call(`${t.url}/api/acts/a`, { method: 'POST', body: {} })).json), 'http.unauthenticated');
    assert.equal(codeOf((await call(`${t.url}/api/acts/a`, { method: 'POST', headers: SESSION, body: {} })).json), 'http.csrf');
    assert.deepEqual(t.done, []);
    assert.equal((await post(t, '/api/acts/a', {}, 'geheim ü')).status, 200);
    assert.deepEqual(t.done, ['a']);
  });

  it('does not use a code up for an input that is wrong', async () => {
    await using t = await acting();
    assert.equal(codeOf((await post(t, '/api/acts/a', { n: 'x' }, 'geheim ü')).json), 'input.invalid');
    assert.equal(asked.length, 0);
  });

  it('is known to the last field, so that a proof fits no other', async () => {
    await using t = await acting();
    for (const [path, body] of [
      ['/api/acts/a', {}],
      ['/api/acts/b', {}],
      ['/api/acts/a', { n: 1 }],
      ['/api/acts/a', { n: 2 }],
      ['/api/acts/a', {}],
    ] as const)
      await post(t, path, body);
    assert.deepEqual([asked.length, new Set(asked.map((it) => it.act)).size], [5, 4]);
  });

  it('may be so only sometimes', async () => {
    await using t = await acting();
    assert.equal((await post(t, '/api/sometimes', { hard: false })).status, 200);
    assert.equal(codeOf((await post(t, '/api/sometimes', { hard: true })).json), 'owner.factor_needed');
    assert.equal((await post(t, '/api/sometimes', { hard: true }, 'geheim ü')).status, 200);
    assert.equal(asked.length, 2);
    await assert.rejects(assertFactor({}), { code: 'owner.factor_needed' });
  });

  it('is asked for by the client, and then sent again', async () => {
    await using t = await acting();
    const needs: FactorNeed[] = [];
    const client = (answers: (string | null)[]) =>
      createClient({
        fetch,
        base: t.url,
        headers: () => TOKEN,
        askFactor: async (need) => (needs.push(need), answers.shift() ?? null),
      });
    await client(['wrong', 'geheim ü']).call(act, { id: 'x' });
    await assert.rejects(client([null]).call(act, { id: 'y' }), { code: 'owner.factor_needed' });
    assert.deepEqual([t.done, needs], [['x'], Array(3).fill({ factors: ['totp'] })]);
  });
});

it('asks the policy about each request with what the credential carries; a refusal or a question beats what it carries', async () => {
  const policy = rulesOnly(
    testRule('deny', 'token:1', 'things:write'),
    testRule('ask', 'token:1', 'things:ask'),
    testRule('allow', 'token:2', 'things:write'),
  );
  const grants = ['things:read', 'things:write', 'things:ask'];
  const routes = grants.map((grant) =>
    route(
      endpoint({
        method: 'GET',
        path: `/api/${grant.replace(':', '-')}`,
        grant,
        summary: 'For tests.',
        input: z.strictObject({}),
        output: z.string(),
      }),
      async () => 'done',
    ),
  );
  await using server = await serve(routes, {
    decide: ({ id: principal, grants: held }, capability) => policy.decide({ principal, capability, context: { held } }),
  });
  const status = async (token: string, grant: string): Promise<number> =>
    (await fetch(`${server.url}/api/${grant.replace(':', '-')}`, { headers: { authorization: `Bearer ${token}` } })).status;
  assert.deepEqual(await Promise.all(grants.map((grant) => status('castellan_all', grant))), [200, 403, 403]);
  assert.deepEqual(await Promise.all(grants.map((grant) => status('castellan_reader', grant))), [200, 200, 403]);
});
