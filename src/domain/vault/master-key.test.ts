import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fakeAudit } from '#audit/testing';
import { createBus } from '#core/bus';
import { manualClock } from '#core/clock';
import { memoryStore, type TestStore } from '#core/db/testing';
import { secret } from '#core/secret';
import { createVault, masterKeySource, vaultMigrations } from '#vault';
import { strongKey } from './strong-key.ts';

async function home() {
  const path = await mkdtemp(join(tmpdir(), 'castellan-key-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe('master key', () => {
  it('is made once, readable by its owner alone, and the same for all who ask at once', async () => {
    await using at = await home();
    const source = masterKeySource({ home: at.path });
    assert.equal(await source.read(), null);
    const [one, two] = await Promise.all([source.create(), masterKeySource({ home: at.path }).create()]);
    assert.deepEqual(one, two);
    assert.deepEqual(await source.read(), one);
    assert.equal(one.length, 32);
    assert.equal((await stat(join(at.path, 'master.key'))).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(at.path), ['master.key']);
  });

  it('is refused when others can read it, or when its file is cut short', async () => {
    await using at = await home();
    const source = masterKeySource({ home: at.path });
    await source.create();
    await chmod(join(at.path, 'master.key'), 0o644);
    await assert.rejects(source.read(), { code: 'vault.key_exposed' });
    await chmod(join(at.path, 'master.key'), 0o600);
    await writeFile(join(at.path, 'master.key'), '');
    await assert.rejects(source.read(), { code: 'vault.weak_key' });
  });

  it('is read from where the owner says, whatever the mode of that file', async () => {
    await using at = await home();
    const file = join(at.path, 'mounted');
    const text = 'q7Zp0l1m9Yx3Rt5Wv8Kd2Nf4Hb6Jc0Gs1Ae3Ui5Oo7M=';
    await writeFile(file, `${text}\n`, { mode: 0o644 });
    const read = await masterKeySource({ home: at.path, file }).read();
    assert.deepEqual(read, await masterKeySource({ home: at.path, given: secret(text) }).read());
    await assert.rejects(masterKeySource({ home: at.path, file: join(at.path, 'none') }).read(), { code: 'vault.key_missing' });
  });

  for (const weak of [
    '',
    'undefined',
    'changeme',
    'changemechangemechangemechangemechangeme',
    'your-secret-key',
    '<YOUR_KEY>',
    'short-but-random-9f2',
    'a'.repeat(64),
    '0123456789abcdef0123456789abcdef',
    'passwordpasswordpasswordpasswordpassword',
    'abcabcabcabcabcabcabcabcabcabcabcabcabcabc',
  ]) {
    it(`${JSON.stringify(weak.slice(0, 24))} is too weak`, () => {
      assert.throws(
        () => strongKey(weak, 'CASTELLAN_MASTER_KEY'),
        (error: Error & { code?: string }) => error.code === 'vault.weak_key' && (weak === '' || !error.message.includes(weak)),
      );
    });
  }

  it('takes hex, base64 and plain text of 32 bytes or more', () => {
    for (const good of [
      '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      'q7Zp0l1m9Yx3Rt5Wv8Kd2Nf4Hb6Jc0Gs1Ae3Ui5Oo7M=',
      'four wet horses, one dry barn & 17 keys',
    ])
      assert.ok(strongKey(good, 'x').length >= 32);
  });
});

describe('a passphrase', () => {
  const cost = { memoryKib: 8_192, passes: 1, lanes: 1 };
  const words = 'velvet orchard tram seven';

  function vaultOn(store: TestStore, path: string, answers: readonly string[] | null) {
    const asked: boolean[] = [];
    const askPassphrase =
      answers === null
        ? undefined
        : async (again: boolean) => {
            asked.push(again);
            return secret(answers[asked.length - 1] ?? '');
          };
    const masterKey = masterKeySource({ home: path, cost, askPassphrase });
    const bus = createBus((_, error) => assert.fail(String(error)));
    return { asked, vault: createVault({ store, clock: manualClock(1), bus, audit: fakeAudit(), masterKey }) };
  }

  it('takes the place of the key file, is asked for at the start, and again when it is wrong', async () => {
    await using at = await home();
    await using store = await memoryStore(vaultMigrations);
    const by = { as: ['skill:x'], purpose: 'test' } as const;
    const first = vaultOn(store, at.path, []).vault;
    await first.set('a', secret('value-of-a'), 'owner');
    for (const weak of ['short', 'aaaaaaaaaaaaaaaaaaaa', 'changemechangeme'])
      await assert.rejects(first.changeMasterKey({ kind: 'passphrase', passphrase: secret(weak) }, 'destroy', 'owner'), {
        code: 'vault.weak_passphrase',
      });
    assert.equal((await first.changeMasterKey({ kind: 'passphrase', passphrase: secret(words) }, 'destroy', 'owner')).resealed, 1);
    assert.deepEqual(await readdir(at.path), []);
    assert.equal(
      (await first.get('a', by)).use((text) => text),
      'value-of-a',
    );

    const later = vaultOn(store, at.path, ['not this one', words]);
    await later.vault.unlock();
    assert.deepEqual(later.asked, [false, true]);
    assert.equal(
      (await later.vault.get('a', by)).use((text) => text),
      'value-of-a',
    );
    await assert.rejects(vaultOn(store, at.path, []).vault.unlock(), { code: 'vault.wrong_passphrase' });
    await assert.rejects(vaultOn(store, at.path, null).vault.unlock(), { code: 'vault.passphrase_needed' });
  });

  it('a key that is given opens it from then on, and the same one again is refused', async () => {
    await using at = await home();
    await using store = await memoryStore(vaultMigrations);
    const { vault } = vaultOn(store, at.path, null);
    await vault.set('a', secret('value-of-a'), 'owner');
    const before = await vault.keyFor('x');
    const key = secret('q7Zp0l1m9Yx3Rt5Wv8Kd2Nf4Hb6Jc0Gs1Ae3Ui5Oo7M=');
    await vault.changeMasterKey({ kind: 'given', key }, 'keep', 'owner');
    await assert.rejects(vault.changeMasterKey({ kind: 'given', key }, 'keep', 'owner'), { code: 'vault.same_key' });
    assert.notDeepEqual(await vault.keyFor('x'), before);
    assert.deepEqual((await vault.keysFor('x'))[1], before);
    await assert.rejects(vaultOn(store, at.path, null).vault.keyFor('x'), { code: 'vault.key_missing' });
    const masterKey = masterKeySource({ home: at.path, given: key });
    const again = createVault({ store, clock: manualClock(1), bus: createBus(() => {}), audit: fakeAudit(), masterKey });
    assert.deepEqual(await again.keysFor('x'), await vault.keysFor('x'));
  });
});
