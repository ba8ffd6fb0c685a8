import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createSearchIndex, searchMigrations, type SearchIndex, type SearchTraits } from './search.ts';
import type { Store } from './store.ts';
import { memoryStore, onEveryEngine } from './testing.ts';

const NOW = 1_000;
const here: SearchTraits = { scope: 'owner', kind: 'note', expiresAt: null };
const filter = { scopes: ['owner'] as [string], now: NOW };
const migrations = searchMigrations('x');

const add = (store: Store, index: SearchIndex, item: string, text: string, traits: Partial<SearchTraits> = {}, title = '') =>
  store.write((tx) => index.put(tx, item, { ...here, ...traits }, [{ title, text, start: 0, end: text.length }]));

/** Points on a circle: `turn` 0 to 1. */
const point = (turn: number): Float32Array => new Float32Array([Math.cos(turn * 2 * Math.PI), Math.sin(turn * 2 * Math.PI)]);

async function embed(store: Store, index: SearchIndex, vectors: Record<string, Float32Array>, model = 'm'): Promise<void> {
  const parts = [...(await index.unembedded(1_000)), ...(await index.unembedded(1_000, model))];
  const given = parts.flatMap(({ id, item }) => (vectors[item] ? [{ id, values: vectors[item] }] : []));
  await store.write((tx) => index.setVectors(tx, model, given));
}

const items = (hits: readonly { readonly item: string }[]): string[] => hits.map(({ item }) => item);

