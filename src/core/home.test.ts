import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bootExitCode } from './config.ts';
import { AppError } from './errors.ts';
import { homeFolders, lockHome, prepareHome, runningAgent } from './home.ts';
import { homeFault } from './home/fault.ts';

async function setup(): Promise<{ path: string; process: () => Promise<{ child: ChildProcess; said: unknown }> } & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), 'castellan-home-'));
  const path = join(root, 'home');
  const children: ChildProcess[] = [];
  return {
    path,
    async process() {
      const child = fork(new URL('./fixtures/home-holder.ts', import.meta.url), [path], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
      children.push(child);
      const [said] = (await once(child, 'message')) as [unknown];
      return { child, said };
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL');
      await rm(root, { recursive: true });
    },
  };
}

const refuses =
  (code: string, exit: number) =>
  (error: unknown): boolean =>
    error instanceof AppError && error.code === code && bootExitCode(error) === exit;
const isPosix = process.getuid !== undefined;

describe('home', () => {
  it('makes itself and its folders, for its owner alone', async () => {
    await using t = await setup();
    const home = await prepareHome(t.path);
    assert.deepEqual((await readdir(t.path)).toSorted(), [...homeFolders].toSorted());
    assert.equal((await stat(t.path)).mode & 0o777, isPosix ? 0o700 : (await stat(t.path)).mode & 0o777);
    assert.equal(home.at('logs', 'x.log'), join(t.path, 'logs', 'x.log'));
    assert.deepEqual(await readdir(home.at('run')), []);
    assert.equal((await prepareHome(t.path)).wasOpen, false);
  });

  it('closes a folder that others could read, and says so', { skip: !isPosix }, async () => {
    await using t = await setup();
    await mkdir(t.path);
    await chmod(t.path, 0o755);
    assert.equal((await prepareHome(t.path)).wasOpen, true);
    assert.equal((await stat(t.path)).mode & 0o777, 0o700);
  });

  it('refuses what is not a folder', async () => {
    await using t = await setup();
    await writeFile(t.path, 'x');
    await assert.rejects(prepareHome(t.path), refuses('home.not_a_folder', 78));
    await assert.rejects(prepareHome(join(t.path, 'below')), refuses('home.not_a_folder', 78));
  });

  it("refuses another user's folder", { skip: process.getuid?.() !== 0 }, async () => {
    await using t = await setup();
    await mkdir(t.path);
    await chown(t.path, 54_321, 54_321);
    await assert.rejects(prepareHome(t.path), refuses('home.wrong_owner', 78));
  });

  it('refuses a folder it may not write to', { skip: !isPosix || process.getuid?.() === 0 }, async () => {
    await using t = await setup();
    await mkdir(t.path, { mode: 0o500 });
    await assert.rejects(prepareHome(t.path), refuses('home.not_allowed', 78));
  });

  it('notices a full disk before the first message is lost', { skip: process.platform !== 'linux' }, async () => {
    await using t = await setup();
    await prepareHome(t.path);
    await symlink('/dev/full', join(t.path, 'run', '.probe'));
    await assert.rejects(prepareHome(t.path), refuses('home.disk_full', 1));
  });

  it('has one sentence for each thing a disk can say', () => {
    const faults = {
      EROFS: 'home.read_only',
      EACCES: 'home.not_allowed',
      EPERM: 'home.not_allowed',
      ENOSPC: 'home.disk_full',
      EDQUOT: 'home.disk_full',
      ENOTDIR: 'home.not_a_folder',
      EIO: 'home.unusable',
    };
    for (const [reason, code] of Object.entries(faults)) {
      const fault = homeFault(Object.assign(new Error('x'), { code: reason }), '/somewhere');
      assert.equal(fault.code, code);
      assert.match(fault.message, /\/somewhere/);
    }
  });
});

describe('home lock', () => {
  it('lets nobody else in, not in this process and not in another, until it is released', async () => {
    await using t = await setup();
    await prepareHome(t.path);
    const lock = await lockHome(t.path);
    await assert.rejects(
      lockHome(t.path),
      (error: AppError) =>
        refuses('home.in_use', 75)(error) && error.details['pid'] === process.pid && error.message.includes(String(process.pid)),
    );
    assert.deepEqual((await t.process()).said, { code: 'home.in_use' });
    assert.equal(await runningAgent(t.path), process.pid);
    await lock.release();
    await lock.release();
    assert.equal(await runningAgent(t.path), null);
    await using _ = await lockHome(t.path);
  });

  it('is free the moment its holder is killed', async () => {
    await using t = await setup();
    const { child, said } = await t.process();
    assert.deepEqual(said, { locked: true });
    await assert.rejects(lockHome(t.path), (error: AppError) => error.code === 'home.in_use' && error.details['pid'] === child.pid);
    assert.equal(await runningAgent(t.path), child.pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(await runningAgent(t.path), null);
    await using _ = await lockHome(t.path);
  });

  it('goes to one of many that come at once', async () => {
    await using t = await setup();
    await prepareHome(t.path);
    const all = await Promise.allSettled(Array.from({ length: 4 }, () => lockHome(t.path)));
    assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const each of all) if (each.status === 'fulfilled') await each.value.release();
  });
});
