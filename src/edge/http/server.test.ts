import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { endpoint, listOf, Page, route } from '#core/endpoint';
import { AppError } from '#core/errors';
import type { RawRoute } from '#core/raw-route';
import { call, CSRF, READER, serve, SESSION, TOKEN } from './testing.ts';

const Thing = z.object({ id: z.string(), name: z.string() });
const listThings = endpoint({
  method: 'GET',
  path: '/api/things',
  grant: 'things:read',
  summary: 'All things.',
  input: Page,
  output: listOf(Thing),
});
const putThing = endpoint({
  method: 'PUT',
  path: '/api/things/{id}',
  grant: 'things:write',
  summary: 'Names a thing.',
  input: z.strictObject({ id: z.string(), name: z.string().min(2) }),
  output: Thing,
});
const startThing = endpoint({
  method: 'POST',
  path: '/api/things/{id}/starts',
  grant: 'things:write',
  summary: 'Starts a thing.',
  input: z.strictObject({ id: z.string() }),
  output: z.object({ key: z.string().nullable() }),
  status: 202,
});
const failThing = endpoint({
  method: 'POST',
  path: '/api/failures/{how}',
  grant: 'public',
  summary: 'Fails.',
  input: z.strictObject({ how: z.string() }),
  output: z.object({}),
});

const routes = [
  route(listThings, async ({ limit, cursor }) => ({
    items: [{ id: String(limit), name: cursor ?? 'none', secret: 'hidden' }],
    next: null,
  })),
  route(putThing, async (input) => input),
  route(startThing, async (_input, { idempotencyKey }) => ({ key: idempotencyKey ?? null })),
  route(failThing, async ({ how }) => {
    if (how === 'bug') throw new TypeError('the password is hunter2');
    if (how === 'busy') throw new AppError('limited', 'thing.busy', 'Too much', { retryAfterSeconds: 1.5 });
    throw new AppError('conflict', 'thing.taken', 'Taken', { by: 'x' });
  }),
];

