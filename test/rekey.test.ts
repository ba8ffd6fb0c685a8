import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { secret } from '#core/secret';
import { openVault } from './torture/rekey-home.ts';

const CHILD = join(import.meta.dirname, 'torture', 'rekey-child.ts');
const BY = { as: ['skill:test'], purpose: 'test' } as const;
const NAMES = ['one', 'two', 'three'];

/** A home with three secrets, one of them in two versions, and what a key for another purpose was. */
async function template(path: string) {
  const { vault, store } = await openVault(path);
  for (const name of NAMES) await vault.set(name, secret(`value-of-${name}`), 'owner');
  await vault.rotate('two', secret('newer-of-two'), 'owner', { graceMs: 3_600_000 });
  const signing = await vault.keyFor('signing');
  await store.close();
  return signing;
}

/** Changes the key and is killed before a step; true when it was too late for that. */
async function changeUntil(home: string, step: number, kind: string, old: string): Promise<boolean> {
  const run = promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, home, String(step), kind, old]);
  return run.then(
    () => true,
    (error: { signal?: string; stderr?: string }) => {
      assert.equal(error.signal, 'SIGKILL', String(error.stderr));
      return false;
    },
  );
}

async function assertWhole(home: string, signing: Buffer): Promise<string> {
  const { vault, store, audit } = await openVault(home);
  try {
    const values = await Promise.all(NAMES.map(async (name) => (await vault.get(name, BY)).use((text) => text)));
    assert.deepEqual(values, ['value-of-one', 'newer-of-two', 'value-of-three']);
    assert.deepEqual(
      (await vault.accepted('two', BY)).map((it) => it.use((text) => text)),
      ['newer-of-two', 'value-of-two'],
    );
    assert.ok(
      (await vault.keysFor('signing')).some((key) => key.equals(signing)),
      'what was signed before can be checked',
    );
    const ids = new Set((await store.db.selectFrom('vault_secret').select('key_id').execute()).map((row) => row.key_id));
    assert.equal(ids.size, 1, 'no row is left with another key');
    assert.equal((await audit.verify()).ok, true);
    await vault.set('four', secret('set-after-it'), 'owner');
    return [...ids][0]!;
  } finally {
    await store.close();
  }
}

describe('change of the master key, killed before each of its steps', { concurrency: 2 }, () => {
  for (const [kind, old, stride] of [
    ['file', 'destroy', 1],
    ['file', 'keep', 3],
    ['passphrase', 'destroy', 2],
  ] as const) {
    it(`to a ${kind}, the old one ${old === 'keep' ? 'kept' : 'destroyed'}: every secret opens, with the one key or the other`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'castellan-rekey-'));
      try {
        const origin = join(folder, 'origin');
        await mkdir(origin);
        const signing = await template(origin);
        const before = await keyIdOf(origin);
        const after = new Set<string>();
        let steps = 0;
        for (let isWhole = false; !isWhole;) {
          steps += stride;
          assert.ok(steps < 60, 'it never came to its end');
          const home = join(folder, String(steps));
          await cp(origin, home, { recursive: true });
          isWhole = await changeUntil(home, steps, kind, old);
          after.add((await assertWhole(home, signing)) === before ? 'old' : 'new');
          const left = (await readdir(home)).filter((name) => name.startsWith('master.key'));
          if (isWhole) {
            const kept = old === 'keep' ? [`master.key.old-${before}`] : [];
            assert.deepEqual(left, [...(kind === 'file' ? ['master.key'] : []), ...kept]);
          }
        }
        assert.deepEqual(after, new Set(['old', 'new']));
        assert.ok(steps > 8, `only ${steps} steps`);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  }
});

async function keyIdOf(home: string): Promise<string> {
  const { store } = await openVault(home);
  const { key_id: id } = await store.db.selectFrom('vault_master').select('key_id').executeTakeFirstOrThrow();
  await store.close();
  return id;
}
