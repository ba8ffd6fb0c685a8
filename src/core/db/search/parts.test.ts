import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createCodeTable, queryPlanes, signCode, type RowTraits } from './codes.ts';
import { fuse } from './fuse.ts';
import { queryWords, wordsOf } from './words.ts';

describe('words', () => {
  it('hold letters, digits and marks only, and come out the same a second time', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const words = wordsOf(text);
        for (const word of words) assert.match(word, /^[\p{L}\p{N}\p{M}]+$/u);
        assert.ok(queryWords(text).length <= 24);
      }),
    );
    assert.deepEqual(wordsOf('CVE-2026-1234: Größe ａｂｃ'), ['cve', '2026', '1234', 'große', 'abc']);
    assert.deepEqual(wordsOf('x東京都y 京'), ['x', '東京', '京都', '都', 'y', '京']);
  });

  it('completes the last word of a question only', () => {
    assert.deepEqual(queryWords('new york new'), [
      { word: 'new', isPrefix: true },
      { word: 'york', isPrefix: false },
    ]);
    assert.deepEqual(queryWords('port 80'), [
      { word: 'port', isPrefix: false },
      { word: '80', isPrefix: false },
    ]);
  });
});

describe('fuse', () => {
  const list = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'));
  const ranked = (keys: readonly string[]) => keys.map((key) => ({ key, value: key }));

  it('has every key once, never puts a key behind one it leads in every list, and does not mind the order of the lists', () => {
    fc.assert(
      fc.property(list, list, (one, two) => {
        const fused = fuse([ranked(one), ranked(two)]);
        const order = fused.map(({ key }) => key);
        assert.deepEqual(order.toSorted(), [...new Set([...one, ...two])].toSorted());
        assert.deepEqual(
          fuse([ranked(two), ranked(one)]).map(({ key }) => key),
          order,
        );
        const rank = (keys: readonly string[], key: string): number => (keys.includes(key) ? keys.indexOf(key) : Infinity);
        for (const [at, first] of order.entries())
          for (const second of order.slice(at + 1)) {
            const leads = (a: string, b: string) => rank(one, a) <= rank(one, b) && rank(two, a) <= rank(two, b);
            assert.ok(!leads(second, first) || leads(first, second));
          }
      }),
    );
  });

  it('counts a key that comes twice where it stands first, and does not leave a gap', () => {
    const fused = fuse([ranked(['a', 'a', 'b'])]);
    assert.deepEqual(
      fused.map(({ key, score, in: [place] }) => [key, score, place?.rank]),
      [
        ['a', 1 / 61, 1],
        ['b', 1 / 62, 2],
      ],
    );
  });
});

describe('code table', () => {
  const traits: RowTraits = { scope: 's', kind: 'k', expiresAt: null };
  const filter = { scopes: ['s'], now: 0 };
  /** The values, each -7..7, where the code has a bit. */
  const product = (code: Uint8Array, values: readonly number[]): number =>
    values.reduce((sum, value, at) => sum + ((code[at >> 3]! >> (at & 7)) & 1) * value, 0);
  /** Planes of exactly these values: the greatest fixes the step. */
  const planesOf = (values: readonly number[]) => queryPlanes(new Float32Array(values.map((value) => value / 1_000)));

  it('knows the nearest after any changes', () => {
    const code = fc.uint8Array({ minLength: 16, maxLength: 16 });
    const change = fc.record({ id: fc.integer({ min: 1, max: 40 }), code: fc.option(code), scope: fc.constantFrom('s', 't') });
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 200 }),
        fc.array(fc.integer({ min: -7, max: 7 }), { minLength: 127, maxLength: 127 }),
        fc.integer({ min: 1, max: 10 }),
        (changes, values, count) => {
          const asked = [...values, 7];
          const table = createCodeTable(16);
          const model = new Map<number, { code: Uint8Array; scope: string }>();
          for (const { id, code: bits, scope } of changes) {
            if (bits) {
              table.set(id, bits, { ...traits, scope });
              model.set(id, { code: bits, scope });
            } else {
              table.delete(id);
              model.delete(id);
            }
          }
          const products = (ids: readonly number[]) => ids.map((id) => product(model.get(id)!.code, asked));
          const all = [...model].filter(([, { scope }]) => scope === 's').map(([id]) => id);
          const found = table.nearest(planesOf(asked), filter, count);
          assert.equal(table.size, model.size);
          assert.equal(new Set(found).size, found.length);
          assert.ok(found.every((id) => all.includes(id)));
          assert.deepEqual(
            products(found),
            products(all)
              .toSorted((a, b) => b - a)
              .slice(0, count),
          );
        },
      ),
    );
  });

  it('grows', () => {
    const table = createCodeTable(8);
    const codeOf = (id: number): Uint8Array =>
      new Uint8Array(new BigUint64Array([(BigInt(id) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn]).buffer);
    for (let id = 1; id <= 20_000; id += 1) table.set(id, codeOf(id), traits);
    for (const id of [1, 511, 512, 513, 9_999, 20_000])
      assert.equal(
        table.nearest(planesOf(Array.from({ length: 64 }, (_, at) => ((codeOf(id)[at >> 3]! >> (at & 7)) & 1) * 14 - 7)), filter, 1)[0],
        id,
      );
  });

  it('reads signs', () => {
    assert.deepEqual([...signCode(new Float32Array([1, -1, 0, 2, -3, 0, 0, 0, 5]))], [0b1001, 1, 0, 0, 0, 0, 0, 0]);
  });
});
