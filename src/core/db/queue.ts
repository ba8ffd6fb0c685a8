import type { Clock } from '../clock.ts';
import { errorInfo, toError } from '../errors.ts';
import type { NewId } from '../ids.ts';
import type { Json } from '../json.ts';
import type { Service } from '../service.ts';
import type { Migration } from './migration.ts';
import type { Db, Store } from './store.ts';

declare module './store.ts' {
  interface Tables {
    core_job: {
      id: string;
      queue: string;
      payload: string;
      run_at: number;
      attempts: number;
      status: 'ready' | 'dead';
      last_error: string | null;
      created_at: number;
    };
  }
}

export const queueMigrations: readonly Migration[] = [
  {
    name: 'core-002-job',
    ddl: [
      `create table core_job (
        id text primary key, queue text not null, payload text not null, run_at integer not null,
        attempts integer not null default 0, status text not null check (status in ('ready', 'dead')),
        last_error text, created_at integer not null) strict, without rowid`,
    ],
  },
];

/** Work to be done at least once. */
export interface Job {
  readonly id: string;
  readonly payload: Json;
  /** 1 for the first try. */
  readonly attempt: number;
}

export interface NewJob {
  readonly queue: string;
  /** One job per id: adding it again moves its time. A new id when left out. */
  readonly id?: string;
  readonly payload: Json;
  /** Not before; milliseconds since the epoch. Now when left out. */
  readonly runAt?: number;
}

export interface WorkOptions {
  /** How many jobs of this queue run at once here. */
  readonly concurrency: number;
  /** After this many failures a job is dead: kept, shown, not tried again. */
  readonly maxAttempts: number;
  readonly backoffMs: (attempt: number) => number;
  readonly onDead?: (job: Job, error: Error) => Promise<void>;
}

/**
 * Carries work to the workers; what the work is lives in its module's own tables.
 * Contract: a job is added in the caller's transaction, runs at least once after the commit, and never on two workers at
 * the same time. A handler that resolves has done it; `done(tx)` lets it say so in a transaction of its own.
 */
export interface JobQueue {
  add(tx: Db, job: NewJob): Promise<void>;
  remove(tx: Db, queue: string, id: string): Promise<void>;
  /** A service that works on one queue. */
  worker(
    queue: string,
    options: WorkOptions,
    handler: (job: Job, run: { readonly signal: AbortSignal; done(tx: Db): Promise<void> }) => Promise<void>,
  ): Service;
  /** Jobs waiting or failed for good, for the owner's eyes. */
  counts(): Promise<readonly { readonly queue: string; readonly ready: number; readonly dead: number }[]>;
}

export interface LocalQueueDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly onError: (queue: string, error: Error) => void;
}

/** A clock that was set is noticed within a minute. */
const LONGEST_WAIT_MS = 60_000;

interface Waiting {
  readonly id: string;
  readonly payload: Json;
  readonly attempts: number;
  readonly runAt: number;
}

interface Consumer {
  /** The table has it anew, in a transaction that has yet to commit. */
  renew(id: string): void;
  offer(job: Waiting): void;
  drop(id: string): void;
}

/**
 * The queue of a single process: the table remembers, memory hands out. There is no claim to write, because the one
 * process that may open the database is the one that works; after a crash the table is simply read again.
 */
