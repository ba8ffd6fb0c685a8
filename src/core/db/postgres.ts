import { AsyncLocalStorage } from 'node:async_hooks';
import { Kysely, sql, type Dialect as KyselyDialect } from 'kysely';
import { AppError } from '../errors.ts';
import { withCleanTexts } from './clean-texts.ts';
import type { Db, Store, Tables } from './store.ts';

interface Frame {
  readonly tx: Db;
  readonly hooks: (() => void)[];
}

/** Connects to a PostgreSQL server; `url` is a `postgres://` address. */
export async function openPostgres(url: string): Promise<Store> {
  const [{ default: pg }, { PostgresDialect }] = await Promise.all([import('pg'), import('kysely')]);
  const int8 = 20;
  const types = {
    getTypeParser: ((oid: number, format?: 'text') =>
      oid === int8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
  };
  const pool = new pg.Pool({ connectionString: url, max: 10, types, connectionTimeoutMillis: 10_000 });
  pool.on('error', () => {}); // an idle connection that broke is replaced at its next use
  return postgresStore(new PostgresDialect({ pool }));
}

/** The store over any Kysely dialect that speaks PostgreSQL: the server's driver, or PGlite in tests. */
export async function postgresStore(dialect: KyselyDialect): Promise<Store> {
  let clean = (text: string): string => text;
  const db = new Kysely<Tables>({ dialect: withCleanTexts(dialect, (text) => clean(text)) });
  const frames = new AsyncLocalStorage<Frame>();
  await assertReachable(db);

  return {
    db,
    dialect: { fts5: false, shared: true },
    async write(fn) {
      const outer = frames.getStore();
      if (outer) return fn(outer.tx);
      const hooks: (() => void)[] = [];
      const value = await db.transaction().execute((tx) => frames.run({ tx, hooks }, fn, tx));
      for (const hook of hooks) hook();
      return value;
    },
    onCommit(fn) {
      const frame = frames.getStore();
      if (!frame) throw new Error('onCommit belongs inside write');
      frame.hooks.push(fn);
    },
    cleanTexts(next) {
      clean = next;
    },
    async checkIntegrity() {
      await sql`select 1`.execute(db);
    },
    async facts() {
      const { rows } = await sql<{
        size: number;
        version: string;
      }>`select pg_database_size(current_database()) as size, current_setting('server_version') as version`.execute(db);
      return { sizeBytes: Number(rows[0]?.size ?? 0), engine: `PostgreSQL ${rows[0]?.version ?? ''}`.trim() };
    },
    close: () => db.destroy(),
  };
}

async function assertReachable(db: Db): Promise<void> {
  try {
    await sql`select 1`.execute(db);
  } catch (cause) {
    throw new AppError(
      'unavailable',
      'store.unreachable',
      `Cannot reach PostgreSQL at DATABASE_URL: ${(cause as Error).message}`,
      {},
      cause,
    );
  }
}
