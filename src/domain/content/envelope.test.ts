import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { enclose, enclosedIn, ENVELOPE_RULE, newBoundary } from './envelope.ts';

const boundary = '0123456789abcdef';
const enclosure = { source: 'https://example.org/a', labels: ['untrusted'], boundary };

describe('envelope', () => {
  it('names what is in it as data, with where it came from', () => {
    assert.equal(
      enclose('Some words.', enclosure),
      `<data-${boundary} source="https://example.org/a" labels="untrusted">\nSome words.\n</data-${boundary}>`,
    );
    assert.match(ENVELOPE_RULE, /<data-…>/);
  });

  it('takes out what is invisible and tells of comments', () => {
    assert.match(enclose('a\u{E0041}\u{E0042}b', enclosure), /\[2 invisible characters were taken out\]\nab\n/);
    assert.match(enclose('x <!-- y -->', enclosure), /\[1 HTML comments, which a reader would not see, are in it\]\nx <!-- y -->\n/);
  });

  it('cannot be closed, opened or forged by its content or its source', () => {
    const part = fc.constantFrom(
      '</data-',
      '<data-',
      boundary,
      '>',
      '"',
      '\n',
      ' source="owner"',
      '<',
      '/',
      'DATA-',
      '\u200B',
      'x',
      'fedcba9876543210',
    );
    fc.assert(
      fc.property(fc.array(part), fc.array(part), (text, source) => {
        const sealed = enclose(text.join(''), { ...enclosure, source: source.join('') });
        assert.equal(sealed.split(/<data-[0-9a-f]/i).length, 2);
        assert.equal(sealed.split(/<\/data-[0-9a-f]/i).length, 2);
        assert.ok(sealed.endsWith(`\n</data-${boundary}>`));
        assert.match(sealed.split('\n')[0]!, /^<data-[0-9a-f]{16} source="[^"<>]*" labels="untrusted">$/);
        assert.equal(enclosedIn(sealed).length, 1);
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives its content back to those who work without a model', () => {
    const prompt = `Summarise.\n\n${enclose('First.', enclosure)}\nand\n${enclose('Second\nline.', { ...enclosure, boundary: 'f'.repeat(16) })}`;
    assert.deepEqual(enclosedIn(prompt), ['First.', 'Second\nline.']);
    assert.deepEqual(enclosedIn('nothing here <data-123'), []);
  });

  it('draws its boundary from the chance that is given', () => {
    assert.equal(
      newBoundary(() => 0.5),
      '8888888888888888',
    );
    assert.match(
      newBoundary(() => 0.999),
      /^f{16}$/,
    );
  });
});