export function createLocalQueue({ store, clock, newId, onError }: LocalQueueDeps): JobQueue {
  const consumers = new Map<string, Consumer>();

  async function add(tx: Db, { queue, id = newId(), payload, runAt = clock.now() }: NewJob): Promise<void> {
    await tx
      .insertInto('core_job')
      .values({
        id,
        queue,
        payload: JSON.stringify(payload),
        run_at: runAt,
        attempts: 0,
        status: 'ready',
        last_error: null,
        created_at: clock.now(),
      })
      .onConflict((on) => on.column('id').doUpdateSet({ run_at: runAt, status: 'ready', attempts: 0, payload: JSON.stringify(payload) }))
      .execute();
    consumers.get(queue)?.renew(id);
    store.onCommit(() => consumers.get(queue)?.offer({ id, payload, attempts: 0, runAt }));
  }

  async function remove(tx: Db, queue: string, id: string): Promise<void> {
    await tx.deleteFrom('core_job').where('id', '=', id).execute();
    store.onCommit(() => consumers.get(queue)?.drop(id));
  }

  const worker: JobQueue['worker'] = (queue, options, handler) => ({
    name: `worker-${queue}`,
    stopTimeoutMs: 10_000,
    async start({ signal }) {
      const waiting = new Map<string, Waiting>();
      const active = new Map<string, { again: Waiting | null; renewed: boolean }>();
      const ended = new Set<Promise<void>>();
      const ending = new AbortController();
      /** For when a wait is under way. */
      let wakesAt = Infinity;

      function renew(id: string): void {
        const busy = active.get(id);
        if (busy) busy.renewed = true;
      }

      function offer(job: Waiting): void {
        const busy = active.get(job.id);
        if (busy) busy.again = job;
        else waiting.set(job.id, job);
        pump();
      }

      function drop(id: string): void {
        waiting.delete(id);
        const busy = active.get(id);
        if (busy) busy.again = null;
      }

      function pump(): void {
        if (signal.aborted || ending.signal.aborted) return;
        const now = clock.now();
        let next = Infinity;
        for (const job of waiting.values()) {
          if (job.runAt > now) next = Math.min(next, job.runAt);
          else if (active.size < options.concurrency) begin(job);
        }
        if (next < wakesAt) void wakeAt(next, now);
      }

      /** An earlier wait is left to end by itself: it finds nothing to do. */
      async function wakeAt(next: number, now: number): Promise<void> {
        wakesAt = next;
        const woken = await clock.sleep(Math.min(next - now, LONGEST_WAIT_MS), ending.signal).then(
          () => true,
          () => false,
        );
        if (!woken) return;
        if (wakesAt === next) wakesAt = Infinity;
        pump();
      }

      function begin(job: Waiting): void {
        waiting.delete(job.id);
        active.set(job.id, { again: null, renewed: false });
        const life = perform(job)
          .catch((error: unknown) => onError(queue, toError(error)))
          .finally(() => {
            const { again } = active.get(job.id)!;
            active.delete(job.id);
            ended.delete(life);
            if (again) waiting.set(again.id, again);
            pump();
          });
        ended.add(life);
      }

      async function perform(waited: Waiting): Promise<void> {
        const job: Job = { id: waited.id, payload: waited.payload, attempt: waited.attempts + 1 };
        let isDone = false;
        const done = async (tx: Db): Promise<void> => {
          isDone = true;
          if (active.get(job.id)?.renewed) return; // the row is the next one's: without it a crash would lose the wait
          await tx.deleteFrom('core_job').where('id', '=', job.id).execute();
        };
        try {
          await handler(job, { signal, done });
          if (!isDone) await store.write(done);
        } catch (thrown) {
          if (signal.aborted) return; // the next start finds it in the table
          await failed(job, toError(thrown));
        }
      }

      async function failed(job: Job, error: Error): Promise<void> {
        onError(queue, error);
        const isDead = job.attempt >= options.maxAttempts;
        const runAt = clock.now() + options.backoffMs(job.attempt);
        await store.write(async (tx) => {
          await tx
            .updateTable('core_job')
            .set({ attempts: job.attempt, run_at: runAt, status: isDead ? 'dead' : 'ready', last_error: JSON.stringify(errorInfo(error)) })
            .where('id', '=', job.id)
            .execute();
        });
        if (isDead) await options.onDead?.(job, error);
        else offer({ id: job.id, payload: job.payload, attempts: job.attempt, runAt });
      }

      const left = await store.db
        .selectFrom('core_job')
        .selectAll()
        .where('queue', '=', queue)
        .where('status', '=', 'ready')
        .orderBy('id')
        .execute();
      for (const row of left)
        waiting.set(row.id, { id: row.id, payload: JSON.parse(row.payload) as Json, attempts: row.attempts, runAt: row.run_at });
      consumers.set(queue, { renew, offer, drop });
      pump();
      return {
        async stop() {
          consumers.delete(queue);
          ending.abort();
          await Promise.all(ended);
        },
        health: () => ({ ok: true, detail: `${active.size} active, ${waiting.size} waiting` }),
      };
    },
  });

  async function counts() {
    const rows = await store.db
      .selectFrom('core_job')
      .select(({ fn }) => ['queue', 'status', fn.countAll<number>().as('n')])
      .groupBy(['queue', 'status'])
      .execute();
    const queues = [...new Set(rows.map((row) => row.queue))];
    const count = (queue: string, status: string): number =>
      Number(rows.find((row) => row.queue === queue && row.status === status)?.n ?? 0);
    return queues.map((queue) => ({ queue, ready: count(queue, 'ready'), dead: count(queue, 'dead') }));
  }

  return { add, remove, worker, counts };
}
