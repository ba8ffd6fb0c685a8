import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Migration } from './migration.ts';
import { prepared, preparedUpdate } from './prepared.ts';
import { onEveryEngine } from './testing.ts';

declare module './store.ts' {
  interface Tables {
    test_card: Card;
  }
}
interface Card {
  id: string;
  title: string | null;
  n: number;
}

const card: Migration = {
  name: 'test-002-card',
  ddl: ['create table test_card (id text primary key, title text, n integer not null) strict'],
};
const insert = prepared<Card, unknown>(['id', 'title', 'n'], (db, row) => db.insertInto('test_card').values(row));
const byTitle = prepared<{ title: string; most: number }, Card>(['title', 'most'], (db, of) =>
  db.selectFrom('test_card').selectAll().where('title', '=', of.title).where('n', '<=', of.most).orderBy('id').limit(5),
);
const update = preparedUpdate<{ id: string }, Partial<Card>, Card>(['id'], (db, { id }, set) =>
  db.updateTable('test_card').set(set).where('id', '=', id).returningAll(),
);

onEveryEngine('prepared queries', (open) => {
  it('take their values anew at each call, and constants of the query stay where they were', async () => {
    await using store = await open([card]);
    await store.write(async (tx) => {
      await insert(tx, { id: 'a', title: 'x', n: 1 });
      await insert(tx, { id: 'b', title: 'x', n: 2 });
      await insert(tx, { id: 'c', title: null, n: 3 });
    });
    const found = await Promise.all([byTitle(store.db, { title: 'x', most: 1 }), byTitle(store.db, { title: 'x', most: 9 })]);
    assert.deepEqual(
      found.map((rows) => rows.map(({ id }) => id)),
      [['a'], ['a', 'b']],
    );
  });

  it('an update writes the columns it is given and no others, whatever was asked before', async () => {
    await using store = await open([card]);
    await store.write((tx) => insert(tx, { id: 'a', title: 'x', n: 1 }));
    const [first] = await store.write((tx) => update(tx, { id: 'a' }, { title: null }));
    const [second] = await store.write((tx) => update(tx, { id: 'a' }, { n: 7, title: 'y' }));
    const [third] = await store.write((tx) => update(tx, { id: 'a' }, { n: 8 }));
    assert.deepEqual(
      [first, second, third].map((row) => ({ ...row })),
      [
        { id: 'a', title: null, n: 1 },
        { id: 'a', title: 'y', n: 7 },
        { id: 'a', title: 'y', n: 8 },
      ],
    );
    assert.deepEqual(await store.write((tx) => update(tx, { id: 'nobody' }, { n: 1 })), []);
  });

  it('are undone with the write they are part of', async () => {
    await using store = await open([card]);
    await assert.rejects(
      store.write(async (tx) => {
        await insert(tx, { id: 'a', title: 'x', n: 1 });
        throw new Error('undo');
      }),
    );
    assert.deepEqual(await byTitle(store.db, { title: 'x', most: 9 }), []);
  });
});
