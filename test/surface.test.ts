import assert from 'node:assert/strict';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { request } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createLoginLink, createToken, revokeToken } from '#owner/contract';
import { folder, startAgent, type Agent } from './agent.ts';

interface Operation {
  readonly method: string;
  readonly path: string;
  /** Null: open to everybody. */
  readonly grant: string | null;
}

interface Contract {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly security?: readonly unknown[]; readonly 'x-grant'?: string }>>>
  >;
}

/** All that a stranger may ask: to come in, and whether the agent is there. */
const OPEN = [
  'GET /api/session',
  'GET /health',
  'GET /ready',
  'POST /api/login',
  'POST /api/login/factor',
  'POST /api/login/link',
  'POST /api/login/passkey',
  'POST /api/login/passkey/options',
  'POST /api/logout',
];

describe('what the agent answers', () => {
  const opened = new AsyncDisposableStack();
  let agent: Agent;
  let operations: Operation[];
  before(async () => {
    const home = opened.use(await folder());
    agent = opened.use(await startAgent({ home: home.path }));
    const { paths } = (await (await ask('GET', '/api/openapi.json', { authorization: `Bearer ${agent.token}` })).json()) as Contract;
    operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security, 'x-grant': grant = null }]) => {
        assert.equal(grant === null, security?.length === 0, `${method} ${path}: open, or by a grant`);
        return { method: method.toUpperCase(), path, grant };
      }),
    );
  });
  after(() => opened.disposeAsync());

  /** Asks for a path, an `x` in place of each parameter, and leaves when the head of the answer is there. */
  async function ask(method: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
    const body = method === 'GET' || method === 'DELETE' ? {} : { body: '{}', headers: { 'content-type': 'application/json', ...headers } };
    return fetch(agent.url + path.replaceAll(/\{\w+\}/g, 'x'), { method, headers, ...body });
  }

  async function statusOf(operation: Operation, headers: Record<string, string>): Promise<number> {
    const response = await ask(operation.method, operation.path, headers);
    await response.body?.cancel();
    return response.status;
  }

  it('nothing to who brings no credential, a wrong one, or one in the wrong place', async () => {
    assert.ok(operations.length > 60, String(operations.length));
    assert.deepEqual(
      operations
        .filter(({ grant }) => grant === null)
        .map(({ method, path }) => `${method} ${path}`)
        .toSorted(),
      OPEN,
    );
    const bearings: Record<string, string>[] = [
      {},
      { authorization: 'Bearer castellan_0123456789abcdefghijklmnopqrstuvwxyz' },
      { authorization: agent.token },
      { authorization: `Basic ${btoa(`owner:${agent.token}`)}` },
      { cookie: `castellan=${agent.token}` },
      { 'x-api-key': agent.token },
    ];
    for (const operation of operations.filter(({ grant }) => grant !== null)) {
      for (const headers of bearings) {
        // the protocols of vendors name a header of their own
        if (operation.path.startsWith('/gateway/') && 'x-api-key' in headers) continue;
        assert.equal(
          await statusOf(operation, headers),
          401,
          `${operation.method} ${operation.path} ${JSON.stringify(Object.keys(headers))}`,
        );
      }
      assert.equal(await statusOf({ ...operation, path: `${operation.path}?token=${agent.token}&access_token=${agent.token}` }, {}), 401);
    }
  });

  it('to a token what it was granted, and nothing else', async () => {
    const { token, id } = await agent.client.call(createToken, { name: 'reader', grants: ['runs:read'] });
    const headers = { authorization: `Bearer ${token}` };
    let reached = 0;
    for (const operation of operations) {
      const status = await statusOf(operation, operation.grant === null ? {} : headers);
      const where = `${operation.method} ${operation.path} (${operation.grant}): ${status}`;
      if (operation.grant === null) assert.notEqual(status, 403, where);
      else if (operation.grant === 'runs:read') {
        assert.ok([200, 400, 404].includes(status!), where); // let in; 400 is for what it did not say
        reached += 1;
      } else assert.equal(status, 403, where);
    }
    assert.ok(reached >= 3);
    await agent.client.call(revokeToken, { id });
    assert.equal((await ask('GET', '/api/runs', headers)).status, 401);
  });

  it('404 to what is not there, and no file from elsewhere', async () => {
    for (const path of ['/api/nope', '/api', '/v1/nope', '/.env', '/src/app.ts', '/package.json', '/castellan.db', '/run/cli.token']) {
      for (const headers of [{}, { authorization: `Bearer ${agent.token}` }]) {
        const response = await ask('GET', path, headers as Record<string, string>);
        const text = await response.text();
        assert.ok(
          response.status === 404 || (response.status === 200 && /<!doctype html>/i.test(text) && !path.startsWith('/api')),
          `${path}: ${response.status}`,
        );
        assert.ok(!text.includes(agent.token) && !text.includes('"imports"'));
      }
    }
    for (const path of [
      '/../../../../etc/passwd',
      '/assets/..%2f..%2f..%2f..%2fetc%2fpasswd',
      '/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
      '//etc/passwd',
      '/assets/%00',
    ]) {
      const sent = request(agent.url, { path, agent: false }).end();
      const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
      const text = (await response.toArray()).join('');
      assert.doesNotMatch(text, /root:/);
      assert.ok(response.statusCode! < 500, `${path}: ${response.statusCode}`);
    }
  });

  it('nothing to a name that is not its own, nor to a page of another origin', async () => {
    const named = request(agent.url, { path: '/health', headers: { host: 'rebound.example' }, agent: false }).end();
    const [response] = (await once(named, 'response')) as [import('node:http').IncomingMessage];
    response.resume();
    assert.equal(response.statusCode, 403);
    for (const origin of ['http://evil.example', 'null', 'http://localhost:1'])
      assert.equal((await ask('POST', '/api/login', { origin })).status, 403);
    const preflight = await ask('OPTIONS', '/api/runs', { origin: 'http://evil.example', 'access-control-request-method': 'POST' });
    assert.equal(preflight.headers.get('access-control-allow-origin'), null);
  });

  it('no page of another origin, no other name and no forged session on any route, whatever it does and whoever it says it is', async () => {
    const { csrfToken, cookie } = await logIn();
    const session = { cookie, 'x-csrf-token': csrfToken };
    const bearer = { authorization: `Bearer ${agent.token}` };
    const refusals: Record<string, [Record<string, string>, string]> = {
      'a foreign page with a session': [{ ...session, origin: 'https://evil.example' }, 'http.foreign_origin'],
      'a foreign page with a token': [{ ...bearer, origin: 'https://evil.example' }, 'http.foreign_origin'],
      'another port of this machine': [{ ...session, origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' }, 'http.foreign_origin'],
      'a sandboxed frame': [{ ...session, origin: 'null' }, 'http.foreign_origin'],
      'an image or a script': [{ ...session, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 'http.foreign_origin'],
      'a rebound name': [{ ...bearer, host: 'rebound.example' }, 'http.unknown_host'],
    };
    for (const operation of operations) {
      const where = `${operation.method} ${operation.path}`;
      for (const [who, [headers, code]] of Object.entries(refusals)) {
        const { status, text, headers: answered } = await raw(operation, headers);
        assert.deepEqual([where, who, status, JSON.parse(text).error.code], [where, who, 403, code]);
        assert.match(String(answered['content-security-policy']), /^default-src 'none'/, where);
        assert.equal(answered['x-content-type-options'], 'nosniff', where);
        assert.equal(answered['cache-control'], 'no-store', where);
        assert.deepEqual(
          Object.keys(answered).filter((name) => /^(access-control|server|x-powered)/.test(name)),
          [],
          where,
        );
      }
      if (operation.method === 'GET' || operation.grant === null) continue;
      for (const headers of [{ cookie }, { cookie, 'x-csrf-token': 'x'.repeat(csrfToken.length) }, { cookie, origin: agent.url }]) {
        const { status, text } = await raw(operation, headers);
        assert.deepEqual([where, status, JSON.parse(text).error.code], [where, 403, 'http.csrf']);
      }
    }
  });

  /** A session as a browser gets it: the code of a link is exchanged for a cookie. */
  async function logIn(): Promise<{ cookie: string; csrfToken: string }> {
    const { url } = await agent.client.call(createLoginLink, {});
    const { hash, search } = new URL(url);
    assert.equal(search, '');
    const answer = await raw({ method: 'POST', path: '/api/login/link' }, {}, { code: hash.replace('#login=', '') });
    const [cookie = ''] = answer.headers['set-cookie'] ?? [];
    assert.match(cookie, /^castellan=[^;]{40,}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict$/);
    return { cookie: cookie.split(';')[0]!, csrfToken: JSON.parse(answer.text).csrfToken };
  }

  /** With any header, `Host` too; the head of a stream is enough. */
  async function raw({ method, path }: Pick<Operation, 'method' | 'path'>, headers: Record<string, string>, body: unknown = {}) {
    const hasBody = method !== 'GET' && method !== 'DELETE';
    const sent = request(agent.url + path.replaceAll(/\{\w+\}/g, 'x'), {
      method,
      agent: false,
      headers: { ...headers, ...(hasBody && { 'content-type': 'application/json' }) },
    });
    sent.end(hasBody ? JSON.stringify(body) : undefined);
    const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
    const isStream = response.headers['content-type']?.startsWith('text/event-stream');
    const text = isStream ? '' : (await response.toArray()).join('');
    sent.destroy();
    return { status: response.statusCode, headers: response.headers, text };
  }

  it(
    'is only to be found on loopback, and the public side says nothing at all',
    { skip: process.platform !== 'linux' && 'reads /proc' },
    async () => {
      const listening = await listeners(agent.pid);
      assert.deepEqual(
        listening.map(({ address }) => address),
        ['0100007F', '0100007F'],
      ); // 127.0.0.1, little-endian
      const [ingress] = listening.filter(({ port }) => port !== Number(new URL(agent.url).port));
      const said = new Set<string>();
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND']) {
        for (const path of [
          '/',
          '/health',
          '/ready',
          '/metrics',
          '/api/session',
          '/api/openapi.json',
          '/hooks/x',
          '/channels/x',
          '/hooks/../api/runs',
          '/mcp',
          '/v1/models',
          `/${'a'.repeat(3_000)}`,
        ]) {
          const sent = request({
            host: '127.0.0.1',
            port: ingress!.port,
            method,
            path,
            headers: { authorization: `Bearer ${agent.token}` },
            agent: false,
          }).end();
          const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
          const text = (await response.toArray()).join('');
          const { date: _, 'content-length': _length, connection: _connection, ...headers } = response.headers;
          if (method !== 'HEAD') said.add(JSON.stringify([response.statusCode, headers, text]));
          assert.equal(response.statusCode, 404, `${method} ${path}`);
        }
      }
      assert.equal(said.size, 1, [...said].join('\n')); // nobody can tell one absence from another
      assert.doesNotMatch([...said][0]!, /castellan|node|fastify|0\.1/i);

      const raw = connect(ingress!.port, '127.0.0.1');
      raw.write('NONSENSE\r\n\r\n');
      const answer = (await raw.toArray()).join('');
      assert.doesNotMatch(answer, /castellan|node/i);
    },
  );
});

/** What a process listens on, by the kernel's own tables: addresses as they stand there. */
async function listeners(pid: number): Promise<{ address: string; port: number }[]> {
  const links = await Promise.all((await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  const own = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const tables = await Promise.all(['tcp', 'tcp6', 'udp', 'udp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8')));
  return tables.flatMap((table, at) =>
    table
      .trim()
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
        const [address = '', port = ''] = local.split(':');
        return own.has(inode) && (at >= 2 || state === '0A') ? [{ address, port: parseInt(port, 16) }] : [];
      }),
  );
}
