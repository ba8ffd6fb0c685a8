import assert from 'node:assert/strict';
import { it } from 'node:test';
import { textOf } from './text-of.ts';

it('An output that has words shows them; data stays data', () => {
  assert.equal(textOf('# Hello'), '# Hello');
  assert.equal(textOf({ text: 'a', markdown: '**b**' }), '**b**');
  for (const data of [null, '', '  ', 3, [], ['a'], { items: [] }, { text: '' }, { text: 3 }]) assert.equal(textOf(data), null);
});
