import assert from 'node:assert/strict';
import { it } from 'node:test';
import { systemClock } from '../clock.ts';
import { uuidv7 } from '../ids.ts';
import { createLocalQueue, queueMigrations, type WorkOptions } from './queue.ts';
import type { Db, Store } from './store.ts';
import { onEveryEngine } from './testing.ts';

const options: WorkOptions = { concurrency: 2, maxAttempts: 3, backoffMs: () => 1 };
const make = (store: Store) => createLocalQueue({ store, clock: systemClock, newId: uuidv7(), onError: () => {} });
const life = () => {
  const abort = new AbortController();
  return { abort, run: { signal: abort.signal, exit: () => {} } };
};
async function until(is: () => boolean | Promise<boolean>) {
  for (let i = 0; i < 400 && !(await is()); i += 1) await systemClock.sleep(5);
}

onEveryEngine('local queue', (open) => {
  it('runs each job once and forgets it', async () => {
    await using store = await open(queueMigrations);
    const queue = make(store);
    const seen: unknown[] = [];
    const { abort, run } = life();
    const working = await queue.worker('q', options, async (job) => void seen.push(job.payload)).start(run);
    await store.write(async (tx) => {
      for (let i = 0; i < 5; i += 1) await queue.add(tx, { queue: 'q', payload: i });
    });
    await until(async () => seen.length === 5 && (await queue.counts()).length === 0);
    assert.deepEqual(
      seen.toSorted((a, b) => Number(a) - Number(b)),
      [0, 1, 2, 3, 4],
    );
    abort.abort();
    await working.stop();
  });

  it('a job undone with its transaction never runs', async () => {
    await using store = await open(queueMigrations);
    const queue = make(store);
    const seen: unknown[] = [];
    const { abort, run } = life();
    const working = await queue.worker('q', options, async (job) => void seen.push(job.payload)).start(run);
    await assert.rejects(
      store.write(async (tx) => {
        await queue.add(tx, { queue: 'q', payload: 'no' });
        throw new Error('undo');
      }),
    );
    await store.write((tx) => queue.add(tx, { queue: 'q', payload: 'yes' }));
    await until(() => seen.length > 0);
    assert.deepEqual(seen, ['yes']);
    abort.abort();
    await working.stop();
  });

  it('tries again, then keeps the dead job with its error', async () => {
    await using store = await open(queueMigrations);
    const queue = make(store);
    const attempts: number[] = [];
    const dead: string[] = [];
    const { abort, run } = life();
    const working = await queue
      .worker('q', { ...options, onDead: async (job) => void dead.push(job.id) }, async (job) => {
        attempts.push(job.attempt);
        throw new Error('never');
      })
      .start(run);
    await store.write((tx) => queue.add(tx, { queue: 'q', id: 'bad', payload: null }));
    await until(() => dead.length > 0);
    assert.deepEqual([attempts, dead, await queue.counts()], [[1, 2, 3], ['bad'], [{ queue: 'q', ready: 0, dead: 1 }]]);
    abort.abort();
    await working.stop();
  });

  it('a worker that starts finds what the last one left', async () => {
    await using store = await open(queueMigrations);
    await store.write((tx) => make(store).add(tx, { queue: 'q', payload: 'left' }));
    const seen: unknown[] = [];
    const { abort, run } = life();
    const working = await make(store)
      .worker('q', options, async (job) => void seen.push(job.payload))
      .start(run);
    await until(() => seen.length > 0);
    assert.deepEqual(seen, ['left']);
    abort.abort();
    await working.stop();
  });

  it('a job added again while it runs, runs again', async () => {
    await using store = await open(queueMigrations);
    const queue = make(store);
    const gate = Promise.withResolvers<void>();
    let runs = 0;
    const { abort, run } = life();
    const working = await queue
      .worker('q', options, async () => {
        runs += 1;
        if (runs === 1) await gate.promise;
      })
      .start(run);
    await store.write((tx) => queue.add(tx, { queue: 'q', id: 'one', payload: 1 }));
    await until(() => runs === 1);
    await store.write((tx) => queue.add(tx, { queue: 'q', id: 'one', payload: 2 }));
    gate.resolve();
    await until(async () => runs === 2 && (await queue.counts()).length === 0);
    assert.equal(runs, 2);
    abort.abort();
    await working.stop();
  });

  it('a job that puts itself off in the transaction that ends it is still there after a crash', async () => {
    await using store = await open(queueMigrations);
    const queue = make(store);
    const runAt = systemClock.now() + 3_600_000;
    const { abort, run } = life();
    let ended = false;
    const putOff = async (_job: unknown, { done }: { done(tx: Db): Promise<void> }) => {
      await store.write(async (tx) => {
        await queue.add(tx, { queue: 'q', id: 'one', payload: 'later', runAt });
        await done(tx);
      });
      ended = true;
    };
    const working = await queue.worker('q', options, putOff).start(run);
    await store.write((tx) => queue.add(tx, { queue: 'q', id: 'one', payload: 'now' }));
    await until(() => ended);
    abort.abort();
    await working.stop();
    assert.deepEqual(
      (await store.db.selectFrom('core_job').select(['id', 'payload', 'run_at']).execute()).map((row) => ({
        ...row,
        run_at: Number(row.run_at),
      })),
      [{ id: 'one', payload: '"later"', run_at: runAt }],
    );
  });
});
