import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anyText } from '#core/testing';
import { chunksOf, LONGEST_CHUNK } from './chunks.ts';

describe('chunks', () => {
  it('cover the whole text in order, none too long, none cut within a character', () => {
    const piece = fc.oneof(
      fc.constantFrom('\n\n', '\n## ', '. ', ' ', '\n'),
      anyText({ maxLength: 400 }),
      fc.constantFrom('x'.repeat(3_000), '🦉'.repeat(1_500)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('').toWellFormed();
        const chunks = chunksOf(text);
        assert.equal(chunks[0]!.start, 0);
        assert.equal(chunks.at(-1)!.end, text.length);
        for (const [at, { start, end }] of chunks.entries()) {
          assert.ok(end - start <= LONGEST_CHUNK && (end > start || text === ''));
          assert.ok(text.slice(start, end).isWellFormed());
          const before = chunks[at - 1];
          if (before) assert.ok(start <= before.end && start > before.start && end > before.end);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('end before a heading rather than within a paragraph', () => {
    const text = `${'word '.repeat(250)}\n## Second\n${'more '.repeat(300)}`;
    const [first] = chunksOf(text);
    assert.ok(text.slice(first!.end).startsWith('## Second'));
  });
});