onEveryEngine('search index', (open) => {
  it('finds words with or without accents, whatever stands around them', async () => {
    await using store = await open(migrations);
    const index = createSearchIndex(store, 'x');
    await add(store, index, 'a', 'Élan vital: a café in Zürich');
    await add(store, index, 'b', 'nothing of the kind');
    for (const text of ['cafe', 'CAFÉ?', 'zurich café', '"cafe" AND (', "café' | !*", 'elan NOT NEAR(', 'caf']) {
      assert.deepEqual(items(await index.search({ filter, text, limit: 5 })).at(0), 'a', text);
    }
    assert.deepEqual(await index.search({ filter, text: ' *"() ', limit: 5 }), []);
  });

  it('finds words of scripts without spaces', async () => {
    await using store = await open(migrations);
    const index = createSearchIndex(store, 'x');
    await add(store, index, 'a', '昨日東京都で会議がありました');
    await add(store, index, 'b', '大阪の天気');
    assert.deepEqual(items(await index.search({ filter, text: '東京', limit: 5 })), ['a']);
    assert.deepEqual(items(await index.search({ filter, text: '都市', limit: 5 })), []);
    for (const letter of '大阪気') assert.deepEqual(items(await index.search({ filter, text: letter, limit: 5 })), ['b']);
  });

  it('wants every word, then any; a title counts more than a text', async () => {
    await using store = await open(migrations);
    const index = createSearchIndex(store, 'x');
    await add(store, index, 'both', 'green tea with honey and much else to read besides it');
    await add(store, index, 'one', 'green');
    await add(store, index, 'title', 'much else to read besides it, and then more of it still', {}, 'honey');
    assert.equal((await index.search({ filter, text: 'honey green', limit: 1 }))[0]!.item, 'both');
    assert.deepEqual(items(await index.search({ filter, text: 'honey green', limit: 5 })).toSorted(), ['both', 'one', 'title']);
    assert.equal((await index.search({ filter, text: 'honey', limit: 5 }))[0]!.item, 'title');
  });

  it('filters inside both searches: a crowd outside the filter hides nothing', async () => {
    await using store = await open(migrations);
    const index = createSearchIndex(store, 'x');
    const near: Record<string, Float32Array> = {};
    await store.write(async () => {
      for (let i = 0; i < 240; i += 1) {
        const item = `crowd-${i}`;
        near[item] = point(0.1);
        await add(store, index, item, 'needle needle needle', [{ scope: 'other' }, { kind: 'news' }, { expiresAt: NOW }][i % 3]!);
      }
    });
    near['mine'] = point(0.2);
    await add(store, index, 'mine', 'one needle among many other words', { expiresAt: NOW + 1 });
    await embed(store, index, near);
    const query = { filter: { ...filter, kinds: ['note'] }, limit: 3 };
    assert.deepEqual(items(await index.search({ ...query, text: 'needle' })), ['mine']);
    const [hit, ...others] = await index.search({ ...query, text: '', vector: { model: 'm', values: point(0.1) } });
    assert.deepEqual([hit?.item, hit?.text, others], ['mine', null, []]);
    assert.ok(Math.abs(hit!.vector!.score - Math.cos(0.2 * Math.PI)) < 1e-3);
  });

  it('joins the two lists by rank and says where each stood', async () => {
    await using store = await open(migrations);
    const index = createSearchIndex(store, 'x');
    await add(store, index, 'words', 'tax return');
    await add(store, index, 'meaning', 'what the state gives back');
    await add(store, index, 'both', 'a return of tax, and a little more to read on it');
    await embed(store, index, { words: point(0.4), meaning: point(0.01), both: point(0.02) });
    const hits = await index.search({ filter, text: 'tax return', vector: { model: 'm', values: point(0), minSimilarity: 0.5 }, limit: 5 });
    assert.deepEqual(
      hits.map(({ item, text, vector }) => [item, text?.rank ?? 0, vector?.rank ?? 0]),
      [
        ['both', 2, 2],
        ['meaning', 0, 1],
        ['words', 1, 0],
      ],
    );
  });

  it('takes entries of one model only into the vector part', async () => {
    await using store = await open(migrations);
    const index = createSearchIndex(store, 'x');
    await add(store, index, 'old', 'old');
    await embed(store, index, { old: point(0) }, 'm1');
    await add(store, index, 'new', 'new');
    await embed(store, index, { new: new Float32Array([0, 0, 1]) }, 'm2');
    const ask = (values: Float32Array, model: string) =>
      index.search({ filter, text: '', vector: { model, values }, limit: 5 }).then(items);
    assert.deepEqual(
      [await ask(point(0), 'm1'), await ask(new Float32Array([0, 1, 1]), 'm2'), await ask(point(0), 'm2')],
      [['old'], ['new'], []],
    );
    assert.deepEqual(
      (await index.unembedded(9, 'm2')).map(({ item }) => item),
      ['old'],
    );
    await embed(store, index, { old: new Float32Array([1, 0, 0]) }, 'm2');
    assert.deepEqual([await ask(point(0), 'm1'), (await ask(new Float32Array([1, 0, 0.1]), 'm2'))[0]], [[], 'old']);
    assert.deepEqual(await index.counts(), [{ model: 'm2', parts: 2 }]);
  });

  it('follows changes made before and after the first search, and forgets what was undone', async () => {
    await using store = await open(migrations);
    const index = createSearchIndex(store, 'x');
    const ask = () =>
      index.search({ filter, text: 'word', vector: { model: 'm', values: point(0) }, limit: 5 }).then((hits) => items(hits).toSorted());
    for (const item of ['a', 'b', 'c', 'd']) await add(store, index, item, 'word');
    await embed(store, index, { a: point(0), b: point(0.1), c: point(0.2), d: point(0.3) });
    assert.deepEqual(await ask(), ['a', 'b', 'c', 'd']);
    await store.write((tx) => index.amend(tx, 'a', { ...here, scope: 'elsewhere' }));
    await store.write((tx) => index.remove(tx, ['b', 'unknown']));
    await assert.rejects(
      store.write(async (tx) => {
        await index.remove(tx, ['c']);
        throw new Error('undo');
      }),
    );
    await add(store, index, 'd', 'replaced');
    assert.deepEqual(await ask(), ['c']);
    const vectorOnly = await index.search({
      filter: { ...filter, scopes: ['owner', 'elsewhere'] },
      text: '',
      vector: { model: 'm', values: point(0) },
      limit: 5,
    });
    assert.deepEqual(items(vectorOnly), ['a', 'c']);
  });

  it('passes over a vector whose part was replaced while it was made', async () => {
    await using store = await open(migrations);
    const index = createSearchIndex(store, 'x');
    await add(store, index, 'a', 'before');
    const [part] = await index.unembedded(1);
    await add(store, index, 'a', 'after');
    await store.write((tx) => index.setVectors(tx, 'm', [{ id: part!.id, values: point(0) }]));
    assert.deepEqual(await index.search({ filter, text: '', vector: { model: 'm', values: point(0) }, limit: 5 }), []);
    assert.equal((await index.unembedded(9)).length, 1);
  });

  it('shows a long item once, with its best part, and leaves room for the others', async () => {
    await using store = await open(migrations);
    const index = createSearchIndex(store, 'x');
    const parts = Array.from({ length: 240 }, (_, i) => ({ title: '', text: i === 7 ? 'rare word' : 'word', start: i, end: i + 1 }));
    await store.write((tx) => index.put(tx, 'long', here, parts));
    await add(store, index, 'short', 'a word');
    const given = (await index.unembedded(500)).map(({ id, item, start }) => ({
      id,
      values: item === 'long' ? point(start / 1e6) : point(0.25),
    }));
    await store.write((tx) => index.setVectors(tx, 'm', given));
    const [rare] = await index.search({ filter, text: 'rare word', limit: 5 });
    assert.deepEqual([rare?.item, rare?.start], ['long', 7]);
    assert.deepEqual(items(await index.search({ filter, text: 'word', limit: 5 })).toSorted(), ['long', 'short']);
    const hits = await index.search({ filter, text: '', vector: { model: 'm', values: point(3 / 1e6) }, limit: 5 });
    assert.deepEqual(items(hits), ['long', 'short']);
  });

  it('refuses a search without a scope', async () => {
    await using store = await open(migrations);
    const index = createSearchIndex(store, 'x');
    // @ts-expect-error a scope is required
    await assert.rejects(index.search({ filter: { scopes: [], now: NOW }, text: 'a', limit: 1 }), { code: 'search.no_scope' });
  });
});

