import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createBus } from '../bus.ts';
import { systemClock } from '../clock.ts';
import { sequentialIds } from '../ids.ts';
import { createOutbox, outboxMigrations } from './outbox.ts';
import type { Store } from './store.ts';
import { onEveryEngine } from './testing.ts';

declare module '../bus.ts' {
  interface Events {
    'test.noted': { readonly n: number };
  }
}

function setup(store: Store, handler?: (n: number) => Promise<void>) {
  const heard: number[] = [];
  const bus = createBus(() => {});
  const outbox = createOutbox({ store, bus, clock: systemClock, newId: sequentialIds() });
  const life = new AbortController();
  bus.subscribe('test.noted', async ({ n }) => (await handler?.(n), void heard.push(n)), life.signal);
  return { heard, outbox, add: (n: number) => store.write((tx) => outbox.add(tx, 'test.noted', { n })), life };
}

const left = async (store: Store): Promise<number> => (await store.db.selectFrom('core_outbox').selectAll().execute()).length;
async function until(is: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000 && !(await is()); tries += 1) await systemClock.sleep(5);
}

onEveryEngine('outbox', (open) => {
  it('tells of a change once it is durable, and forgets it then', async () => {
    await using store = await open(outboxMigrations);
    const t = setup(store);
    await store.write(async (tx) => {
      await t.outbox.add(tx, 'test.noted', { n: 1 });
      assert.deepEqual(t.heard, []);
    });
    await until(async () => (await left(store)) === 0);
    assert.deepEqual(t.heard, [1]);
  });

  it('never tells of what was undone', async () => {
    await using store = await open(outboxMigrations);
    const t = setup(store);
    await assert.rejects(
      store.write(async (tx) => {
        await t.outbox.add(tx, 'test.noted', { n: 1 });
        throw new Error('undo');
      }),
    );
    await t.add(2);
    await until(async () => (await left(store)) === 0);
    assert.deepEqual(t.heard, [2]);
  });

  it('tells at the next start what a crash left untold, in order', async () => {
    await using store = await open(outboxMigrations);
    const gone = setup(store, () => new Promise(() => {})); // dies while its subscribers work
    for (const n of [1, 2, 3]) await gone.add(n);
    assert.equal(await left(store), 3);
    const t = setup(store);
    const running = await t.outbox.service.start({ signal: t.life.signal, exit: () => assert.fail() });
    assert.deepEqual(t.heard, [1, 2, 3]);
    assert.equal(await left(store), 0);
    await running.stop();
  });
});
