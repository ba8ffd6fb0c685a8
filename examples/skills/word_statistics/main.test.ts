import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testContext } from '#skill/testing';
import wordStatistics from './main.ts';

const config = { top: 2, minLength: 3, wordsPerMinute: 200 };
const run = (input: string | { text: string }) => wordStatistics.run({ input, config, context: testContext() });

test('counts words, sentences and paragraphs', async () => {
  const { outcome, output } = await run({ text: 'The cat sat. The dog ran!\n\nA cat?' });
  assert.equal(outcome, 'on_success');
  assert.deepEqual(output, {
    words: 8,
    distinctWords: 6,
    sentences: 3,
    paragraphs: 2,
    characters: 33,
    readingMinutes: 0,
    frequent: [
      { word: 'cat', times: 2 },
      { word: 'the', times: 2 },
    ],
  });
});

test('a text without a word is empty', async () => {
  assert.equal((await run(' ... ')).outcome, 'on_empty');
});
