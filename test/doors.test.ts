import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as undici from 'undici';
import { getDoors, issueCertificate, listCertificates, revokeCertificate } from '#doors/contract';
import { listAudit } from '#audit/contract';
import { createLoginLink, listSessions } from '#owner/contract';
import { createClient, type Client } from '#core/client';
import { fetchBySocket } from '#core/fetch/own-socket';
import { beyondLoopback, listenersOf } from '../src/edge/cli/doctor/listeners.ts';
import { folder, launch, startAgent } from './agent.ts';

const ENTRY = join(import.meta.dirname, '..', 'src', 'castellan.ts');

describe('the doors of a whole agent', () => {
  it(
    'a fresh install has no port that another machine could reach, the launcher and all its children taken together',
    { skip: process.platform !== 'linux' && 'reads /proc' },
    async () => {
      await using home = await folder();
      await using agent = await startAgent({ home: home.path, launcher: true });
      const listening = (await listenersOf(agent.child.pid!))!;
      assert.equal(listening.length, 2);
      assert.deepEqual(beyondLoopback(listening), []);
      assert.deepEqual(
        beyondLoopback([{ address: '0.0.0.0', port: 1 }, { address: '::', port: 1 }, { address: '192.168.1.2', port: 1 }, ...listening])
          .length,
        3,
      );
    },
  );

  const REFUSED: readonly (readonly [what: string, env: Record<string, string>, says: RegExp, args?: string[]])[] = [
    [
      'all networks, and neither password nor TLS',
      { CASTELLAN_HOST: '0.0.0.0' },
      /CASTELLAN_HOST 0\.0\.0\.0 .* TLS .* and the owner's password/,
    ],
    ['all networks of the newer kind', { CASTELLAN_HOST: '::' }, /CASTELLAN_HOST :: /],
    ['TLS and no password', { CASTELLAN_HOST: '0.0.0.0', CASTELLAN_TLS: 'on' }, /needs the owner's password/],
    ['a proxy and no password', { CASTELLAN_HOST: '0.0.0.0', CASTELLAN_TRUSTED_PROXY: '10.0.0.1' }, /needs the owner's password/],
    ['everybody as a trusted proxy', { CASTELLAN_TRUSTED_PROXY: '0.0.0.0/0' }, /CASTELLAN_TRUSTED_PROXY/],
    ['certificates asked of nobody', { CASTELLAN_TLS_CLIENTS: 'certified' }, /CASTELLAN_TLS_CLIENTS .* there is no TLS/],
    ['nobody with a certificate', { CASTELLAN_TLS: 'on', CASTELLAN_TLS_CLIENTS: 'certified' }, /castellan certs client NAME/],
    [
      'a certificate that is not there',
      { CASTELLAN_TLS_CERT: '/nonexistent/a', CASTELLAN_TLS_KEY: '/nonexistent/b' },
      /\/nonexistent\/a cannot be read/,
    ],
    ['one port for both sides', {}, /CASTELLAN_INGRESS_PORT/, ['--port', '4900', '--ingress-port', '4900']],
    ['a placeholder as master key', { CASTELLAN_MASTER_KEY: 'changeme' }, /CASTELLAN_MASTER_KEY/],
    [
      'one secret for two purposes',
      { SLACK_SIGNING_SECRET: '8f742231b10e8888abcd99fff00085a5', DISCORD_BOT_TOKEN: '8f742231b10e8888abcd99fff00085a5' },
      /SLACK_SIGNING_SECRET is the same as DISCORD_BOT_TOKEN/,
    ],
  ];
  it('it does not start with one that is open by mistake: one sentence, exit code 78, no second try', async () => {
    await using stack = new AsyncDisposableStack();
    const refused = REFUSED.map(async ([what, env, says, args = []], at) => {
      const home = stack.use(await folder());
      await using launched = launch({ home: home.path, env, launcher: at === 0, args });
      const { code } = await launched.ended;
      assert.equal(code, 78, `${what}: ${launched.log()}`);
      const said = launched
        .log()
        .split('\n')
        .filter((line) => line.startsWith('castellan: '));
      assert.equal(said.length, 1, `${what}: ${launched.log()}`);
      assert.match(said[0]!, says, what);
    });
    await Promise.all(refused);
  });

  it('with mutual TLS: made, let in, seen in the audit, revoked, and the command line never locked out', async () => {
    await using home = await folder();
    const made = await cli(home.path, ['certs', 'client', 'Anna', '--out', home.path, '--json']);
    assert.equal(made.code, 0, made.stderr);
    const anna = { cert: await readFile(join(home.path, 'Anna.pem')), key: await readFile(join(home.path, 'Anna.key')) };
    await using agent = await startAgent({
      home: home.path,
      env: { CASTELLAN_TLS: 'on', CASTELLAN_TLS_CLIENTS: 'certified', CASTELLAN_HOST_NAMES: 'castle.lan' },
    });
    const local = clientOver(join(home.path, 'run', 'agent.sock'), agent.token);
    const { authority: ca, items } = await local.call(listCertificates, {});
    const { owner } = await local.call(getDoors, {});
    assert.deepEqual(
      [owner.tls, owner.mutual, owner.reach, owner.certificate?.names.includes('castle.lan')],
      ['made', true, 'machine', true],
    );
    const { port } = new URL(agent.url);
    const { url } = await local.call(createLoginLink, {});
    assert.match(url, new RegExp(`^https://castle\\.lan:${port}/#login=`));

    const enter = (credentials: RequestOptions) =>
      ask(Number(port), {
        ...credentials,
        ca: ca!,
        path: '/api/login/link',
        method: 'POST',
        body: { code: new URL(url).hash.replace('#login=', '') },
      });
    await assert.rejects(enter({}), { code: /ECONNRESET|EPIPE|ERR_SSL/ });
    const entered = await enter(anna);
    assert.equal(entered.status, 200);
    assert.match(entered.headers['set-cookie']![0]!, /^__Host-castellan=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    const cookie = entered.headers['set-cookie']![0]!.split(';')[0]!;
    const { items: logins } = await local.call(listAudit, { action: 'owner.login' });
    assert.deepEqual(logins[0]!.details, { via: 'link', address: '127.0.0.1', certificate: 'Anna' });
    assert.equal((await local.call(listSessions, {})).items[0]!.certificate, 'Anna');
    const session = () => ask(Number(port), { ...anna, ca: ca!, path: '/api/session', headers: { cookie } });
    assert.equal((await session()).json.authenticated, true);

    const { password } = JSON.parse(made.stdout) as { password: string };
    const curl = await execute(
      'curl',
      [
        '-sS',
        '--cacert',
        join(home.path, 'tls', 'ca.crt'),
        '--cert-type',
        'P12',
        '--cert',
        `${join(home.path, 'Anna.p12')}:${password}`,
        '--resolve',
        `castle.lan:${port}:127.0.0.1`,
        `https://castle.lan:${port}/health`,
      ],
      home.path,
    );
    assert.ok(curl === null || JSON.parse(curl.stdout).status === 'ok', JSON.stringify(curl));
    const dispatcher = new undici.Agent({ connect: { ca: ca!, ...anna, servername: 'castle.lan' } });
    const byUndici = await undici.fetch(`https://127.0.0.1:${port}/health`, { dispatcher });
    assert.equal(byUndici.status, 200);
    await byUndici.body?.cancel();
    await dispatcher.close();

    const second = await local.call(issueCertificate, { name: 'Ben' });
    await local.call(revokeCertificate, { serial: items.find(({ name }) => name === 'Anna')!.serial });
    await assert.rejects(session());
    assert.equal((await ask(Number(port), { cert: second.pem, key: second.key, ca: ca!, path: '/health' })).status, 200);
    const { items: audit } = await local.call(listAudit, { action: 'certificate.*' });
    assert.deepEqual(
      audit
        .map(({ action }) => action)
        .toReversed()
        .slice(-2),
      ['certificate.issue', 'certificate.revoke'],
    );

    const doctor = await cli(home.path, ['doctor', '--json'], { CASTELLAN_TLS: 'on', CASTELLAN_TLS_CLIENTS: 'certified' });
    const { findings } = JSON.parse(doctor.stdout) as { findings: { check: string; status: string }[] };
    for (const check of ['agent', 'doors', 'certificate', 'secrets'])
      assert.ok(
        findings.some((it) => it.check === check && it.status === 'ok'),
        `${check}: ${doctor.stdout}`,
      );
  });
});

/** Null where there is no such program. */
async function execute(command: string, args: readonly string[], home: string) {
  const child = spawn(command, args, { env: { PATH: process.env['PATH'], HOME: home } });
  const isThere = await Promise.race([once(child, 'spawn').then(() => true), once(child, 'error').then(() => false)]);
  return isThere ? collect(child) : null;
}

async function collect(child: ChildProcessWithoutNullStreams) {
  const [stdout, stderr, [code]] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    once(child, 'close'),
  ]);
  return { code: code as number | null, stdout: stdout.join(''), stderr: stderr.join('') };
}

async function cli(home: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ENTRY, '--home', home, ...args], {
    env: { PATH: process.env['PATH'], HOME: home, ...env },
  });
  return collect(child);
}

