import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { sql } from 'kysely';
import { createBus } from '../bus.ts';
import { systemClock } from '../clock.ts';
import { uuidv7 } from '../ids.ts';
import { createOutbox, outboxMigrations } from './outbox.ts';
import { createLocalQueue, queueMigrations } from './queue.ts';
import { createSearchIndex, searchMigrations } from './search.ts';
import { onEveryEngine } from './testing.ts';

const hide = (text: string): string => text.replaceAll('sesame', 'almond');

onEveryEngine('texts given to the database', (open) => {
  it('are cleaned in every way there is to store or look for one', async () => {
    await using store = await open(outboxMigrations, queueMigrations, searchMigrations('x'));
    store.cleanTexts(hide);
    const newId = uuidv7();
    const bus = createBus(() => {});
    const queue = createLocalQueue({ store, clock: systemClock, newId, onError: () => {} });
    const index = createSearchIndex(store, 'x');
    await store.write(async (tx) => {
      await tx.insertInto('core_outbox').values({ id: 'open sesame', name: 'sesame', payload: '{}', at: 1 }).execute();
      await sql`insert into core_outbox (id, name, payload, at) values (${'raw sesame'}, 'x', '{}', 1)`.execute(tx);
      await tx.updateTable('core_outbox').set({ payload: '"sesame"' }).where('id', '=', 'open sesame').execute();
      await queue.add(tx, { queue: 'q', payload: { word: 'sesame' } });
      const text = 'the word is sesame, they say';
      await index.put(tx, 'item sesame', { scope: 's', kind: 'note', expiresAt: null }, [
        { title: 'sesame', text, start: 0, end: text.length },
      ]);
    });
    await createOutbox({ store, bus, clock: systemClock, newId }).service.start({ signal: AbortSignal.timeout(1_000), exit: () => {} });
    const stored = await Promise.all(
      ['core_outbox', 'core_job'].map(async (table) => (await sql.raw(`select * from ${table}`).execute(store.db)).rows),
    );
    assert.doesNotMatch(JSON.stringify(stored), /sesame/);
    const hits = async (text: string) =>
      (await index.search({ text, filter: { scopes: ['s'], now: 0 }, limit: 5 })).map(({ item }) => item);
    assert.deepEqual([await hits('almond'), await hits('sesame')], [['item almond'], ['item almond']]); // who asks for it asks in the same words
    assert.equal((await store.db.selectFrom('core_outbox').selectAll().where('id', '=', 'open sesame').execute()).length, 0);
  });
});

it('only src/core/db opens a database: there is no way around the cleaning', () => {
  const root = join(import.meta.dirname, '..', '..');
  const ways = /new DatabaseSync\(|new Kysely[<(]|\.Pool\(|\.createDriver\(/;
  const outside = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|fixtures|^core.db/.test(file))
    .filter((file) => ways.test(readFileSync(join(root, file), 'utf8')));
  assert.deepEqual(outside, [join('core', 'home', 'lock.ts')]); // a file that is only locked
});