describe('the HTTP API', () => {
  it('gives a route one object made of path and query, or of path and body, and answers by the output schema', async () => {
    await using t = await serve(routes);
    const list = await call(`${t.url}/api/things?limit=7&cursor=c`, { headers: TOKEN });
    assert.deepEqual([list.status, list.json], [200, { items: [{ id: '7', name: 'c' }], next: null }]);
    const put = await call(`${t.url}/api/things/a%2Fb`, { method: 'PUT', headers: TOKEN, body: { name: 'Ännchen' } });
    assert.deepEqual([put.status, put.json], [200, { id: 'a/b', name: 'Ännchen' }]);
    const start = await call(`${t.url}/api/things/1/starts`, { method: 'POST', headers: { ...TOKEN, 'idempotency-key': 'k1' } });
    assert.deepEqual([start.status, start.json], [202, { key: 'k1' }]);
  });

  for (const [what, path, body, field] of [
    ['a wrong field', '/api/things/1', { name: 'x' }, 'name'],
    ['an unknown field', '/api/things/1', { name: 'xx', admin: true }, ''],
    ['a field that contradicts the path', '/api/things/1', { id: '2', name: 'xx' }, 'id'],
    ['a query where a body belongs', '/api/things/1?name=yy', { name: 'xx' }, 'name'],
    ['a body that is no object', '/api/things/1', ['xx'], ''],
  ] as const) {
    it(`refuses ${what} and names it`, async () => {
      await using t = await serve(routes);
      const { status, json } = await call(t.url + path, { method: 'PUT', headers: TOKEN, body });
      assert.deepEqual(
        [status, json.error.kind, json.error.code, json.error.details.issues[0].field],
        [400, 'invalid', 'input.invalid', field],
      );
      if (field === '') assert.match(json.error.message, /admin|object/);
    });
  }

  it('asks for the grant of the route: 401 without a credential, 403 with too little', async () => {
    await using t = await serve(routes);
    assert.equal((await call(`${t.url}/api/things`)).json.error.code, 'http.unauthenticated');
    assert.equal((await call(`${t.url}/api/things`, { headers: { authorization: 'Bearer castellan_old' } })).status, 401);
    assert.equal((await call(`${t.url}/api/things`, { headers: { authorization: 'Basic b3duZXI6' } })).status, 401);
    assert.equal((await call(`${t.url}/api/things?token=castellan_all&access_token=castellan_all`)).status, 401);
    assert.equal((await call(`${t.url}/api/things`, { headers: READER })).status, 200);
    const put = await call(`${t.url}/api/things/1`, { method: 'PUT', headers: READER, body: { name: 'xx' } });
    assert.deepEqual([put.status, put.json.error.code, put.json.error.details], [403, 'http.forbidden', { grant: 'things:write' }]);
    assert.deepEqual(
      t.denied.map(({ actor, resource }) => [actor, resource]),
      [['token:2', 'PUT /api/things/:id']],
    );
  });

  it('takes JSON only, whole and of bounded size', async () => {
    await using t = await serve(routes);
    const put = (body: string | Buffer, type = 'application/json', extra = {}) =>
      call(`${t.url}/api/things/1`, { method: 'PUT', headers: { ...TOKEN, 'content-type': type, ...extra }, body });
    const code = async (it: ReturnType<typeof put>) => [(await it).status, (await it).json.error.code];
    assert.deepEqual(await code(put('{"name":"x')), [400, 'json.malformed']);
    assert.deepEqual(await code(put('{"__proto__":{"admin":true},"name":"xx"}')), [400, 'json.malformed']);
    assert.deepEqual(await code(put('name=xx', 'application/x-www-form-urlencoded')), [415, 'http.unsupported_media_type']);
    assert.deepEqual(await code(put('{"name":"xx"}', 'text/plain')), [415, 'http.unsupported_media_type']);
    assert.deepEqual(await code(put('x'.repeat(1024 * 1024 + 1))), [413, 'http.body_too_large']);
    assert.deepEqual(await code(put('x'.repeat(1024 * 1024 + 1), 'application/json', { 'transfer-encoding': 'chunked' })), [
      413,
      'http.body_too_large',
    ]);
    assert.deepEqual(await code(put('{}', 'application/json', { 'idempotency-key': 'k'.repeat(300) })), [400, 'input.invalid']);
  });

  it('refuses before it reads the body of who may not', async () => {
    await using t = await serve(routes);
    const req = request(`${t.url}/api/things/1`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'content-length': '900000' },
    });
    req.on('error', () => {});
    req.flushHeaders();
    const [res] = await once(req, 'response');
    assert.equal(res.statusCode, 401);
    req.destroy();
  });

  it('takes larger bodies where the endpoint says so', async () => {
    const large = endpoint({
      method: 'POST',
      path: '/api/files',
      grant: 'public',
      summary: 'Takes a file.',
      input: z.strictObject({ text: z.string() }),
      output: z.object({ length: z.number() }),
      maxBodyBytes: 3_000_000,
    });
    await using t = await serve([route(large, async ({ text }) => ({ length: text.length }))]);
    assert.deepEqual((await call(`${t.url}/api/files`, { method: 'POST', body: { text: 'x'.repeat(2_000_000) } })).json, {
      length: 2_000_000,
    });
  });

  it('shows an AppError as it is and a bug as nothing but an id that the log knows', async () => {
    await using t = await serve(routes);
    const fail = (how: string) => call(`${t.url}/api/failures/${how}`, { method: 'POST' });
    const taken = await fail('taken');
    assert.equal(taken.status, 409);
    assert.deepEqual(
      { ...taken.json.error, id: '' },
      { kind: 'conflict', code: 'thing.taken', message: 'Taken', details: { by: 'x' }, id: '' },
    );
    const busy = await fail('busy');
    assert.deepEqual([busy.status, busy.headers['retry-after']], [429, '2']);
    assert.equal(t.logged.length, 0);
    const bug = await fail('bug');
    assert.deepEqual([bug.status, bug.json.error.kind, bug.text.includes('hunter2')], [500, 'internal', false]);
    assert.equal(bug.json.error.id, bug.headers['x-request-id']);
    const { id, error } = t.logged[0]!.fields!;
    assert.deepEqual([id, (error as Error).message], [bug.json.error.id, 'the password is hunter2']);
  });

  it('answers what it does not know with 404, what it knows otherwise with 405', async () => {
    await using t = await serve(routes);
    assert.equal((await call(`${t.url}/api/nothing`, { headers: TOKEN })).json.error.code, 'http.not_found');
    const wrong = await call(`${t.url}/api/things/1`, { method: 'DELETE', headers: TOKEN });
    assert.deepEqual([wrong.status, wrong.json.error.code, wrong.headers.allow], [405, 'http.method_not_allowed', 'PUT']);
    assert.equal((await call(`${t.url}/api/things/%ZZ`, { headers: TOKEN })).status, 400);
  });

  it('says nothing of what it is made of and lets nothing be cached', async () => {
    await using t = await serve(routes);
    const { headers } = await call(`${t.url}/api/things`, { headers: TOKEN });
    assert.deepEqual(
      [headers['server'], headers['x-powered-by'], headers['cache-control'], headers['x-content-type-options'], headers['referrer-policy']],
      [undefined, undefined, 'no-store', 'nosniff', 'no-referrer'],
    );
    assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");
  });

  it('aborts the signal of a request whose client has gone', async () => {
    const started = Promise.withResolvers<AbortSignal>();
    const wait = endpoint({
      method: 'GET',
      path: '/api/wait',
      grant: 'public',
      summary: 'Waits.',
      input: z.strictObject({}),
      output: z.object({}),
    });
    await using t = await serve([
      route(wait, async (_input, { signal }) => (started.resolve(signal), once(signal, 'abort').then(() => ({})))),
    ]);
    const gone = new AbortController();
    const answer = fetch(`${t.url}/api/wait`, { signal: gone.signal }).catch(() => 'gone');
    const signal = await started.promise;
    gone.abort();
    if (!signal.aborted) await once(signal, 'abort');
    assert.equal(await answer, 'gone');
  });

  it('gives and takes the session cookie when a route says so, out of reach of scripts and other sites', async () => {
    const login = endpoint({
      method: 'POST',
      path: '/api/login',
      grant: 'public',
      summary: 'Logs in.',
      input: z.strictObject({}),
      output: z.object({ address: z.string() }),
    });
    const logout = endpoint({
      method: 'POST',
      path: '/api/logout',
      grant: 'session:end',
      summary: 'Logs out.',
      input: z.strictObject({}),
      output: z.object({ had: z.string().optional() }),
    });
    await using t = await serve([
      route(login, async (_input, { connection }) => (connection!.setSession('good', 60), { address: connection!.address })),
      route(logout, async (_input, { connection }) => (connection!.clearSession(), { had: connection!.sessionToken })),
    ]);
    const inside = await call(`${t.url}/api/login`, { method: 'POST' });
    assert.deepEqual(
      [inside.json, inside.headers['set-cookie']],
      [{ address: '127.0.0.1' }, ['castellan=good; Max-Age=60; Path=/; HttpOnly; SameSite=Strict']],
    );
    const outside = await call(`${t.url}/api/logout`, { method: 'POST', headers: { ...SESSION, ...CSRF } });
    assert.deepEqual(outside.json, { had: 'good' });
    assert.match(outside.headers['set-cookie']![0]!, /^castellan=; .*(Max-Age=0|Expires=Thu, 01 Jan 1970)/);
  });

  it('leaves raw routes their request, guarded like any other', async () => {
    await using t = await serve([], {
      rawRoutes: [
        {
          method: 'POST',
          path: '/raw/{id}',
          grant: 'raw:use',
          summary: 'Raw.',
          async handle(req, res, { caller, params }) {
            if (params['id'] === 'bad') throw new AppError('not_found', 'raw.none', 'None');
            const body = (await req.toArray()).join('');
            res.writeHead(201, { 'content-type': 'text/plain' }).end(`${caller.id} ${params['id']} ${body}`);
          },
        },
      ],
    });
    const post = (id: string, headers: Record<string, string>) =>
      call(`${t.url}/raw/${id}`, { method: 'POST', headers: { 'content-type': 'text/odd', ...headers }, body: 'as it is' });
    const answer = await post('7', TOKEN);
    assert.deepEqual([answer.status, answer.text, answer.headers['x-content-type-options']], [201, 'token:1 7 as it is', 'nosniff']);
    assert.equal((await post('7', {})).status, 401);
    assert.equal((await post('7', READER)).status, 403);
    assert.equal((await post('bad', TOKEN)).json.error.code, 'raw.none');
  });

  it('takes the token by the header of a vendor only where a raw route names it', async () => {
    const handle: RawRoute['handle'] = async (_req, res, { caller }) => void res.end(caller.id);
    const raw = { method: 'GET', grant: 'raw:use', summary: 'Raw.', handle } as const;
    await using t = await serve([], {
      rawRoutes: [
        { ...raw, path: '/vendor', keyHeaders: ['x-api-key'] },
        { ...raw, path: '/plain' },
      ],
    });
    const by = async (path: string, headers: Record<string, string>) => (await call(`${t.url}${path}`, { headers })).status;
    assert.deepEqual(
      [await by('/vendor', { 'x-api-key': 'castellan_all' }), await by('/vendor', TOKEN), await by('/vendor', { 'x-api-key': 'wrong' })],
      [200, 200, 401],
    );
    assert.equal(await by('/plain', { 'x-api-key': 'castellan_all' }), 401);
    assert.equal(await by('/vendor', { 'x-api-key': 'castellan_reader' }), 403);
  });

  it('tells its health to anyone, its parts to those it knows, and 503 while it is not ready', async () => {
    let isReady = false;
    await using t = await serve([], { ready: () => isReady });
    assert.deepEqual((await call(`${t.url}/health`)).json, { status: 'ok', version: '1.2.3' });
    assert.deepEqual((await call(`${t.url}/health`, { headers: SESSION })).json, {
      status: 'ok',
      version: '1.2.3',
      tree: { ok: true, detail: 'all parts' },
    });
    assert.equal((await call(`${t.url}/ready`)).status, 503);
    isReady = true;
    assert.equal((await call(`${t.url}/ready`)).status, 200);
  });

  it('gives figures as Prometheus text', async () => {
    await using t = await serve(routes, {
      metrics: () => [
        { name: 'castellan_runs', help: 'Runs by "status".', type: 'gauge', samples: [{ labels: { status: 'a"b' }, value: 3 }] },
      ],
    });
    assert.equal((await call(`${t.url}/metrics`)).status, 401);
    await call(`${t.url}/api/things`, { headers: TOKEN });
    const { text, headers } = await call(`${t.url}/metrics`, { headers: TOKEN });
    assert.match(headers['content-type']!, /^text\/plain; version=0\.0\.4/);
    assert.match(text, /^castellan_runs\{status="a\\"b"\} 3$/m);
    assert.match(text, /^castellan_http_request_duration_seconds_count\{method="GET",route="\/api\/things",status="200"\} 1$/m);
    assert.match(text, /^process_resident_memory_bytes \d+$/m);
    for (const line of text.split('\n').filter(Boolean)) assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{.*\})? \S+)$/);
  });

  it('does not fall back to plain HTTP when its certificate cannot be read', async () => {
    const tls = { certFile: '/nonexistent/cert.pem', keyFile: '/nonexistent/key.pem' };
    await assert.rejects(serve([], { config: { host: '127.0.0.1', port: 0, tls } }), { code: 'http.no_tls_file' });
  });

  it('says who to ask when its port is taken, and lets go of it when it stops', async () => {
    await using t = await serve([]);
    const { port } = t.http.address()!;
    await assert.rejects(serve([], { config: { host: '127.0.0.1', port } }), { code: 'http.port_in_use' });
    await t.stop();
    assert.equal(t.http.address(), null);
    await using again = await serve([], { config: { host: '127.0.0.1', port } });
    assert.equal(again.http.address()!.port, port);
  });
});
