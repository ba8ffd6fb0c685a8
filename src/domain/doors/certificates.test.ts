import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, test } from 'node:test';
import { fakeAudit } from '#audit/testing';
import { createBus } from '#core/bus';
import { manualClock } from '#core/clock';
import { memoryStore, onEveryEngine, type TestStore } from '#core/db/testing';
import { createCertificates } from './certificates.ts';
import { doorMigrations } from './tables.ts';
import { lookAfter, type UpkeepDeps } from './upkeep.ts';

const DAY_MS = 86_400_000;

async function setup(open: (...migrations: (typeof doorMigrations)[]) => Promise<TestStore> = memoryStore) {
  const store = await open(doorMigrations);
  const home = await mkdtemp(join(tmpdir(), 'castellan-doors-'));
  const clock = manualClock(Date.parse('2026-11-20T12:00:00Z'));
  const bus = createBus((_event, error) => assert.fail(error as Error));
  const audit = fakeAudit();
  const folder = join(home, 'tls');
  const certificates = createCertificates({ store, clock, bus, audit, folder, node: 'box' });
  const told: string[] = [];
  const look = (more: Partial<UpkeepDeps> = {}) =>
    lookAfter({
      store,
      clock,
      certificates,
      tell: (...words) => void told.push(words.join(' | ')),
      onError: () => {},
      names: null,
      givenFile: null,
      ...more,
    });
  return {
    clock,
    bus,
    audit,
    home,
    folder,
    certificates,
    told,
    look,
    file: (name: string) => readFile(join(folder, name), 'utf8'),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await rm(home, { recursive: true });
    },
  };
}

onEveryEngine('certificates', (open) => {
  it('are made, listed, and end at once when revoked', async () => {
    await using t = await setup(open);
    const revoked: string[] = [];
    t.bus.subscribe('certificate.revoked', ({ fingerprint }) => void revoked.push(fingerprint), new AbortController().signal);
    const anna = await t.certificates.issueClient({ name: 'Anna', password: 'long enough' }, 'owner');
    const { fingerprint, serial } = anna.certificate;
    assert.equal(new X509Certificate(anna.pem).fingerprint256, fingerprint);
    assert.equal(await t.certificates.admits(fingerprint, true), 'Anna');
    assert.equal((await t.certificates.revoke(serial, 'owner')).state, 'revoked');
    assert.equal(await t.certificates.admits(fingerprint, true), null);
    assert.equal(await t.certificates.admits(fingerprint, false), null);
    assert.deepEqual(revoked, [fingerprint]);
    await assert.rejects(t.certificates.revoke(serial, 'owner'), { code: 'doors.revoked_before' });
    await assert.rejects(t.certificates.revoke('nobody', 'owner'), { code: 'doors.no_certificate' });
    assert.deepEqual((await t.certificates.list()).map(({ kind, name, state }) => `${kind} ${name} ${state}`).toSorted(), [
      'authority Castellan box good',
      'client Anna revoked',
    ]);
    assert.deepEqual(
      t.audit.entries.map(({ action, actor }) => [action, actor]),
      [
        ['certificate.issue', 'owner'],
        ['certificate.issue', 'owner'],
        ['certificate.revoke', 'owner'],
      ],
    );
    assert.ok(!JSON.stringify(t.audit.entries).includes('PRIVATE KEY'));
  });
});

test('of our own authority only what is known to be made comes in; of another all but what was revoked', async () => {
  await using t = await setup();
  const unknown = 'AB:'.repeat(31) + 'CD';
  assert.equal(await t.certificates.admits(unknown, true), null);
  assert.equal(await t.certificates.admits(unknown, false), '');
  await t.certificates.revoke(unknown.replaceAll(':', '').toLowerCase(), 'owner');
  assert.equal(await t.certificates.admits(unknown, false), null);
  await t.certificates.issueServer(['castle.lan'], 'owner');
  const authority = (await t.certificates.list()).find(({ kind }) => kind === 'authority')!;
  assert.equal(await t.certificates.admits(authority.fingerprint, true), null);
  await assert.rejects(t.certificates.revoke(authority.serial, 'owner'), { code: 'doors.no_certificate' });
});

