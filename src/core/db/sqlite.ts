import { AsyncLocalStorage } from 'node:async_hooks';
import { stat } from 'node:fs/promises';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import { AppError } from '../errors.ts';
import type { Direct } from './prepared.ts';
import type { Db, Store, Tables } from './store.ts';

/** Below it, two checkpoints at once can lose acknowledged writes (sqlite.org/releaselog/3_51_3.html). */
const OLDEST_SAFE_SQLITE = [3, 51, 3] as const;

/** A group closes after this many writes, so that the first of them is not kept waiting. */
const LARGEST_GROUP = 256;

interface Job {
  readonly run: (tx: Db) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What belongs to one `write`: its hooks, run when the group is durable. */
interface Frame {
  readonly tx: Db;
  hooks: (() => void)[];
}

/** Opens the SQLite file of the home (or `:memory:`), one writer with group commit and one reader. */
export function openSqlite(path: string): Store {
  const inMemory = path === ':memory:';
  const writer = connect(path, false);
  const reader = inMemory ? writer : connect(path, true);
  const frames = new AsyncLocalStorage<Frame>();
  const [begin, commit, savepoint, release] = ['begin immediate', 'commit', 'savepoint one', 'release one'].map((text) =>
    writer.prepare(text),
  ) as [StatementSync, StatementSync, StatementSync, StatementSync];
  let clean = (text: string): string => text;
  const bind: Bind = (value) => (typeof value === 'string' ? clean(value) : bound(value));
  let queue: Job[] = [];
  let group: Promise<void> | null = null;

  const tx = new Kysely<Tables>({ dialect: dialect(statements(writer), bind) });
  const db = inMemory
    ? new Kysely<Tables>({ dialect: dialect(statements(writer), bind, settled) })
    : new Kysely<Tables>({ dialect: dialect(statements(reader), bind) });

  /**
   * In memory there is one connection: a reader waits for the open group. One inside it would see something else than on a file, and on a
   * server it needs a second connection of the pool, for which all may be waiting: so that tests find it, it is refused here.
   */
  async function settled(): Promise<void> {
    if (frames.getStore()) throw new Error('store.db was used inside store.write: query with the tx that it gives');
    while (group) await group;
  }

  function write<R>(fn: (tx: Db) => Promise<R>): Promise<R> {
    const outer = frames.getStore();
    if (outer) return fn(outer.tx);
    return new Promise((resolve, reject) => {
      queue.push({ run: fn, resolve: resolve as (value: unknown) => void, reject });
      group ??= drain();
    });
  }

  function onCommit(fn: () => void): void {
    const frame = frames.getStore();
    if (!frame) throw new Error('onCommit belongs inside write');
    frame.hooks.push(fn);
  }

  async function drain(): Promise<void> {
    await nextTick();
    while (queue.length > 0) await commitGroup();
    group = null;
  }

  async function commitGroup(): Promise<void> {
    const written: { job: Job; value: unknown; hooks: (() => void)[] }[] = [];
    try {
      begin.run();
    } catch (error) {
      queue.shift()?.reject(explain(error));
      return;
    }
    try {
      for (let size = 0; queue.length > 0 && size < LARGEST_GROUP; size += 1) {
        const job = queue.shift()!;
        const frame: Frame = { tx, hooks: [] };
        savepoint.run();
        try {
          const value = await frames.run(frame, job.run, tx);
          release.run();
          written.push({ job, value, hooks: frame.hooks });
        } catch (error) {
          job.reject(explain(error));
          if (!writer.isTransaction) throw error; // the engine gave up the whole transaction, as on a full disk
          writer.exec('rollback to one; release one');
        }
        if (queue.length === 0 && size > 0) await nextTick();
      }
      commit.run();
    } catch (error) {
      if (writer.isTransaction) writer.exec('rollback');
      for (const { job } of written) job.reject(explain(error));
      return;
    }
    for (const { job, value, hooks } of written) {
      for (const hook of hooks) hook();
      job.resolve(value);
    }
  }

  return {
    db,
    dialect: { fts5: true, shared: false },
    write,
    onCommit,
    cleanTexts(next) {
      clean = next;
    },
    async checkIntegrity() {
      const found = reader.prepare('pragma quick_check(1)').get() as { quick_check: string };
      if (found.quick_check !== 'ok') throw corrupt(path, found.quick_check);
    },
    async facts() {
      const { version } = reader.prepare('select sqlite_version() as version').get() as { version: string };
      return { sizeBytes: inMemory ? 0 : (await stat(path)).size, engine: `SQLite ${version}` };
    },
    async close() {
      while (group) await group;
      if (!inMemory) {
        writer.exec('pragma wal_checkpoint(truncate)');
        reader.close();
      }
      writer.close();
    },
  };
}

function connect(path: string, readOnly: boolean): DatabaseSync {
  let db: DatabaseSync;
  try {
    db = new DatabaseSync(path, { timeout: 5_000, readOnly });
    const { version } = db.prepare('select sqlite_version() as version').get() as { version: string };
    assertSafeVersion(version);
    db.exec('pragma foreign_keys = on; pragma cache_size = -16000; pragma temp_store = memory');
    if (!readOnly) db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 2000');
  } catch (error) {
    throw explain(error, path);
  }
  return db;
}

/** Refuses a SQLite with the WAL bug. */
export function assertSafeVersion(version: string): void {
  const parts = version.split('.').map(Number);
  for (const [at, least] of OLDEST_SAFE_SQLITE.entries()) {
    const part = parts[at] ?? 0;
    if (part > least) return;
    if (part < least)
      throw new AppError(
        'unavailable',
        'store.unsafe_engine',
        `SQLite ${version} can lose writes; Castellan needs ${OLDEST_SAFE_SQLITE.join('.')} or newer`,
        { version },
      );
  }
}

/** Turns the engine's own codes into sentences; leaves every other error as it is. */
function explain(error: unknown, path = 'the database'): unknown {
  const { errcode, message } = error as { errcode?: number; message?: string };
  switch (errcode === undefined ? undefined : errcode & 0xff) {
    case 11:
    case 26:
      return corrupt(path, message ?? 'damaged', error);
    case 13:
      return new AppError(
        'unavailable',
        'store.disk_full',
        'The disk is full: nothing was written. Free some space; work goes on by itself.',
        {},
        error,
      );
    case 8:
    case 14:
      return new AppError(
        'unavailable',
        'store.not_writable',
        `Cannot open ${path} for writing: check that the folder exists and belongs to you`,
        { path },
        error,
      );
    case 5:
    case 6:
      return new AppError(
        'unavailable',
        'store.locked',
        `Another program holds ${path}: only one Castellan may use a home`,
        { path },
        error,
      );
    default:
      return error;
  }
}

function corrupt(path: string, found: string, cause?: unknown): AppError {
  return new AppError(
    'unavailable',
    'store.corrupt',
    `The database ${path} is damaged (${found}). It was not touched: restore a backup with "castellan backup restore", or move the file away to start anew.`,
    { path },
    cause,
  );
}

function nextTick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Statements of one connection, prepared once each. */
interface Statements {
  get(sql: string): { readonly statement: StatementSync; readonly reads: boolean };
  close(): void;
}

function statements(db: DatabaseSync): Statements {
  const kept = new Map<string, { statement: StatementSync; reads: boolean }>();
  return {
    get(sql) {
      let found = kept.get(sql);
      if (!found) {
        const statement = db.prepare(sql);
        found = { statement, reads: statement.columns().length > 0 };
        if (kept.size >= 500) kept.delete(kept.keys().next().value!);
        kept.set(sql, found);
      }
      return found;
    },
    close: () => kept.clear(),
  };
}

/**
 * Every query here is done before its call returns, so nobody needs the connection to himself, and Kysely's own lock on it would only let
 * readers queue up behind one that waits for the open group.
 */
class Adapter extends SqliteAdapter implements Direct {
  readonly rows: Direct['rows'];
  constructor(rows: Direct['rows']) {
    super();
    this.rows = rows;
  }
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/** Binds a value, its text cleaned. */
type Bind = (value: unknown) => SQLInputValue;

/** Kysely over one node:sqlite connection whose transactions are led from outside. */
function dialect(known: Statements, bind: Bind, before?: () => Promise<void>) {
  const rows: Direct['rows'] = (sql, parameters) => {
    const { statement, reads } = known.get(sql);
    const values = parameters.map(bind);
    if (reads) return statement.all(...values);
    statement.run(...values);
    return [];
  };
  return {
    createAdapter: () => new Adapter(before ? (sql, parameters) => before().then(() => rows(sql, parameters)) : rows),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createDriver: () => driver(known, bind, before),
  };
}

function driver(known: Statements, bind: Bind, before?: () => Promise<void>): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      if (before) await before();
      const { statement, reads } = known.get(sql);
      const values = parameters.map(bind);
      if (reads) return { rows: statement.all(...values) as R[] };
      const { changes, lastInsertRowid } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    },
    async *streamQuery<R>({ sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
      if (before) await before();
      for (const row of known.get(sql).statement.iterate(...parameters.map(bind))) yield { rows: [row as R] };
    },
  };
  const refuse = (): Promise<never> => Promise.reject(new Error('Use store.write for a transaction'));
  return {
    init: async () => {},
    acquireConnection: async () => connection,
    releaseConnection: async () => {},
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    destroy: async () => known.close(),
  };
}

function bound(value: unknown): SQLInputValue {
  if (value === undefined) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value as SQLInputValue;
}
