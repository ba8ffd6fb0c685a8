// From spawn to /ready with the store open and the schedules armed, beside Fastify with node:sqlite and one table.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, type Bench } from './figure.ts';

const bench: Bench = {
  name: 'Cold start: spawn to /ready',
  goal: 'at most 2.0 of the baseline',
  async run({ quick }) {
    const home = await mkdtemp(join(tmpdir(), 'castellan-bench-'));
    try {
      const pairs: { base: number; ours: number }[] = [];
      for (let i = 0; i <= (quick ? 4 : 10); i += 1) {
        const base = await timeToReady(() => startBaseline(join(home, 'baseline.db')));
        const ours = await timeToReady(() => startAgent(join(home, 'agent')));
        if (i > 0) pairs.push({ base, ours }); // the first makes the home and fills the compile cache
      }
      const of = (pick: (pair: (typeof pairs)[number]) => number): number => median(pairs.map(pick));
      return { baseline: of((p) => p.base), value: of((p) => p.ours), unit: 'ms', ratio: of((p) => p.ours / p.base) };
    } finally {
      await rm(home, { recursive: true });
    }
  },
};
export default bench;

export const port = (): number => 20_000 + Math.floor(Math.random() * 20_000);

export interface Started {
  readonly child: ChildProcess;
  readonly url: string;
}

export function startBaseline(path: string): Started {
  const at = port();
  return {
    child: spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', new URL('baseline-entry.ts', import.meta.url).pathname, path, String(at)],
      { stdio: 'ignore' },
    ),
    url: `http://127.0.0.1:${at}`,
  };
}

/** The agent as `castellan start` runs it: the launcher and its child. */
export function startAgent(home: string): Started {
  const at = port();
  const args = ['start', '--home', home, '--port', String(at), '--ingress-port', String(port())];
  return {
    child: spawn(new URL('../bin/castellan', import.meta.url).pathname, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: process.env['PATH'], HOME: home, LMSTUDIO_HOST: '127.0.0.1:9', OLLAMA_HOST: '127.0.0.1:9' },
    }),
    url: `http://127.0.0.1:${at}`,
  };
}

async function timeToReady(start: () => Started): Promise<number> {
  const started = performance.now();
  const it = start();
  await untilReady(it);
  const ms = performance.now() - started;
  await end(it);
  return ms;
}

export async function untilReady({ child, url }: Started): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode} before it was ready`);
    const response = await fetch(`${url}/ready`).catch(() => null);
    await response?.arrayBuffer();
    if (response?.ok) return;
    await sleep(2);
  }
}

export async function end({ child }: Started): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** Proportional memory of a process and all below it, in MB (Linux: /proc/PID/smaps_rollup). */
export async function treeMb(pid: number): Promise<{ pss: number; rss: number }> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const read = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0) / 1_024;
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').filter(Boolean);
  const below = await Promise.all(children.map((child) => treeMb(Number(child))));
  return { pss: below.reduce((sum, it) => sum + it.pss, read('Pss')), rss: below.reduce((sum, it) => sum + it.rss, read('Rss')) };
}
