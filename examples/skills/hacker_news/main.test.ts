import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testContext } from '#skill/testing';
import hackerNews from './main.ts';

const API = 'https://hacker-news.firebaseio.com/v0';
const config = { list: 'top', count: 2, minScore: 5 } as const;

test('gives the first stories above the score, the living ones', async () => {
  const context = testContext({
    web: {
      [`${API}/topstories.json`]: [1, 2, 3, 4],
      [`${API}/item/1.json`]: { id: 1, type: 'story', title: 'Low', score: 1 },
      [`${API}/item/2.json`]: { id: 2, type: 'story', title: 'Dead', score: 9, dead: true },
      [`${API}/item/3.json`]: { id: 3, type: 'story', title: 'Good', score: 9, time: 0, by: 'ada', url: 'https://example.com/' },
      [`${API}/item/4.json`]: null,
    },
  });
  const { outcome, output } = await hackerNews.run({ input: null, config, context });
  assert.equal(outcome, 'on_items');
  assert.deepEqual(output, [
    {
      id: 'hacker-news:3',
      title: 'Good',
      url: 'https://example.com/',
      date: '1970-01-01T00:00:00.000Z',
      summary: '9 points, 0 comments: https://news.ycombinator.com/item?id=3',
      feed: 'Hacker News',
      author: 'ada',
    },
  ]);
});

test('says when there is none', async () => {
  const context = testContext({ web: { [`${API}/topstories.json`]: [] } });
  assert.deepEqual(await hackerNews.run({ input: null, config, context }), { outcome: 'on_empty', output: [] });
});