describe('castellan certs, with no agent running', () => {
  it('makes, lists, renews and revokes; and refuses what would be no name', async () => {
    await using home = await folder();
    const certs = (...args: string[]) => cli(home.path, ['certs', ...args, '--json']);
    const init = await certs('init', '--name', 'Castle.lan', '--name', '192.168.1.20');
    assert.deepEqual((JSON.parse(init.stdout) as { names: string[] }).names, ['castle.lan', '192.168.1.20']);
    assert.deepEqual(
      (await Promise.all([certs('init', '--name', 'a b'), certs('client', '../x'), certs('revoke', 'nobody')])).map(({ code }) => code),
      [2, 2, 1],
    );
    assert.equal((await certs('client', 'Laptop', '--out', home.path)).code, 0);
    assert.equal((await certs('client', 'Laptop', '--out', home.path)).code, 1); // its files are there
    const renewed = await certs('renew', 'Laptop', '--days', '30', '--out', join(home.path, 'new'));
    const { serial } = (JSON.parse(renewed.stdout) as { certificate: { serial: string } }).certificate;
    assert.match((await certs('revoke', 'Laptop')).stdout, /cli\.several_certificates/);
    assert.equal((await certs('revoke', serial)).code, 0);
    const list = JSON.parse((await certs('list')).stdout) as { kind: string; name: string; state: string }[];
    assert.deepEqual(list.map(({ kind, name, state }) => `${kind} ${name} ${state}`).toSorted(), [
      `authority Castellan ${hostname()} good`,
      'client Laptop good',
      'client Laptop revoked',
      'server castle.lan good',
    ]);
    assert.match((await certs('authority')).stdout, /BEGIN CERTIFICATE/);
  });
});

function clientOver(socket: string, token: string): Client {
  return createClient({ fetch: fetchBySocket(socket), base: 'http://localhost', headers: () => ({ authorization: `Bearer ${token}` }) });
}

async function ask(port: number, { body, ...options }: RequestOptions & { body?: unknown }) {
  const sent = request({
    host: '127.0.0.1',
    servername: 'castle.lan',
    port,
    agent: false,
    ...options,
    headers: {
      host: `castle.lan:${port}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(options.headers as object),
    },
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const text = (await response.toArray()).join('');
  return { status: response.statusCode, headers: response.headers, json: JSON.parse(text) };
}