test('keys are in the home for the owner alone, and a client’s nowhere', { skip: process.platform === 'win32' }, async () => {
  await using t = await setup();
  await writeFile(join(t.home, 'x'), '');
  await t.certificates.ensureServer(['castle.lan']);
  const { key } = await t.certificates.issueClient({ name: 'Anna' }, 'owner');
  assert.deepEqual((await readdir(t.folder)).toSorted(), ['ca.crt', 'ca.key', 'server.crt', 'server.key']);
  assert.equal((await stat(t.folder)).mode & 0o777, 0o700);
  for (const name of await readdir(t.folder)) {
    assert.equal((await stat(join(t.folder, name))).mode & 0o777, 0o600, name);
    assert.ok(!(await t.file(name)).includes(key));
  }
});

test('two at once make one authority; the server presents the whole chain', async () => {
  await using t = await setup();
  await Promise.all([
    t.certificates.issueClient({ name: 'a' }, 'x'),
    t.certificates.ensureServer(['castle.lan', '::1']),
    t.certificates.issueClient({ name: 'b' }, 'x'),
  ]);
  assert.equal((await t.certificates.list()).filter(({ kind }) => kind === 'authority').length, 1);
  assert.equal((await t.file('server.crt')).match(/BEGIN CERTIFICATE/g)?.length, 2);
  assert.ok(new X509Certificate(await t.file('server.crt')).checkIssued(new X509Certificate((await t.certificates.authority())!)));
});

test('the server’s certificate is made anew for a new name and before its end, and not otherwise', async () => {
  await using t = await setup();
  const serials = async (): Promise<string[]> =>
    (await t.certificates.list()).filter(({ kind }) => kind === 'server').map(({ serial }) => serial);
  await assert.rejects(t.certificates.issueServer(undefined, 'owner'), { code: 'doors.no_names' });
  await t.certificates.ensureServer(['a.lan']);
  await t.certificates.ensureServer(['a.lan']);
  assert.equal((await serials()).length, 1);
  t.clock.set(t.clock.now() + 1_000);
  await t.certificates.ensureServer(['b.lan']);
  const [newest] = await t.certificates.list();
  assert.deepEqual([newest!.names, (await serials()).length], [['b.lan', 'a.lan'], 2]);
  t.clock.set(t.clock.now() + 370 * DAY_MS);
  await t.look({ names: ['b.lan'] });
  const states = (await t.certificates.list()).filter(({ kind }) => kind === 'server').map(({ state }) => state);
  assert.deepEqual([states, t.told], [['good', 'replaced', 'replaced'], []]);
});

test('the owner hears once of a certificate that ends soon, and of none that was followed or revoked', async () => {
  await using t = await setup();
  for (const name of ['Anna', 'phone', 'old tablet']) await t.certificates.issueClient({ name, days: 60 }, 'owner');
  await t.certificates.revoke((await t.certificates.list()).find(({ name }) => name === 'old tablet')!.serial, 'owner');
  await t.look();
  assert.deepEqual(t.told, []);
  t.clock.set(t.clock.now() + 31 * DAY_MS);
  await t.certificates.issueClient({ name: 'phone' }, 'owner');
  await t.look();
  await t.look();
  assert.deepEqual(t.told, [
    'warning | A certificate ends soon | “Anna” comes in with a certificate that ends on 2027-01-19. Make it a new one: castellan certs client "Anna"',
  ]);
  assert.equal((await t.certificates.list()).find(({ name }) => name === 'Anna')!.state, 'expiring');
});

test('a certificate of the owner’s own is watched too', async () => {
  await using t = await setup();
  await using other = await setup();
  await other.certificates.issueServer(['castle.example'], 'x');
  const givenFile = join(other.folder, 'server.crt');
  await t.look({ givenFile });
  t.clock.set(t.clock.now() + 380 * DAY_MS);
  await t.look({ givenFile });
  await t.look({ givenFile });
  assert.equal(t.told.length, 1);
  assert.match(t.told[0]!, /^critical \| .*castle\.example.*2027-12-22/);
});
