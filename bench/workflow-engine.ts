// Workflows of ten trivial steps, every step durable, beside ten awaited no-ops with one durable SQLite write each.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { migrate } from '#core/db/migration';
import { createLocalQueue, queueMigrations } from '#core/db/queue';
import { openSqlite } from '#core/db/sqlite';
import { uuidv7 } from '#core/ids';
import { createRuns, runMigrations } from '#runs';
import { workflowMigrations } from '#workflows';
import { engineBed } from '#workflows/testing';
import { median, type Bench } from './figure.ts';

const STEPS = 10;
const AT_ONCE = 20;

const bench: Bench = {
  name: 'Workflow engine: workflows of ten durable steps per second',
  goal: 'at least 0.5 of the baseline one after another, 0.35 at 20 at once',
  async run({ quick }) {
    const folder = await mkdtemp(join(tmpdir(), 'castellan-bench-'));
    const base = baseline(join(folder, 'baseline.db'));
    const ours = await engine(join(folder, 'engine.db'));
    try {
      const [rounds, count] = quick ? [3, 60] : [7, 150];
      const pairs: { base: number; ours: number; baseMany: number; oursMany: number }[] = [];
      for (let i = 0; i <= rounds; i += 1) {
        const pair = {
          base: await perSecond(count, 1, base.one),
          ours: await perSecond(count, 1, ours.one),
          baseMany: await perSecond(count * 4, AT_ONCE, base.grouped),
          oursMany: await perSecond(count * 4, AT_ONCE, ours.one),
        };
        if (i > 0) pairs.push(pair); // the first warms up
      }
      const of = (pick: (pair: (typeof pairs)[number]) => number): number => median(pairs.map(pick));
      return {
        baseline: of((p) => p.base),
        value: of((p) => p.ours),
        unit: 'workflows/s',
        ratio: of((p) => p.ours / p.base),
        extra: {
          atOnce: AT_ONCE,
          baselineAtOnce: of((p) => p.baseMany),
          valueAtOnce: of((p) => p.oursMany),
          ratioAtOnce: of((p) => p.oursMany / p.baseMany),
        },
      };
    } finally {
      base.close();
      await ours.close();
      await rm(folder, { recursive: true });
    }
  },
};
export default bench;

async function perSecond(count: number, lanes: number, one: () => Promise<void>): Promise<number> {
  const started = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while ((left -= 1) >= 0) await one();
    }),
  );
  return count / ((performance.now() - started) / 1_000);
}

function baseline(path: string) {
  const db = new DatabaseSync(path);
  db.exec('pragma journal_mode = wal; pragma synchronous = full; create table step (run integer, step integer, output text)');
  const insert = db.prepare('insert into step values (?, ?, ?)');
  let group: Promise<void> | null = null;
  /** One commit for all that arrives within a tick. */
  function grouped(): Promise<void> {
    if (!group) {
      db.exec('begin');
      group = new Promise((resolve) =>
        setImmediate(() => {
          db.exec('commit');
          group = null;
          resolve();
        }),
      );
    }
    insert.run(1, 1, 'x');
    return group;
  }
  return {
    one: async () => {
      for (let i = 0; i < STEPS; i += 1) {
        await Promise.resolve();
        insert.run(1, i, 'x');
      }
    },
    grouped: async () => {
      for (let i = 0; i < STEPS; i += 1) await grouped();
    },
    close: () => db.close(),
  };
}

async function engine(path: string) {
  const clock = systemClock;
  const newId = uuidv7();
  const store = openSqlite(path);
  await migrate(store, [...queueMigrations, ...runMigrations, ...workflowMigrations]);
  const bus = createBus((_, error) => {
    throw error;
  });
  const queue = createLocalQueue({
    store,
    clock,
    newId,
    onError: (_, error) => {
      throw error;
    },
  });
  const runs = createRuns({ store, bus, clock, newId, keep: () => ({ days: 365, perWorkflow: 1e6 }) });
  const { workflows, engine: it } = engineBed({
    store,
    bus,
    clock,
    newId,
    queue,
    runs,
    concurrency: AT_ONCE,
    skills: { run: async () => ({ outcome: 'ok', output: 'x' }) },
    onCrash: (_, error) => {
      throw error;
    },
  });
  const life = new AbortController();
  const running = await it.service.start({ signal: life.signal, exit: () => {} });
  const workflow = await workflows.create(
    { name: 'bench', concurrency: 'allow', steps: Array.from({ length: STEPS }, (_, i) => ({ id: `s${i}`, skill: 'trivial' })) },
    { enabled: true, by: 'owner' },
  );
  const waiting = new Map<string, () => void>();
  bus.subscribe(
    'run.ended',
    ({ run }) => {
      waiting.get(run.id)?.();
      waiting.delete(run.id);
    },
    life.signal,
  );
  return {
    async one() {
      const ended = Promise.withResolvers<void>();
      await store.write(async (tx) => {
        waiting.set((await it.start(tx, workflow, { trigger: { kind: 'owner' } })).id, ended.resolve);
      });
      await ended.promise;
    },
    async close() {
      life.abort();
      await running.stop();
      await store.close();
    },
  };
}
