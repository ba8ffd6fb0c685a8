import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeBundle } from './pkcs12.ts';
import { factsOf, makeCertificate, type KeyPair } from './x509.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const DAY_MS = 86_400_000;
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const NO_OPENSSL = !hasOpenssl && 'needs openssl';

let authority: KeyPair;
let server: KeyPair;
let client: KeyPair;
let folder: string;
before(async () => {
  authority = await makeCertificate({ kind: 'authority', name: 'Castellan, of "box"', now: NOW, days: 3_650 });
  server = await makeCertificate(
    { kind: 'server', name: 'castle.lan', names: ['castle.lan', '127.0.0.1', '::1'], now: NOW, days: 397 },
    authority,
  );
  client = await makeCertificate({ kind: 'client', name: "Anna's laptop, CN=root", now: NOW, days: 30 }, authority);
  folder = await mkdtemp(join(tmpdir(), 'castellan-x509-'));
  await Promise.all(
    Object.entries({ 'ca.crt': authority.pem, 'server.crt': server.pem, 'client.crt': client.pem }).map(([name, text]) =>
      writeFile(join(folder, name), text),
    ),
  );
});
after(() => rm(folder, { recursive: true }));

function openssl(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
  return stdout + stderr;
}

test('a chain that Node believes, with names that cannot be smuggled in', () => {
  const [ca, leaf] = [new X509Certificate(authority.pem), new X509Certificate(server.pem)];
  assert.ok(ca.ca && !leaf.ca && leaf.checkIssued(ca) && leaf.verify(ca.publicKey));
  assert.equal(leaf.checkHost('castle.lan'), 'castle.lan');
  assert.equal(leaf.checkIP('127.0.0.1'), '127.0.0.1');
  const facts = factsOf(server.pem);
  assert.deepEqual(facts.names, ['castle.lan', '127.0.0.1', '::1']);
  assert.deepEqual([facts.notAfter, facts.issuer], [NOW + 397 * DAY_MS, 'Castellan, of "box"']);
  assert.match(facts.serial, /^[4-7][0-9a-f]{31}$/);
  assert.equal(factsOf(client.pem).name, "Anna's laptop, CN=root");
});

test('nothing outlives its authority', async () => {
  const late = await makeCertificate({ kind: 'client', name: 'x', now: NOW + 3_600 * DAY_MS, days: 397 }, authority);
  assert.equal(factsOf(late.pem).notAfter, NOW + 3_650 * DAY_MS);
});

test('openssl believes the chain, each for its purpose only', { skip: NO_OPENSSL }, () => {
  const at = ['-attime', String(NOW / 1_000), '-x509_strict', '-CAfile', 'ca.crt'];
  openssl('verify', ...at, '-purpose', 'sslserver', 'server.crt');
  openssl('verify', ...at, '-purpose', 'sslclient', 'client.crt');
  for (const [purpose, file] of [
    ['sslclient', 'server.crt'],
    ['sslserver', 'client.crt'],
  ] as const)
    assert.notEqual(spawnSync('openssl', ['verify', ...at, '-purpose', purpose, file], { cwd: folder }).status, 0, `${purpose} ${file}`);
});

test('openssl opens the bundle with its password and with no other', { skip: NO_OPENSSL }, async () => {
  const password = 'correct horse — é';
  await writeFile(join(folder, 'client.p12'), await makeBundle(client, authority.pem, { name: 'Anna', password }));
  const text = openssl('pkcs12', '-in', 'client.p12', '-passin', `pass:${password}`, '-nodes', '-info');
  assert.equal(text.match(/BEGIN CERTIFICATE/g)?.length, 2);
  assert.match(text, /friendlyName: Anna/);
  assert.match(text, /AES-256-CBC/);
  assert.match(text, /hmacWithSHA256|sha256/i);
  const key = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----/.exec(text)![0];
  assert.ok(new X509Certificate(client.pem).checkPrivateKey((await import('node:crypto')).createPrivateKey(key)));
  assert.notEqual(spawnSync('openssl', ['pkcs12', '-in', 'client.p12', '-passin', 'pass:wrong', '-nodes'], { cwd: folder }).status, 0);
});
