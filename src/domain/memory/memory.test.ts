import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBus } from '#core/bus';
import { manualClock, systemClock } from '#core/clock';
import { createLocalQueue, queueMigrations } from '#core/db/queue';
import type { Store } from '#core/db/store';
import { memoryStore, onEveryEngine, type TestStore } from '#core/db/testing';
import { AppError } from '#core/errors';
import { uuidv7 } from '#core/ids';
import type { Service } from '#core/service';
import { createMemory, type Memory, type MemoryDeps } from './memory.ts';
import { recallBlock } from './recall.ts';
import { memoryMigrations } from './tables.ts';
import { wordEmbedder } from './testing.ts';

const NOON = Date.UTC(2026, 10, 1, 12);
const at = (ms: number): string => new Date(ms).toISOString();
const offline: MemoryDeps['embed'] = () => Promise.reject(new AppError('unavailable', 'llm.no_provider', 'No provider embeds'));

function make(store: Store, deps: Partial<MemoryDeps> = {}) {
  const clock = manualClock(NOON);
  const bus = createBus(() => {});
  const events: unknown[] = [];
  bus.tap((name, event) => void events.push([name, event]), new AbortController().signal);
  const queue = createLocalQueue({ store, clock: systemClock, newId: uuidv7(), onError: () => {} });
  const canonicalUrl = (url: string): string => url.replace(/[?#].*/, '');
  const redact = (text: string): string => text.replaceAll('hunter2', '[secret]');
  const memory = createMemory({ store, bus, clock, newId: uuidv7(clock.now), queue, embed: offline, canonicalUrl, redact, ...deps });
  return { memory, clock, events, queue };
}

async function setup(deps: Partial<MemoryDeps> = {}) {
  const store = await memoryStore(queueMigrations, memoryMigrations);
  return { store, ...make(store, deps), [Symbol.asyncDispose]: () => store.close() };
}

async function running(service: Service) {
  const abort = new AbortController();
  const life = await service.start({
    signal: abort.signal,
    exit: (cause) => {
      throw cause ?? new Error('ended');
    },
  });
  return {
    async [Symbol.asyncDispose]() {
      abort.abort();
      await life.stop();
    },
  };
}

async function until(is: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400 && !(await is()); i += 1) await systemClock.sleep(5);
}

const waiting = async (memory: Memory, model: string | null): Promise<number> =>
  (await memory.stats()).vectors.find((one) => one.model === model)?.parts ?? 0;
const texts = (found: { readonly items: readonly { readonly text: string }[] }): string[] => found.items.map(({ text }) => text);

onEveryEngine('memory', (open) => {
  const start = async (): Promise<TestStore> => open(queueMigrations, memoryMigrations);

  it('knows a page by its address, an item by its identity, a note by its words', async () => {
    await using store = await start();
    const { memory, events } = make(store);
    const first = await memory.add('owner', { kind: 'news_item', text: 'one', url: 'https://a.example/x?utm_source=feed' });
    assert.deepEqual(await memory.add('owner', { kind: 'news_item', text: 'two', url: 'https://a.example/x#top' }), {
      id: first.id,
      existed: true,
    });
    assert.equal((await memory.get('owner', first.id)).text, 'one');
    assert.equal((await memory.add('other', { kind: 'news_item', text: 'one', url: 'https://a.example/x' })).existed, false);
    assert.deepEqual(
      [
        (await memory.add('owner', { kind: 'fact', text: 'Tea  is hot' })).existed,
        (await memory.add('owner', { kind: 'fact', text: 'tea is HOT ' })).existed,
      ],
      [false, true],
    );
    assert.deepEqual(
      await memory.known('owner', ['https://a.example/x?again', 'https://a.example/y', 'guid-1']),
      new Set(['https://a.example/x?again']),
    );
    assert.equal(events.length, 3);
  });

  it('adds many at once or none', async () => {
    await using store = await start();
    const { memory, events } = make(store);
    await assert.rejects(
      memory.addMany('owner', [
        { kind: 'fact', text: 'good' },
        { kind: 'fact', text: ' ' },
      ]),
      { code: 'memory.empty' },
    );
    assert.deepEqual([(await memory.list({ scope: 'owner', limit: 9 })).items, events], [[], []]);
    const added = await store.write((tx) =>
      memory.addMany(
        'owner',
        [
          { kind: 'fact', text: 'a' },
          { kind: 'fact', text: 'b' },
          { kind: 'fact', text: 'a' },
        ],
        tx,
      ),
    );
    assert.deepEqual([added.map(({ existed }) => existed), added[2]!.id], [[false, false, true], added[0]!.id]);
  });

  it('lists a scope, newest first, page by page', async () => {
    await using store = await start();
    const { memory } = make(store);
    for (const text of ['1', '2', '3']) await memory.add('w', { kind: 'fact', text });
    await memory.add('w', { kind: 'news_item', text: 'other', pinned: true });
    const first = await memory.list({ scope: 'w', kind: 'fact', limit: 2 });
    const second = await memory.list({ scope: 'w', kind: 'fact', limit: 2, cursor: first.next! });
    assert.deepEqual([texts(first), texts(second), second.next], [['3', '2'], ['1'], null]);
    assert.deepEqual(texts(await memory.list({ scope: 'w', pinned: true, limit: 9 })), ['other']);
  });

  it('shows nothing that expired, and the sweeper deletes it', async () => {
    await using store = await start();
    const { memory, clock, events } = make(store);
    const { id } = await memory.add('owner', { kind: 'fact', text: 'brief truth', identity: 'x', expiresAt: at(NOON + 1_000) });
    const pinned = await memory.add('owner', { kind: 'fact', text: 'lasting truth', pinned: true, expiresAt: at(NOON + 1_000) });
    clock.set(NOON + 1_000);
    await assert.rejects(memory.get('owner', id), { code: 'memory.not_found' });
    assert.deepEqual(texts(await memory.list({ scope: 'owner', limit: 9 })), ['lasting truth']);
    assert.deepEqual(texts(await memory.search({ scopes: ['owner'], text: 'truth', limit: 9 })), ['lasting truth']);
    assert.deepEqual(await memory.known('owner', ['x']), new Set());
    const again = await memory.add('owner', { kind: 'fact', text: 'brief truth', identity: 'x', expiresAt: at(NOON + 2_000) });
    assert.deepEqual([again.existed, again.id === id], [false, false]);
    clock.set(NOON + 2_000);
    assert.equal(await memory.sweep(), 1);
    assert.deepEqual(
      await store.db
        .selectFrom('memory_item')
        .select('id')
        .execute()
        .then((rows) => rows.map((row) => row.id)),
      [pinned.id],
    );
    assert.deepEqual(events.at(-1), ['memory.removed', { id: again.id, scope: 'owner', kind: 'fact', reason: 'expired' }]);
    assert.deepEqual((await memory.stats()).vectors, [{ model: null, parts: 1 }]);
  });

  it('forgets into the trash, does not learn it again, and can bring it back', async () => {
    await using store = await start();
    const { memory, clock } = make(store);
    const { id } = await memory.add('owner', { kind: 'fact', text: 'old flame', identity: 'x' });
    await memory.forget('owner', id);
    await assert.rejects(memory.get('owner', id), { code: 'memory.not_found' });
    assert.deepEqual(texts(await memory.search({ scopes: ['owner'], text: 'flame', limit: 9 })), []);
    assert.deepEqual(
      [await memory.add('owner', { kind: 'fact', text: 'old flame', identity: 'x' }), await memory.known('owner', ['x'])],
      [{ id, existed: true }, new Set(['x'])],
    );
    assert.deepEqual(texts(await memory.list({ scope: 'owner', trash: true, limit: 9 })), ['old flame']);
    await memory.restore('owner', id);
    assert.deepEqual(texts(await memory.search({ scopes: ['owner'], text: 'flame', limit: 9 })), ['old flame']);
    await memory.forget('owner', id);
    clock.set(NOON + 30 * 86_400_000);
    assert.equal(await memory.sweep(), 1);
    await assert.rejects(memory.restore('owner', id), { code: 'memory.not_found' });
    assert.equal((await memory.add('owner', { kind: 'fact', text: 'old flame', identity: 'x' })).existed, false);
  });

  it('searches by words at once and by meaning when the vectors are there', async () => {
    await using store = await start();
    const words = wordEmbedder();
    const { memory } = make(store, { embed: words.embed });
    await memory.addMany('owner', [
      { kind: 'fact', text: 'the cat sat on the mat' },
      { kind: 'news_item', text: 'parliament sat late' },
    ]);
    const query = { scopes: ['owner'] as [string], text: 'cat', limit: 5 };
    assert.deepEqual(
      (await memory.search(query)).items.map(({ text, textPlace, vectorPlace }) => [text, textPlace?.rank, vectorPlace]),
      [['the cat sat on the mat', 1, null]],
    );
    await using _ = await running(memory.services[0]!);
    await until(async () => (await waiting(memory, 'words-1')) === 2);
    const [hit] = (await memory.search({ ...query, kinds: ['fact'] })).items;
    assert.deepEqual([hit?.textPlace?.rank, hit?.vectorPlace?.rank, hit?.embeddingModel], [1, 1, 'words-1']);
  });
});

describe('memory', () => {
  it('keeps scopes apart', async () => {
    await using it = await setup();
    const { memory } = it;
    const { id } = await memory.add('w1', { kind: 'fact', text: 'private matter' });
    await assert.rejects(memory.get('w2', id), { code: 'memory.not_found' });
    for (const act of [memory.forget, memory.restore, memory.purge]) await assert.rejects(act('w2', id), { code: 'memory.not_found' });
    await assert.rejects(memory.update('w2', id, { text: 'changed' }), { code: 'memory.not_found' });
    assert.deepEqual(texts(await memory.search({ scopes: ['w2', 'owner'], text: 'private', limit: 9 })), []);
    assert.deepEqual(texts(await memory.search({ scopes: ['w2', 'w1'], text: 'private', limit: 9 })), ['private matter']);
  });

  it('refuses a missing scope, at compile time and at run time', async () => {
    await using it = await setup();
    // @ts-expect-error a scope is required
    await assert.rejects(it.memory.add(undefined, { kind: 'fact', text: 'x' }), { code: 'memory.no_scope' });
    // @ts-expect-error a scope is required
    await assert.rejects(it.memory.list({ limit: 1 }), { code: 'memory.no_scope' });
    // @ts-expect-error at least one scope is required
    await assert.rejects(it.memory.search({ scopes: [], text: 'x', limit: 1 }), { code: 'search.no_scope' });
  });

  it('guards what is learnt: no empty, endless or recalled text, no secret', async () => {
    await using it = await setup();
    const { memory } = it;
    const add = (text: string, more = {}) => memory.add('owner', { kind: 'fact', text, ...more });
    await assert.rejects(add('\n'), { code: 'memory.empty' });
    await assert.rejects(add('é'.repeat(50_001)), { code: 'memory.too_long' });
    await assert.rejects(add('x', { metadata: { a: 'x'.repeat(40_000) } }), { code: 'memory.metadata_too_long' });
    await assert.rejects(add('x', { provenance: { recalled: true } }), { code: 'memory.recalled_text' });
    const { id } = await add('the password is hunter2', { metadata: { note: 'hunter2' }, title: 'hunter2' });
    const item = await memory.get('owner', id);
    assert.deepEqual([item.text, item.title, item.metadata], ['the password is [secret]', '[secret]', { note: '[secret]' }]);
    const { items } = await memory.search({ scopes: ['owner'], text: 'password', limit: 1 });
    await assert.rejects(add(`The user said: ${recallBlock(items)}`), { code: 'memory.recalled_text' });
    await assert.rejects(memory.update('owner', id, { text: recallBlock(items) }), { code: 'memory.recalled_text' });
  });

  it('finds edited words and not the old ones, and keeps the vector of a text that stayed', async () => {
    const words = wordEmbedder();
    await using it = await setup({ embed: words.embed });
    const { memory } = it;
    const { id } = await memory.add('owner', { kind: 'fact', text: 'green door', expiresAt: at(NOON + 5) });
    await using _ = await running(memory.services[0]!);
    await until(async () => (await waiting(memory, 'words-1')) === 1);
    const moved = await memory.update('owner', id, { kind: 'preference', pinned: true });
    assert.deepEqual([moved.embeddingModel, moved.expiresAt, moved.pinned], ['words-1', null, true]);
    assert.deepEqual(texts(await memory.search({ scopes: ['owner'], text: 'green', kinds: ['preference'], limit: 1 })), ['green door']);
    const edited = await memory.update('owner', id, { text: 'red door' });
    assert.equal(edited.embeddingModel, null);
    assert.equal((await memory.search({ scopes: ['owner'], text: 'green', limit: 1 })).items[0]?.textPlace ?? null, null);
    await until(async () => (await waiting(memory, 'words-1')) === 1);
    assert.equal((await memory.search({ scopes: ['owner'], text: 'red', limit: 1 })).items[0]!.textPlace!.rank, 1);
  });

  it('finds the passage of a long text and shows the text once', async () => {
    await using it = await setup();
    const { memory } = it;
    const text = `${'Filler about nothing in particular. '.repeat(150)}The needle is here. ${'And more filler follows it. '.repeat(150)}`;
    await memory.add('owner', { kind: 'web_page', text, title: 'Haystack filler' });
    const { items } = await memory.search({ scopes: ['owner'], text: 'needle filler', limit: 5 });
    assert.equal(items.length, 1);
    assert.match(items[0]!.passage, /needle/);
    assert.ok(items[0]!.passage.length <= 2_000);
  });

  it('answers by words when no model embeds, and says why', async () => {
    await using it = await setup();
    await it.memory.add('owner', { kind: 'fact', text: 'plain words' });
    const found = await it.memory.search({ scopes: ['owner'], text: 'plain', limit: 1 });
    assert.deepEqual([texts(found), found.textOnly], [['plain words'], 'No provider embeds']);
  });

  it('embeds after a restart what was left, and all anew when the model changed', async () => {
    await using it = await setup();
    await it.memory.addMany('owner', [
      { kind: 'fact', text: 'one' },
      { kind: 'fact', text: 'two' },
    ]);
    const first = make(it.store, { embed: wordEmbedder('m1').embed });
    {
      await using _ = await running(first.memory.services[0]!);
      await until(async () => (await waiting(first.memory, 'm1')) === 2);
    }
    const second = make(it.store, { embed: wordEmbedder('m2', 32).embed });
    await second.memory.reembed();
    await using _ = await running(second.memory.services[0]!);
    await until(async () => (await waiting(second.memory, 'm2')) === 2);
    assert.deepEqual((await second.memory.stats()).vectors, [{ model: 'm2', parts: 2 }]);
    assert.equal((await second.memory.search({ scopes: ['owner'], text: 'two', limit: 1 })).items[0]!.vectorPlace!.rank, 1);
  });

  it('does not mix models: a batch that comes from another is left for the next try', async () => {
    let calls = 0;
    const embed: MemoryDeps['embed'] = (given, options) => wordEmbedder((calls += 1) === 2 ? 'other' : 'main').embed(given, options);
    const failures: string[] = [];
    await using it = await setup();
    const queue = createLocalQueue({
      store: it.store,
      clock: systemClock,
      newId: uuidv7(),
      onError: (_, error) => void failures.push((error as AppError).code),
    });
    const { memory } = make(it.store, { embed, queue });
    await memory.addMany(
      'owner',
      Array.from({ length: 40 }, (_, i) => ({ kind: 'fact', text: `fact ${i}` })),
    );
    await using _ = await running(memory.services[0]!);
    await until(async () => failures.length > 0);
    assert.deepEqual([failures, await waiting(memory, 'main'), await waiting(memory, null)], [['memory.model_changed'], 32, 8]);
  });

  it('sweeps by itself', async () => {
    await using it = await setup();
    await it.memory.add('owner', { kind: 'fact', text: 'brief', expiresAt: at(NOON + 1) });
    await using _ = await running(it.memory.services[1]!);
    await it.clock.advance(60_000);
    await until(async () => (await it.store.db.selectFrom('memory_item').select('id').execute()).length === 0);
    assert.deepEqual(await it.store.db.selectFrom('memory_item').select('id').execute(), []);
  });
});
