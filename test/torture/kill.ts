import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openSqlite } from '#core/db/sqlite';

/** What a kill test found. Everything but `kills`, `unknown` and `steps` must be as the comment says. */
export interface KillReport {
  readonly kills: number;
  readonly runs: number;
  readonly steps: number;
  /** Steps that did not end well, or are missing: 0. */
  readonly lostSteps: number;
  /** Effects of finished steps that the other side never saw: 0. */
  readonly lostEffects: number;
  /** Effects the other side carried out more than once: 0. */
  readonly doubledEffects: number;
  /** Effects that wait for the owner because nobody can know: only of the kind that cannot be asked. */
  readonly unknown: number;
  /** Runs that ended wrong: 0. */
  readonly wrongRuns: number;
}

/**
 * Runs workflows of ten steps, five of them effects, in an agent that is killed with SIGKILL: at the n-th step boundary for
 * one half of the kills, after a random time (so also inside effects) for the other; restarts it until all is done, and counts.
 */
export async function killTest(options: {
  readonly runs: number;
  readonly kills: number;
  readonly random: () => number;
}): Promise<KillReport> {
  const folder = await mkdtemp(join(tmpdir(), 'castellan-kill-'));
  const path = join(folder, 'agent.db');
  const side = await otherSide();
  try {
    let kills = 0;
    for (let finished = false; !finished;) {
      finished = await life(
        path,
        side.url,
        options.runs,
        kills < options.kills
          ? kills % 2 === 0
            ? { afterLines: 1 + Math.floor(options.random() * 8) }
            : { afterMs: options.random() * 40 }
          : null,
      );
      if (!finished) kills += 1;
    }
    return { kills, ...(await count(path, side.carriedOut, options.runs)) };
  } finally {
    side.close();
    await rm(folder, { recursive: true });
  }
}

/** One life of the agent; true when it finished everything. */
async function life(path: string, url: string, runs: number, death: { afterLines: number } | { afterMs: number } | null): Promise<boolean> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', new URL('agent.ts', import.meta.url).pathname, path, url, String(runs)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exit = once(child, 'exit') as Promise<[number | null, string | null]>;
  let lines = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') {
      if (death && 'afterMs' in death) setTimeout(() => child.kill('SIGKILL'), death.afterMs);
      return;
    }
    lines += 1;
    if (death && 'afterLines' in death && lines === death.afterLines) child.kill('SIGKILL');
  });
  const [code, signal] = await exit;
  if (signal === null && code !== 0) throw new Error(`the agent ended by itself with ${code}`);
  return signal === null;
}

/** The world: carries out a post and answers a little later, so that a kill may fall between the two. */
async function otherSide(): Promise<{ url: string; carriedOut: Map<string, number>; close(): void }> {
  const carriedOut = new Map<string, number>();
  const server = createServer((request, response) => {
    const [, what, key] = request.url!.split('/') as [string, string, string];
    const answer = (status: number): void =>
      void setTimeout(
        () => response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify({ key })),
        3,
      );
    if (request.method === 'GET') return answer(carriedOut.has(key) ? 200 : 404);
    // a key already seen is dropped by the side that promises to
    if (what === 'idempotent' && carriedOut.has(key)) return answer(200);
    carriedOut.set(key, (carriedOut.get(key) ?? 0) + 1);
    answer(200);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    carriedOut,
    close: () => server.closeAllConnections() ?? server.close(),
  };
}

async function count(path: string, carriedOut: ReadonlyMap<string, number>, runs: number): Promise<Omit<KillReport, 'kills'>> {
  const store = openSqlite(path);
  try {
    await store.checkIntegrity();
    const [runRows, stepRows, effectRows] = await Promise.all([
      store.db.selectFrom('run_run').select(['id', 'status', 'output']).execute(),
      store.db.selectFrom('run_step').select(['run_id', 'path', 'status']).execute(),
      store.db.selectFrom('run_effect').select(['key', 'status']).execute(),
    ]);
    const waiting = new Set(runRows.filter(({ status }) => status === 'waiting').map(({ id }) => id));
    const good = stepRows.filter(({ status, run_id: id }) => status === 'succeeded' || (waiting.has(id) && status === 'waiting')).length;
    const unknown = effectRows.filter(({ status }) => status === 'unknown').length;
    return {
      runs: runRows.length,
      steps: good,
      lostSteps: runs * 10 - good,
      lostEffects:
        effectRows.filter(({ key, status }) => status === 'done' && !carriedOut.has(key)).length + (runs * 5 - effectRows.length),
      doubledEffects: [...carriedOut.values()].filter((times) => times > 1).length,
      unknown,
      wrongRuns:
        runRows.filter(({ status, output }) => (status === 'succeeded' ? output !== '10' : status !== 'waiting')).length +
        Math.abs(waiting.size - unknown),
    };
  } finally {
    await store.close();
  }
}
