import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ensureControlToken, readControlToken } from '#owner';
import type { Secret } from '#core/secret';
import { addressKey } from './throttle.ts';

const open = (it: Secret | null): string | undefined => it?.use((text) => text);

async function home() {
  const path = await mkdtemp(join(tmpdir(), 'castellan-control-'));
  return { path, file: join(path, 'run', 'cli.token'), [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe('control token', () => {
  it('is made once, for its owner alone', async () => {
    await using at = await home();
    assert.equal(await readControlToken(at.path), null);
    const token = open(await ensureControlToken(at.path));
    assert.match(token!, /^castellan_local_[\w-]{43}$/);
    assert.equal(open(await ensureControlToken(at.path)), token);
    assert.equal(open(await readControlToken(at.path)), token);
    assert.equal((await stat(at.file)).mode & 0o777, 0o600);
    assert.equal((await stat(join(at.path, 'run'))).mode & 0o777, 0o700);
  });

  it('is made anew when others could read it, or when it is damaged', async () => {
    await using at = await home();
    const first = open(await ensureControlToken(at.path));
    await chmod(at.file, 0o644);
    assert.equal(await readControlToken(at.path), null);
    const second = open(await ensureControlToken(at.path));
    assert.notEqual(second, first);
    await writeFile(at.file, 'undefined');
    assert.equal(await readControlToken(at.path), null);
    assert.notEqual(open(await ensureControlToken(at.path)), second);
  });
});

it('addressKey puts whoever commands an address under one key', () => {
  const same = [
    ['192.0.2.1', '::ffff:192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0:ffff::9'],
    ['fe80::1%eth0', 'fe80::2'],
    ['::1', '0:0:0:0:0:0:0:1'],
  ] as const;
  for (const [a, b] of same) assert.equal(addressKey(a), addressKey(b));
  const different = [
    ['192.0.2.1', '192.0.2.2'],
    ['2001:db8:0:1::1', '2001:db8:0:2::1'],
  ] as const;
  for (const [a, b] of different) assert.notEqual(addressKey(a), addressKey(b));
});
