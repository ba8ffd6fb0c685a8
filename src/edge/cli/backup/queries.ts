import { sql, type Kysely } from 'kysely';
import type { Db } from '#core/db/store';
import { backupTables, type BackupTables } from './tables.ts';

/** The same connection, seen as a backup. */
function own(db: Db): Kysely<BackupTables> {
  return db as unknown as Kysely<BackupTables>;
}

/** A whole and compact copy of the database as it is at this moment, whoever writes to it meanwhile. The file must not exist. */
export async function copyDatabase(db: Db, path: string): Promise<void> {
  await sql`vacuum into ${path}`.execute(db);
}

export async function makeBackupTables(db: Db): Promise<void> {
  for (const ddl of backupTables) await sql.raw(ddl).execute(db);
}

/** The agent's database is as it was before it became a backup. */
export async function dropBackupTables(db: Db): Promise<void> {
  await sql`drop table backup_manifest`.execute(db);
  await sql`drop table backup_file`.execute(db);
}

export async function writeManifest(db: Db, entries: Readonly<Record<string, string>>): Promise<void> {
  await own(db)
    .insertInto('backup_manifest')
    .values(Object.entries(entries).map(([key, value]) => ({ key, value })))
    .execute();
}

/** Null when the database is no backup. */
export async function readManifest(db: Db): Promise<Record<string, string> | null> {
  const { rows: known } = await sql`select 1 from sqlite_schema where name = 'backup_manifest'`.execute(db);
  if (known.length === 0) return null;
  const rows = await own(db).selectFrom('backup_manifest').selectAll().execute();
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
}

export async function insertFile(db: Db, file: BackupTables['backup_file']): Promise<void> {
  await own(db).insertInto('backup_file').values(file).execute();
}

export async function filePaths(db: Db): Promise<readonly string[]> {
  return (await own(db).selectFrom('backup_file').select('path').orderBy('path').execute()).map(({ path }) => path);
}

export async function readFileRow(db: Db, path: string): Promise<BackupTables['backup_file']> {
  return own(db).selectFrom('backup_file').selectAll().where('path', '=', path).executeTakeFirstOrThrow();
}

/** Rows of every table of the agent, by name: what tells that nothing was left out. */
export async function countRows(db: Db): Promise<Record<string, number>> {
  const { rows: tables } = await sql<{ name: string }>`
    select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name not like 'backup_%' and sql not like 'create virtual%' order by name`.execute(
    db,
  );
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(name)}`.execute(db);
    counts[name] = rows[0]?.count ?? 0;
  }
  return counts;
}

/** The engine's own check of every page and index; `ok`, or what is wrong. */
export async function fullCheck(db: Db): Promise<string> {
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check(1)`.execute(db);
  return rows[0]?.integrity_check ?? 'no answer';
}

/** Changes of the schema that the database has seen. */
export async function appliedMigrations(db: Db): Promise<readonly string[]> {
  return (await own(db).selectFrom('core_migration').select('name').orderBy('name').execute()).map(({ name }) => name);
}
