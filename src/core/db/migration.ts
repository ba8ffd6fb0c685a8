import { sql } from 'kysely';
import type { Db, Store } from './store.ts';

/** One change of the schema; a released one is never edited. */
export interface Migration {
  /** `memory-001-item`: the module, its own count, what it does. */
  readonly name: string;
  /** SQLite's DDL, one statement an entry; read for PostgreSQL by `forPostgres`. */
  readonly ddl?: readonly string[];
  /** What DDL cannot say; sees the schema of its own day, so it uses raw SQL. */
  readonly run?: (db: Db, dialect: Store['dialect']) => Promise<void>;
}

/** Applies what is missing, in the order given, each in a transaction of its own. */
export async function migrate(store: Store, migrations: readonly Migration[]): Promise<readonly string[]> {
  const { db, dialect } = store;
  const applied = new Set<string>();
  const known = dialect.shared
    ? sql`select 1 from information_schema.tables where table_schema = current_schema() and table_name = 'core_migration'`
    : sql`select 1 from sqlite_schema where name = 'core_migration'`;
  if ((await known.execute(db)).rows.length > 0) {
    const { rows } = await sql<{ name: string }>`select name from core_migration`.execute(db);
    for (const { name } of rows) applied.add(name);
  } else {
    await store.write(
      async (tx) =>
        void (await execute(tx, dialect.shared, 'create table core_migration (name text primary key, at integer not null) strict')),
    );
  }
  const fresh: string[] = [];
  for (const migration of migrations) {
    if (applied.has(migration.name)) continue;
    await store.write(async (tx) => {
      for (const statement of migration.ddl ?? []) await execute(tx, dialect.shared, statement);
      await migration.run?.(tx, dialect);
      await sql`insert into core_migration (name, at) values (${migration.name}, ${Date.now()})`.execute(tx);
    });
    fresh.push(migration.name);
  }
  return fresh;
}

async function execute(db: Db, postgres: boolean, ddl: string): Promise<void> {
  await sql.raw(postgres ? forPostgres(ddl) : ddl).execute(db);
}

/** The same table in PostgreSQL: 64-bit integers, bytea, and no STRICT or WITHOUT ROWID. */
export function forPostgres(ddl: string): string {
  return ddl
    .replace(/\binteger\b/gi, 'bigint')
    .replace(/\bblob\b/gi, 'bytea')
    .replace(/\breal\b/gi, 'double precision')
    .replace(/\)\s*(?:strict|without\s+rowid)(?:\s*,\s*(?:strict|without\s+rowid))?\s*$/i, ')');
}
