import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { secret } from '#core/secret';
import { masterKeySource } from '#vault';
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
