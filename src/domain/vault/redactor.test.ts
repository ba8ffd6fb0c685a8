import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRedactor } from './redactor.ts';

/** One for all tests: what it knows by form takes some milliseconds to build. */
const redactor = createRedactor();

function redactorOf(...values: readonly string[]) {
  redactor.load(values.map((value, index) => ({ name: `s${index}`, value })));
  return redactor;
}

const value = fc.string({ minLength: 8, maxLength: 60, unit: 'grapheme' }).filter((text) => text.trim().length >= 8 && text.length >= 8);
const around = fc.string({ maxLength: 20 });

describe('redactor', () => {
  it('finds a value whole, in JSON, in a URL and in hex', () => {
    fc.assert(
      fc.property(value, around, around, (text, before, after) => {
        const redactor = redactorOf(text);
        for (const form of [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text), Buffer.from(text).toString('hex')]) {
          assert.deepEqual(redactor.find(`${before} ${form} ${after}`), ['s0']);
          assert.equal(redactor.redact(`${before} ${form} ${after}`).includes(form), false);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('finds a value inside the base64 of anything around it', () => {
    fc.assert(
      fc.property(value, around, around, fc.constantFrom('base64', 'base64url'), (text, before, after, encoding) => {
        const encoded = Buffer.from(before + text + after).toString(encoding as 'base64');
        assert.deepEqual(redactorOf(text).find(encoded), ['s0']);
      }),
      { numRuns: 200 },
    );
  });

  it('takes the longest of two that begin alike, and names each', () => {
    const redactor = redactorOf('hunter22', 'hunter22-and-more');
    assert.equal(redactor.redact('hunter22 hunter22-and-more'), '[secret:s0] [secret:s1]');
  });

  it('leaves a text without secrets as it is, and does not look for very short ones', () => {
    assert.equal(redactorOf('1234', 'abcdefgh').redact('1234 abcd'), '1234 abcd');
    assert.equal(createRedactor().redact('anything'), 'anything');
  });

  it('takes a value that is no well-formed text', () => {
    assert.equal(redactorOf('bad\ud800half').redact('x bad\ud800half'), 'x [secret:s0]');
  });

  it('reads a value as text, not as a pattern', () => {
    assert.equal(redactorOf('a.*b(c)[d]').redact('axxb a.*b(c)[d]'), 'axxb [secret:s0]');
  });
});

it('a text that comes in pieces is held back exactly while it may be the beginning of a secret', () => {
  const redactor = createRedactor();
  redactor.load([{ name: 'key', value: 'zzabcdef-secret' }]);
  assert.equal(redactor.pending('nothing here!'), 0);
  assert.equal(redactor.pending('see zzabc'), 5);
  assert.equal(redactor.pending('see zzabcdef-secre'), 14);
  assert.equal(redactor.pending('see zzabcdef-secret!'), 0);
  assert.equal(redactor.pending('zzabcx!'), 0);
  assert.equal(createRedactor().pending('zzabc!'), 0);
});

describe('hashes', () => {
  it('are no secrets, from back to front either: the chain of the audit is made of them', () => {
    const redactor = createRedactor();
    for (let n = 0; n < 20_000; n += 1) {
      const hash = createHash('sha256').update(String(n)).digest('hex');
      const text = JSON.stringify({ hash, id: hash.slice(0, 32) });
      assert.equal(redactor.stored(hash), hash);
      assert.equal(redactor.stored(text), text);
    }
  });
});

describe('a value with texts in it', () => {
  const redactor = createRedactor();
  redactor.load([{ name: 's0', value: 'seven "tired" owls' }]);
  const token = `ghp_${'aB3dE5gH7jK9mN2pQ4rS6tV8wX1yZ0cF4hJ2'}`;

  it('is cleaned text by text, and the name of a field counts', () => {
    assert.deepEqual(redactor.json({ a: [`x ${token}`], [token]: null, password: 'c0rrect-Horse9', n: 1, other: 'c0rrect-Horse9' }), {
      a: ['x [redacted:github-pat]'],
      '[redacted:github-pat]': null,
      password: '[redacted:password]',
      n: 1,
      other: 'c0rrect-Horse9',
    });
  });

  it('stays JSON as text, whatever it holds, and is the same the second time', () => {
    const inner = fc.oneof(
      fc.constantFrom(token, 'seven "tired" owls', '-u a"b:c0rrect', 'curl -u "me:c0rrect-Horse9"', 'password="'),
      fc.string(),
    );
    const tree = fc.jsonValue({ maxDepth: 2 });
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('password', 'token', 'a', 'Authorization', 'url'), fc.oneof(inner, tree, fc.array(inner))),
        (value) => {
          const once = redactor.stored(JSON.stringify(value));
          assert.doesNotThrow(() => JSON.parse(once), once);
          assert.equal(redactor.stored(once), once);
          assert.ok(!once.includes(token) && !once.includes('seven \\"tired'));
        },
      ),
      { numRuns: 300 },
    );
  });
});
