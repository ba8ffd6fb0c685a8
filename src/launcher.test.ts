import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

interface Launched extends AsyncDisposable {
  readonly launcher: ChildProcess;
  readonly home: string;
  /** What the agents noted, without their pids. */
  story(): string[];
  /** The pid of the latest life. */
  pid(): number;
  until(line: string, times?: number): Promise<void>;
  /** The exit code of the launcher and what it wrote. */
  end(): Promise<{ code: number | null; stderr: string }>;
}

/** Launches agents, the first of which lives the first line of the script, and so on. */
async function setup(...script: readonly string[]): Promise<Launched> {
  const home = await mkdtemp(join(tmpdir(), 'castellan-launcher-'));
  await mkdir(join(home, 'logs'));
  await writeFile(join(home, 'script'), script.join('\n'));
  const entry = fileURLToPath(new URL('./core/fixtures/launching.ts', import.meta.url));
  const launcher = spawn(process.execPath, [entry, '--home', home], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  launcher.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(launcher, 'close') as Promise<[number | null]>;
  const notes = (): string[] => (existsSync(join(home, 'journal')) ? readFileSync(join(home, 'journal'), 'utf8').trim().split('\n') : []);
  const story = (): string[] => notes().map((line) => line.replace(/^\d+ /, ''));
  return {
    launcher,
    home,
    story,
    pid: () => Number(notes().at(-1)!.split(' ')[0]),
    async until(line, times = 1) {
      while (story().filter((each) => each === line).length < times) await sleep(10, undefined, { signal: AbortSignal.timeout(20_000) });
    },
    end: async () => ({ code: (await ended)[0], stderr }),
    async [Symbol.asyncDispose]() {
      launcher.kill('SIGKILL');
      await ended;
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Whether a process runs; one that is dead but not yet buried by its parent does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('launcher', { concurrency: 2 }, () => {
  it('hands on SIGTERM once and ends with the agent', async () => {
    await using t = await setup('live');
    await t.until('up');
    t.launcher.kill('SIGTERM');
    assert.equal((await t.end()).code, 0);
    assert.deepEqual(t.story(), ['born', 'up', 'SIGTERM']);
  });

  it('starts the agent again that was killed with -9, with its last words kept', async () => {
    await using t = await setup('live', 'ready');
    await t.until('up');
    process.kill(t.pid(), 'SIGKILL');
    await t.until('up', 2);
    assert.match(await readFile(join(t.home, 'logs', 'last-crash.log'), 'utf8'), /was killed by SIGKILL/);
    t.launcher.kill('SIGINT');
    const { code, stderr } = await t.end();
    assert.equal(code, 0);
    assert.match(stderr, /was killed by SIGKILL; starting it again/);
    assert.deepEqual(t.story(), ['born', 'up', 'born', 'up', 'SIGINT']);
  });

  for (const code of [0, 2, 75, 77, 78]) {
    it(`does not start again what ended with ${code}`, async () => {
      await using t = await setup(`exit ${code}`);
      assert.equal((await t.end()).code, code);
      assert.deepEqual(t.story(), ['born']);
    });
  }

  it('gives up after too many crashes and says what died, its last words and where the rest is', async () => {
    await using t = await setup('throw', 'kill SIGABRT', 'exit 1', 'live');
    const { code, stderr } = await t.end();
    assert.equal(code, 70);
    assert.deepEqual(t.story(), ['born', 'born', 'born']);
    assert.match(stderr, /Error: the cause/);
    const last = stderr.slice(stderr.indexOf('crashed 3 times'));
    assert.match(last, /ended with exit code 1, after saying:\n {2}last words 290\n/);
    assert.match(last, /last-crash\.log and .*castellan\.log/);
    const kept = (await readFile(join(t.home, 'logs', 'last-crash.log'), 'utf8')).trim().split('\n');
    assert.deepEqual([kept.length, kept.at(-1)], [201, 'last words 299']);
  });

  it('gives up on an agent that is ready each time and crashes right after', async () => {
    await using t = await setup('readycrash');
    assert.equal((await t.end()).code, 70);
    assert.equal(t.story().filter((line) => line === 'born').length, 3);
  });

  it('kills an agent that does not stop', async () => {
    await using t = await setup('deaf');
    await t.until('up');
    t.launcher.kill('SIGTERM');
    assert.equal((await t.end()).code, 137);
    assert.ok(!isAlive(t.pid()));
  });

  it('leaves no agent behind when it is killed itself', async () => {
    await using t = await setup('live');
    await t.until('up');
    const pid = t.pid();
    t.launcher.kill('SIGKILL');
    await t.until('orphaned');
    while (isAlive(pid)) await sleep(10, undefined, { signal: AbortSignal.timeout(20_000) });
  });

  it('stops at once while it waits to start again', async () => {
    await using t = await setup('exit 1', 'exit 1', 'live');
    await t.until('born');
    t.launcher.kill('SIGTERM');
    const { code } = await t.end();
    assert.ok(code === 0 || code === 1, String(code));
    assert.ok(!t.story().includes('up'));
  });
});

interface Installed extends AsyncDisposable {
  readonly root: string;
  /** Runs a file with an environment that knows only these folders of programs. */
  run(file: string, args: readonly string[], path?: string): Promise<{ code: number; stdout: string; stderr: string }>;
}

/** The script in a package of its own, below a folder whose name has a blank, with a program that shows how it was started. */
async function install(at = '.'): Promise<Installed> {
  const top = await mkdtemp(join(tmpdir(), 'castellan bin '));
  const root = join(top, at);
  await mkdir(join(root, 'bin'), { recursive: true });
  await mkdir(join(root, 'src'));
  await copyFile(new URL('../bin/castellan', import.meta.url), join(root, 'bin', 'castellan'));
  await writeFile(
    join(root, 'src', 'castellan.ts'),
    'const args: string[] = process.argv.slice(2); console.log(JSON.stringify({ args, flags: process.execArgv, pid: process.pid }));',
  );
  return {
    root,
    run: (file, args, path = '/usr/bin:/bin') =>
      new Promise((done) => {
        const env = { PATH: path, HOME: top };
        execFile(file, args, { env }, (error, stdout, stderr) => done({ code: error ? Number(error.code) : 0, stdout, stderr }));
      }),
    [Symbol.asyncDispose]: () => rm(top, { recursive: true, force: true }),
  };
}

async function linkNode(folder: string, version?: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (version === undefined) await symlink(process.execPath, join(folder, 'node'));
  else await writeFile(join(folder, 'node'), `#!/bin/sh\necho v${version}\n`, { mode: 0o755 });
}

describe('bin/castellan', { skip: process.platform === 'win32', concurrency: 2 }, () => {
  it('runs the program with the Node beside it and all arguments, through any number of links', async () => {
    await using t = await install();
    await linkNode(join(t.root, 'node_modules', '.bin'));
    await symlink('../../bin/castellan', join(t.root, 'node_modules', '.bin', 'castellan'));
    await symlink(join(t.root, 'node_modules', '.bin', 'castellan'), join(t.root, 'again'));
    const { code, stdout } = await t.run(join(t.root, 'again'), ['run', 'two words', '', '$x']);
    assert.equal(code, 0);
    const { args, flags } = JSON.parse(stdout) as { args: string[]; flags: string[] };
    assert.deepEqual(args, ['run', 'two words', '', '$x']);
    assert.deepEqual(flags, ['--disable-warning=ExperimentalWarning']);
  });

  it('gives the launcher little room', async () => {
    await using t = await install();
    await linkNode(join(t.root, 'node_modules', '.bin'));
    const { stdout } = await t.run(join(t.root, 'bin', 'castellan'), ['start']);
    assert.ok((JSON.parse(stdout) as { flags: string[] }).flags.includes('--max-semi-space-size=1'));
  });

  it('finds the Node that was installed above it, passing by one that is too old', async () => {
    await using t = await install('packages/castellan');
    await linkNode(join(t.root, 'node_modules', '.bin'), '20.19.0');
    await linkNode(join(t.root, '..', '.bin'));
    assert.equal((await t.run(join(t.root, 'bin', 'castellan'), [])).code, 0);
  });

  it('takes a Node of the machine that is new enough, and otherwise says what to do', async () => {
    await using t = await install();
    await linkNode(join(t.root, 'new'));
    await linkNode(join(t.root, 'old'), '24.1.0');
    const run = (folder: string) => t.run(join(t.root, 'bin', 'castellan'), [], `${join(t.root, folder)}:/usr/bin:/bin`);
    assert.equal((await run('new')).code, 0);
    const { code, stderr } = await run('old');
    assert.equal(code, 78);
    assert.match(stderr, /needs Node 26/);
  });
});
