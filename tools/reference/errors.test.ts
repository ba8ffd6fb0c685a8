import assert from 'node:assert/strict';
import { it } from 'node:test';
import { codesIn } from './errors.ts';

it('reads kind, code and message, with what varies in braces', () => {
  const source = "throw new AppError('not_found', 'memory.not_found', `No memory ${input.id} of ${first(names) ?? '?'}`, { id });";
  assert.deepEqual(codesIn(source), [{ kind: 'not_found', code: 'memory.not_found', message: 'No memory {id} of {…}' }]);
});

it('reads across lines, a quote inside a message, and a message that is an expression', () => {
  const source =
    "new AppError(\n  'invalid',\n  'feeds.bad_url',\n  'It\\'s no URL',\n);\nnew AppError('conflict', 'feeds.exists', describe(feed));";
  assert.deepEqual(codesIn(source), [
    { kind: 'invalid', code: 'feeds.bad_url', message: "It's no URL" },
    { kind: 'conflict', code: 'feeds.exists', message: '' },
  ]);
});

it('reads the calls of a factory inside the file, and no other call', () => {
  const source =
    "const failure = (name: string, text: string) => new AppError('unavailable', name, text);\nthrow failure('fetch.dns', `No ${host}`);";
  assert.deepEqual(codesIn(source), [{ kind: 'unavailable', code: 'fetch.dns', message: 'No {host}' }]);
  assert.deepEqual(codesIn("bus.publish('memory.added', 'x');"), []);
});

it('reads a code that is handed on, when the file makes others of its area', () => {
  const source =
    "throw new AppError('conflict', 'skill.open', 'Open');\nread(x, 'skill.bad_input');\nread = (x, code: string) => new AppError('invalid', code, 'No');\nwatch('node.exit');";
  assert.deepEqual(
    codesIn(source).map(({ kind, code }) => [kind, code]),
    [
      ['conflict', 'skill.open'],
      ['invalid', 'skill.bad_input'],
    ],
  );
});
