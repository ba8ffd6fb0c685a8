import { after, describe } from 'node:test';
import { sql } from 'kysely';
import { migrate, type Migration } from './migration.ts';
import { openPostgres, postgresStore } from './postgres.ts';
import { openSqlite } from './sqlite.ts';
import type { Store } from './store.ts';

/** A migrated store of its own for one test. */
export type TestStore = Store & AsyncDisposable;

export async function memoryStore(...migrations: readonly (readonly Migration[])[]): Promise<TestStore> {
  const store = openSqlite(':memory:');
  await migrate(store, migrations.flat());
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

/** Runs a suite on every engine at hand: SQLite, PostgreSQL in process, and the server of CASTELLAN_TEST_DATABASE_URL. */
export function onEveryEngine(
  title: string,
  suite: (open: (...migrations: readonly (readonly Migration[])[]) => Promise<TestStore>) => void,
): void {
  describe(`${title} (SQLite)`, () => suite(memoryStore));
  describe(`${title} (PostgreSQL, PGlite)`, () => suite(pgliteStore));
  if (!started.ending) after(closePglite); // of all suites, whatever file comes last
  started.ending = true;
  const url = process.env['CASTELLAN_TEST_DATABASE_URL'];
  if (url) describe(`${title} (PostgreSQL, server)`, () => suite((...migrations) => serverStore(url, migrations)));
}

/** One PGlite serves all tests of the process: it takes seconds to start. Each test has a schema to itself. */
const pglite = Promise.withResolvers<unknown>();
const started = { yet: false, ending: false, schemas: 0 };

async function pgliteStore(...migrations: readonly (readonly Migration[])[]): Promise<TestStore> {
  const [{ PGlite }, { PGliteDialect }] = await Promise.all([import('@electric-sql/pglite'), import('kysely')]);
  if (!started.yet) {
    started.yet = true;
    pglite.resolve(PGlite.create());
  }
  const server = (await pglite.promise) as InstanceType<typeof PGlite>;
  const store = await postgresStore(new PGliteDialect({ pglite: server }));
  return inSchema(store, migrations, async () => {});
}

/** For ten seconds after its last query it would keep the process waiting for its statistics. */
async function closePglite(): Promise<void> {
  if (started.yet) await ((await pglite.promise) as { close(): Promise<void> }).close();
}

async function serverStore(url: string, migrations: readonly (readonly Migration[])[]): Promise<TestStore> {
  const name = `test_${process.pid}_${(started.schemas += 1)}`;
  const address = new URL(url);
  address.searchParams.set('options', `-c search_path=${name}`);
  const store = await openPostgres(address.href);
  await sql.raw(`create schema ${name}`).execute(store.db);
  await migrate(store, migrations.flat());
  return Object.assign(store, {
    async [Symbol.asyncDispose]() {
      await sql.raw(`drop schema ${name} cascade`).execute(store.db);
      await store.close();
    },
  });
}

async function inSchema(store: Store, migrations: readonly (readonly Migration[])[], end: () => Promise<void>): Promise<TestStore> {
  const name = `test_${(started.schemas += 1)}`;
  await sql.raw(`create schema ${name}`).execute(store.db);
  await sql.raw(`set search_path to ${name}`).execute(store.db);
  await migrate(store, migrations.flat());
  return Object.assign(store, {
    async [Symbol.asyncDispose]() {
      await sql.raw(`drop schema ${name} cascade`).execute(store.db);
      await end();
    },
  });
}
