import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testContext } from '#skill/testing';
import greet from './main.ts';

const config = { greeting: 'Good morning' };

test('greets', async () => {
  const context = testContext();
  assert.deepEqual(await greet.run({ input: 'Ada', config, context }), { outcome: 'on_success', output: { text: 'Good morning, Ada!' } });
  assert.deepEqual(context.said, ['greeting']);
});

test('says when there is nobody to greet', async () => {
  assert.equal((await greet.run({ input: null, config, context: testContext() })).outcome, 'on_empty');
});
