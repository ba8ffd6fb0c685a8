import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from './errors.ts';
import { processService, type ProcessOptions, type ProcessService } from './process-service.ts';
import { createLastLines } from './process-service/last-lines.ts';
import type { Running } from './service.ts';
import { supervisor } from './supervisor.ts';

interface Started extends AsyncDisposable {
  readonly service: ProcessService;
  readonly running: Running;
  readonly messages: Record<string, unknown>[];
  readonly lines: string[];
  readonly ended: Promise<Error | null>;
  readonly abort: AbortController;
}

async function setup(act?: string, over: Partial<ProcessOptions> = {}): Promise<Started> {
  const messages: Record<string, unknown>[] = [];
  const lines: string[] = [];
  const ended = Promise.withResolvers<Error | null>();
  const abort = new AbortController();
  const service = processService({
    name: 'skill',
    entry: new URL('./fixtures/skill-process.ts', import.meta.url),
    args: act === undefined ? [] : [act],
    graceMs: 300,
    onMessage(message) {
      if (message === 'bad') throw new AppError('invalid', 'test.bad', 'bad');
      messages.push(message as Record<string, unknown>);
    },
    onLine: (line, from) => lines.push(`${from}: ${line}`),
    ...over,
  });
  const running = await service.start({ signal: abort.signal, exit: (cause) => ended.resolve(cause ?? null) });
  return { service, running, messages, lines, abort, ended: ended.promise, [Symbol.asyncDispose]: () => running.stop() };
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

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10, undefined, { signal: AbortSignal.timeout(20_000) });
}

const pidOf = (t: Started, key = 'pid'): number => Number(t.messages[0]![key]);

describe('process service', { concurrency: 2 }, () => {
  it('grants nothing: no files, no network, no children, no environment', async () => {
    await using t = await setup();
    const { fs, child, net, env } = t.messages[0]!;
    assert.deepEqual({ fs, child, net, env }, { fs: 'ERR_ACCESS_DENIED', child: 'ERR_ACCESS_DENIED', net: 'ERR_ACCESS_DENIED', env: [] });
  });

  it('grants what it is told to', async () => {
    await using t = await setup('try', { grant: { read: ['/etc/hostname'], net: true }, env: { GIVEN: '1' } });
    const { fs, child, net, env } = t.messages[0]!;
    assert.deepEqual({ fs, child, net, env }, { fs: 'ALLOWED', child: 'ERR_ACCESS_DENIED', net: 'ECONNREFUSED', env: ['GIVEN'] });
  });

  it('talks both ways, and says when nobody is there', async () => {
    const t = await setup('talk');
    t.service.send({ a: 1 });
    await until(() => t.messages.length === 2);
    assert.deepEqual(t.messages[1], { echo: { a: 1 } });
    assert.deepEqual(t.running.health?.(), { ok: true, detail: `pid ${pidOf(t)}` });
    await t.running.stop();
    assert.throws(() => t.service.send({}), { code: 'process.not_running' });
    assert.equal(t.running.health?.().ok, false);
  });

  it('hands on lines of both outputs, cut to size', async () => {
    await using t = await setup('flood');
    await until(() => t.lines.includes('stdout: three'));
    assert.deepEqual(
      t.lines.map((line) => line.length),
      [11, 11, 2_008, 13],
    );
  });

  it('ends as a crash with its code and last words', async () => {
    await using t = await setup('talk');
    t.service.send({ fail: true });
    const cause = (await t.ended) as AppError;
    assert.equal(cause.code, 'process.crashed');
    assert.deepEqual(cause.details, { code: 3, signal: null, stderr: ['before the end'] });
  });

  it('ends when it needs more memory than it may have', async () => {
    await using t = await setup('talk', { memoryMb: 32 });
    t.service.send({ fill: true });
    assert.equal(((await t.ended) as AppError).code, 'process.out_of_memory');
  });

  it('is a crash when a message cannot be read', async () => {
    await using t = await setup('talk');
    t.service.send({ bad: true });
    assert.equal(((await t.ended) as AppError).code, 'test.bad');
  });

  it('does not start what fails, ends or stays silent before it is ready', async () => {
    await assert.rejects(
      setup('throw'),
      (error: AppError) => error.code === 'process.crashed' && String(error.details['stderr']).includes('the cause'),
    );
    await assert.rejects(setup('exit'), { code: 'process.crashed' });
    await assert.rejects(setup('silent', { readyTimeoutMs: 500 }), { code: 'process.not_ready' });
  });

  it('gives up its start with the signal', async () => {
    const stop = new AbortController();
    const service = processService({
      name: 'skill',
      entry: new URL('./fixtures/skill-process.ts', import.meta.url),
      args: ['silent'],
      onMessage() {},
    });
    const starting = service.start({ signal: stop.signal, exit() {} });
    stop.abort(new Error('no longer wanted'));
    await assert.rejects(starting, /no longer wanted/);
  });

  it('takes its children along when it is stopped, even when it is deaf', { skip: process.platform === 'win32' }, async () => {
    for (const act of ['parent', 'deaf']) {
      const t = await setup(act, { grant: { children: true, read: ['*'] } });
      const [pid, grandchild] = [pidOf(t), pidOf(t, 'grandchild')];
      assert.ok(isAlive(pid) && isAlive(grandchild));
      await t.running.stop();
      assert.ok(!isAlive(pid));
      await until(() => !isAlive(grandchild));
    }
  });

  it('takes its children along when it is killed', { skip: process.platform === 'win32' }, async () => {
    await using t = await setup('parent', { grant: { children: true, read: ['*'] } });
    process.kill(pidOf(t), 'SIGKILL');
    assert.deepEqual(((await t.ended) as AppError).details, { code: null, signal: 'SIGKILL', stderr: [] });
    await until(() => !isAlive(pidOf(t, 'grandchild')));
  });

  it('does not outlive the process it belongs to', async () => {
    const owner = fork(new URL('./fixtures/process-owner.ts', import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const [{ pid }] = (await once(owner, 'message')) as [{ pid: number }];
    assert.ok(isAlive(pid));
    owner.kill('SIGKILL');
    await until(() => !isAlive(pid));
  });

  it('is started again by its supervisor when it is killed', async () => {
    const pids: unknown[] = [];
    const worker = processService({
      name: 'skill',
      entry: new URL('./fixtures/skill-process.ts', import.meta.url),
      args: ['talk'],
      onMessage: (message) => pids.push((message as { pid: number }).pid),
    });
    const running = await supervisor('t', [worker], {
      strategy: 'one_for_one',
      intensity: { restarts: 3, withinMs: 60_000 },
      backoffMs: () => 0,
    }).start({ signal: new AbortController().signal, exit() {} });
    process.kill(pids[0] as number, 'SIGKILL');
    await until(() => pids.length === 2);
    await running.stop();
    assert.ok(pids.every((pid) => !isAlive(pid as number)));
  });
});

describe('last lines', () => {
  it('keeps twenty, however they are cut', () => {
    const heard: string[] = [];
    const last = createLastLines((line) => heard.push(line));
    const text = Array.from({ length: 50 }, (_, n) => `line ${n}\n`).join('') + 'end';
    for (let at = 0; at < text.length; at += 7) last.add(text.slice(at, at + 7));
    assert.deepEqual([heard.length, last.lines().length, last.lines()[0], last.lines().at(-1)], [50, 20, 'line 31', 'end']);
  });
});
