import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent as PlainAgent, request as plainRequest, type IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { test } from 'node:test';
import { setImmediate as soon } from 'node:timers/promises';
import { z } from 'zod';
import { fakeAudit } from '#audit/testing';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { memoryStore } from '#core/db/testing';
import { endpoint, route, streamRoute } from '#core/endpoint';
import { createCertificates, doorMigrations } from '#doors';
import { serve, TOKEN } from './testing.ts';

const who = endpoint({
  method: 'GET',
  path: '/api/who',
  grant: 'things:read',
  summary: 'Says who asks.',
  input: z.strictObject({}),
  output: z.object({ certificate: z.string().nullable(), address: z.string() }),
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

async function setup({ mutual = false, ownAuthority = true, more = {} as object } = {}) {
  const home = await mkdtemp(join(tmpdir(), 'castellan-tls-'));
  const store = await memoryStore(doorMigrations);
  const bus = createBus((_event, error) => assert.fail(error as Error));
  const certificates = createCertificates({ store, clock: systemClock, bus, audit: fakeAudit(), folder: join(home, 'tls'), node: 'box' });
  await certificates.ensureServer(['localhost', '127.0.0.1']);
  const file = (name: string): string => join(home, 'tls', name);
  const tls = { certFile: file('server.crt'), keyFile: file('server.key'), ...(mutual && { clientCaFile: file('ca.crt') }) };
  const server = await serve(
    [
      route(who, async (_input, { connection }) => ({ certificate: connection!.certificate ?? null, address: connection!.address })),
      streamRoute(watch, async function* (_input, { signal }) {
        yield { data: 'first' };
        await once(signal, 'abort');
      }),
    ],
    {
      config: { host: '127.0.0.1', port: 0, tls, socketPath: join(home, 'agent.sock'), ...more },
      bus,
      admits: (fingerprint) => certificates.admits(fingerprint, ownAuthority),
    },
  );
  const ca = (await certificates.authority())!;
  const port = Number(new URL(server.url).port);

  /** One request; the connection stays with its agent. */
  async function get(path: string, options: ConnectionOptions & { agent?: Agent } = {}) {
    const { agent = new Agent({ ca, ...options }) } = options;
    const sent = request(`https://127.0.0.1:${port}${path}`, { agent, headers: TOKEN }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const text = (await response.toArray()).join('');
    return { status: response.statusCode, headers: response.headers, json: JSON.parse(text), socket: response.socket as TLSSocket };
  }

  async function handshake(options: ConnectionOptions): Promise<TLSSocket> {
    const socket = connect({ host: '127.0.0.1', port, ca, ...options });
    await once(socket, 'secureConnect');
    return socket;
  }

  return {
    ...server,
    port,
    ca,
    home,
    store,
    file,
    bus,
    certificates,
    get,
    handshake,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await store.close();
      await rm(home, { recursive: true });
    },
  };
}

test('speaks TLS 1.2 and above, HTTP/1.1, and nothing in the clear', async () => {
  await using t = await setup();
  const { status, json, headers } = await t.get('/api/who');
  assert.deepEqual([status, json.certificate, headers['strict-transport-security']], [200, null, 'max-age=31536000']);
  await assert.rejects(t.handshake({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' }));
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await t.handshake({ minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] });
    assert.deepEqual([socket.getProtocol(), socket.alpnProtocol], [version, 'http/1.1']);
    socket.destroy();
  }
  await assert.rejects(t.handshake({ ca: [] }), { code: 'SELF_SIGNED_CERT_IN_CHAIN' });
  const plain = plainRequest(`http://127.0.0.1:${t.port}/health`, { agent: new PlainAgent() }).end();
  await assert.rejects(once(plain, 'response'));
});

test('a renewed certificate is in use at once; files that do not work leave the old one where it is, and say why', async () => {
  await using t = await setup();
  const fingerprint = async (): Promise<string> => {
    const socket = await t.handshake({});
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const before = await fingerprint();
  const { fingerprint: after } = await t.certificates.issueServer(['localhost', '127.0.0.1'], 'owner');
  while (t.http.tls()!.facts.fingerprint !== after) await soon();
  assert.equal(await fingerprint(), after);
  assert.notEqual(before, after);
  const key = await readFile(t.file('server.key'), 'utf8');
  for (const [name, text, problem] of [
    ['server.key', 'rubbish', /server\.key does not hold a private key/],
    ['server.key', await readFile(t.file('ca.key'), 'utf8'), /server\.key is not the key/],
  ] as const) {
    await writeFile(t.file(name), text);
    t.bus.publish('certificate.issued', { serial: 'x', kind: 'server' });
    while (!problem.test(t.http.tls()!.problem ?? '')) await soon();
    assert.equal(await fingerprint(), after);
  }
  await writeFile(t.file('server.key'), key);
  t.bus.publish('certificate.issued', { serial: 'x', kind: 'server' });
  while (t.http.tls()!.problem !== null) await soon();
});

test('does not start with files that are missing, not PEM, or no pair', async () => {
  await using t = await setup();
  const tls = { certFile: t.file('server.crt'), keyFile: t.file('server.key') };
  const start = (files: object) => serve([], { config: { host: '127.0.0.1', port: 0, tls: { ...tls, ...files } } });
  await writeFile(join(t.home, 'text'), 'no PEM');
  await assert.rejects(start({ certFile: '/nonexistent' }), { code: 'http.no_tls_file' });
  await assert.rejects(start({ certFile: join(t.home, 'text') }), { code: 'http.bad_tls', message: /text does not hold a certificate/ });
  await assert.rejects(start({ keyFile: t.file('ca.key') }), { code: 'http.bad_tls', message: /ca\.key is not the key/ });
  await assert.rejects(start({ clientCaFile: join(t.home, 'text') }), { code: 'http.bad_tls' });
});

test('with mutual TLS nobody comes in without a certificate of the right authority, and its name is known', async () => {
  await using t = await setup({ mutual: true });
  await using other = await setup();
  const anna = await t.certificates.issueClient({ name: 'Anna' }, 'owner');
  const stranger = await other.certificates.issueClient({ name: 'Anna' }, 'owner');
  const server = { cert: await readFile(t.file('server.crt')), key: await readFile(t.file('server.key')) };
  assert.equal((await t.get('/api/who', { cert: anna.pem, key: anna.key })).json.certificate, 'Anna');
  for (const [what, credentials] of Object.entries({ nothing: {}, stranger: { cert: stranger.pem, key: stranger.key }, server }))
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const)
      await assert.rejects(
        t.get('/health', { ...credentials, maxVersion }),
        (error) => /^(ECONNRESET|EPIPE|ERR_SSL_.*|EPROTO)$/.test((error as { code: string }).code),
        `${what} ${maxVersion}`,
      );
});

test('a revoked certificate ends at once: open connections, streams, resumed sessions and new ones', async () => {
  await using t = await setup({ mutual: true });
  const [anna, ben] = [
    await t.certificates.issueClient({ name: 'Anna' }, 'owner'),
    await t.certificates.issueClient({ name: 'Ben' }, 'owner'),
  ];
  const as = ({ pem, key }: typeof anna, more: object = {}) =>
    new Agent({ ca: t.ca, cert: pem, key, keepAlive: true, maxSockets: 1, ...more });
  const agents = { anna: as(anna), ben: as(ben) };
  const first = await t.handshake({ cert: anna.pem, key: anna.key, maxVersion: 'TLSv1.2' });
  const session = first.getSession();
  assert.ok(session);
  const resumed = await t.handshake({ cert: anna.pem, key: anna.key, maxVersion: 'TLSv1.2', session });
  assert.ok(resumed.isSessionReused());
  resumed.destroy();
  const stream = request(`https://127.0.0.1:${t.port}/api/watch`, {
    agent: as(anna),
    headers: { ...TOKEN, accept: 'text/event-stream' },
  }).end();
  const [streamed] = (await once(stream, 'response')) as [IncomingMessage];
  streamed.on('error', () => {});
  await once(streamed, 'data');
  for (const agent of Object.values(agents)) assert.equal((await t.get('/api/who', { agent })).status, 200);

  await t.certificates.revoke(anna.certificate.serial, 'owner');
  await Promise.all([streamed, first].map((each) => new Promise((done) => each.once('close', done))));
  await assert.rejects(t.get('/api/who', { agent: agents.anna }));
  await assert.rejects(t.get('/api/who', { agent: as(anna) }));
  while (t.denied.length === 0) await soon();
  assert.deepEqual([t.denied[0]!.resource, t.denied[0]!.details], ['TLS', { code: 'http.bad_certificate', certificate: 'Anna' }]);
  await assert.rejects(t.get('/api/who', { agent: as(anna, { session, maxVersion: 'TLSv1.2' }) }));
  assert.equal((await t.get('/api/who', { agent: agents.ben })).json.certificate, 'Ben');
  for (const agent of Object.values(agents)) agent.destroy();
});

test('one that was revoked elsewhere, by another node or with no agent between, is refused with its next request', async () => {
  await using t = await setup({ mutual: true });
  const anna = await t.certificates.issueClient({ name: 'Anna' }, 'owner');
  const agent = new Agent({ ca: t.ca, cert: anna.pem, key: anna.key, keepAlive: true, maxSockets: 1 });
  assert.equal((await t.get('/api/who', { agent })).status, 200);
  const elsewhere = {
    store: t.store,
    clock: systemClock,
    bus: createBus(() => {}),
    audit: fakeAudit(),
    folder: join(t.home, 'tls'),
    node: 'other',
  };
  await createCertificates(elsewhere).revoke(anna.certificate.serial, 'owner');
  const { status, json } = await t.get('/api/who', { agent });
  assert.deepEqual([status, json.error.code], [403, 'http.bad_certificate']);
  agent.destroy();
});

test('a certificate of our authority that nobody knows of stays out, whatever it says', async () => {
  await using t = await setup({ mutual: true });
  await using restored = await memoryStore(doorMigrations); // an older database, the same authority
  const beside = createCertificates({
    store: restored,
    clock: systemClock,
    bus: t.bus,
    audit: fakeAudit(),
    folder: join(t.home, 'tls'),
    node: 'box',
  });
  const ghost = await beside.issueClient({ name: 'Anna' }, 'owner');
  await assert.rejects(t.get('/api/who', { cert: ghost.pem, key: ghost.key }));
});

test(
  'programs of this account come by the socket, with a token and without a certificate',
  { skip: process.platform === 'win32' },
  async () => {
    await using t = await setup({ mutual: true });
    const ask = async (headers: Record<string, string>) => {
      const sent = plainRequest({
        socketPath: join(t.home, 'agent.sock'),
        path: '/api/who',
        headers: { host: 'localhost', ...headers },
      }).end();
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      return { status: response.statusCode, text: (await response.toArray()).join('') };
    };
    assert.deepEqual(await ask(TOKEN), { status: 200, text: '{"certificate":null,"address":"local"}' });
    assert.equal((await ask({})).status, 401);
    assert.equal((await ask({ ...TOKEN, host: 'rebound.example' })).status, 403);
    assert.equal((await ask({ ...TOKEN, origin: 'https://evil.example' })).status, 403);
  },
);