describe('search index of many entries', () => {
  it('looks for the rare words of a question where common ones would hide an old answer', async () => {
    await using store = await memoryStore(migrations);
    const index = createSearchIndex(store, 'x');
    await add(store, index, 'old', 'is a zanzibar');
    await store.write(async () => {
      for (let i = 0; i < 3_100; i += 1) await add(store, index, `new-${i}`, 'is is');
    });
    assert.deepEqual(items(await index.search({ filter, text: 'is zanzibar expensive', limit: 1 })), ['old']);
    assert.equal((await index.search({ filter, text: 'is', limit: 7 })).length, 7);
  });
});

describe('search index, by its properties', () => {
  const word = fc.constantFrom('alpha', 'beta', 'gamma', 'delta');
  const trait = fc.record({
    scope: fc.constantFrom('s1', 's2', 's3'),
    kind: fc.constantFrom('k1', 'k2'),
    expiresAt: fc.constantFrom(null, NOW - 1, NOW, NOW + 1),
  });
  const entry = fc.record({
    trait,
    words: fc.array(word, { minLength: 1, maxLength: 4 }),
    turn: fc.double({ min: 0, max: 1, noNaN: true }),
  });

  it('finds exactly what has a word or a vector and passes the filter, each once, best first', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 25 }),
        fc.subarray(['s1', 's2', 's3'], { minLength: 1 }),
        fc.option(fc.subarray(['k1', 'k2']), { nil: undefined }),
        fc.array(word, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        async (given, scopes, kinds, words, withVector) => {
          await using store = await memoryStore(migrations);
          const index = createSearchIndex(store, 'x');
          for (const [at, { trait: traits, words: text }] of given.entries()) await add(store, index, `${at}`, text.join(' '), traits);
          await embed(store, index, Object.fromEntries(given.map(({ turn }, at) => [`${at}`, point(turn)])));
          const hits = await index.search({
            filter: { scopes: scopes as [string], kinds, now: NOW },
            text: words.join(' '),
            vector: withVector ? { model: 'm', values: point(0.3) } : undefined,
            limit: 100,
          });
          const expected = given.flatMap(({ trait: { scope, kind, expiresAt }, words: text }, at) =>
            scopes.includes(scope) &&
            (kinds?.includes(kind) ?? true) &&
            (expiresAt === null || expiresAt > NOW) &&
            (withVector || text.some((each) => words.includes(each)))
              ? [`${at}`]
              : [],
          );
          assert.deepEqual(items(hits).toSorted(), expected.toSorted());
          for (const [at, hit] of hits.entries()) {
            assert.ok(at === 0 || hit.score <= hits[at - 1]!.score);
            assert.ok(hit.text !== null || hit.vector !== null);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
