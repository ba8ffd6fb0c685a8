import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import { forPostgres, migrate, type Migration } from './migration.ts';
import { assertSafeVersion, openSqlite } from './sqlite.ts';
import type { Db } from './store.ts';
import { memoryStore, onEveryEngine } from './testing.ts';

const note: Migration = {
  name: 'test-001-note',
  ddl: ['create table test_note (id text primary key, n integer not null check (n >= 0)) strict, without rowid'],
};
const add = (db: Db, id: string, n = 1) => sql`insert into test_note (id, n) values (${id}, ${n})`.execute(db);
const ids = async (db: Db) => (await sql<{ id: string }>`select id from test_note order by id`.execute(db)).rows.map((row) => row.id);

onEveryEngine('store', (open) => {
  it('keeps what write resolved and forgets what it rejected, each on its own', async () => {
    await using store = await open([note]);
    const results = await Promise.allSettled([
      store.write((tx) => add(tx, 'a')),
      store.write(async (tx) => {
        await add(tx, 'b');
        throw new Error('no');
      }),
      store.write((tx) => add(tx, 'c', -1)),
      store.write((tx) => add(tx, 'd')),
    ]);
    assert.deepEqual(
      results.map((r) => r.status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(await ids(store.db), ['a', 'd']);
  });

  it('a write inside a write joins it, and shares its fate', async () => {
    await using store = await open([note]);
    await assert.rejects(
      store.write(async (tx) => {
        await add(tx, 'outer');
        await store.write((inner) => add(inner, 'inner'));
        throw new Error('undo');
      }),
    );
    assert.deepEqual(await ids(store.db), []);
  });

  it('runs commit hooks after the commit and never after an undo', async () => {
    await using store = await open([note]);
    const seen: string[] = [];
    await store.write(async (tx) => {
      await add(tx, 'a');
      store.onCommit(() => seen.push('a'));
    });
    await assert.rejects(
      store.write(async () => {
        store.onCommit(() => seen.push('b'));
        throw new Error('undo');
      }),
    );
    assert.deepEqual(seen, ['a']);
  });

  it('reads do not see a transaction that is still open, or wait for its end', async () => {
    await using store = await open([note]);
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const undone = store.write(async (tx) => {
      await add(tx, 'a');
      begun.resolve();
      await gate.promise;
      throw new Error('undo');
    });
    await begun.promise;
    const outside = ids(store.db);
    gate.resolve();
    await assert.rejects(undone);
    assert.deepEqual(await outside, []);
  });

  it('migrates once, in order', async () => {
    await using store = await open([note]);
    assert.deepEqual(
      await migrate(store, [note, { name: 'test-002-more', ddl: ['create table test_more (id text primary key) strict'] }]),
      ['test-002-more'],
    );
    assert.deepEqual(await migrate(store, [note]), []);
  });
});

it('in memory, refuses a read past the open transaction, which on a server could wait for ever; the others go on', async () => {
  await using store = await memoryStore([note]);
  await assert.rejects(
    store.write(async (tx) => {
      await add(tx, 'a');
      return ids(store.db);
    }),
    /inside store.write/,
  );
  await store.write((tx) => add(tx, 'b'));
  assert.deepEqual(await ids(store.db), ['b']);
});

describe('SQLite file', () => {
  async function folder() {
    const path = await mkdtemp(join(tmpdir(), 'castellan-store-'));
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
  }

  it('readers on a file do not wait for, nor see, an open write', async () => {
    await using home = await folder();
    const store = openSqlite(join(home.path, 'a.db'));
    await migrate(store, [note]);
    let during: string[] | undefined;
    await store.write(async (tx) => {
      await add(tx, 'a');
      during = await ids(store.db);
    });
    assert.deepEqual(during, []);
    assert.deepEqual(await ids(store.db), ['a']);
    await store.close();
  });

  it('names a damaged file and leaves it alone', async () => {
    await using home = await folder();
    await writeFile(
      join(home.path, 'a.db'),
      'this is no database, not at all, and it is long enough to have a header of one hundred bytes or more in it.',
    );
    assert.throws(() => openSqlite(join(home.path, 'a.db')), { code: 'store.corrupt' });
  });

  it('names a folder it cannot write to', () => {
    assert.throws(() => openSqlite('/nonexistent/castellan.db'), { code: 'store.not_writable' });
  });

  it('reports a full disk, undoes the group and goes on afterwards', async () => {
    await using home = await folder();
    const store = openSqlite(join(home.path, 'a.db'));
    await migrate(store, [note]);
    await store.write(async (tx) => void (await sql`pragma max_page_count = 8`.execute(tx)));
    const big = 'x'.repeat(60_000);
    const [bad] = await Promise.allSettled([store.write((tx) => add(tx, big))]);
    assert.equal((bad as PromiseRejectedResult).reason.code, 'store.disk_full');
    await store.write((tx) => add(tx, 'small'));
    assert.deepEqual(await ids(store.db), ['small']);
    await store.close();
  });

  it('refuses a SQLite that can lose writes', () => {
    for (const bad of ['3.51.2', '3.50.9', '2.9.9']) assert.throws(() => assertSafeVersion(bad), { code: 'store.unsafe_engine' });
    for (const good of ['3.51.3', '3.52.0', '4.0.0']) assertSafeVersion(good);
  });
});

it('forPostgres keeps names and widens types', () => {
  assert.equal(
    forPostgres('create table a (id integer, b blob, c real) strict, without rowid'),
    'create table a (id bigint, b bytea, c double precision)',
  );
});
