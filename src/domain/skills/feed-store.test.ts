import assert from 'node:assert/strict';
import { it } from 'node:test';
import { onEveryEngine } from '#core/db/testing';
import { createFeedStore } from './feed-store.ts';
import { skillMigrations } from './tables.ts';

const [A, B] = ['https://a.example/feed', 'https://b.example/feed'] as const;

onEveryEngine('feed store', (open) => {
  it('counts failures in a row, keeps validators through them, and forgets failures at the first success', async () => {
    await using store = await open(skillMigrations);
    const feeds = createFeedStore(store);
    const kept = { url: A, etag: '"1"', lastModified: null, windowHours: 48 };
    await store.write((tx) => feeds.keepValidators(tx, { at: 1, feeds: [kept] }));
    await feeds.note(
      [
        { url: A, error: 'down' },
        { url: B, error: null },
      ],
      2,
    );
    await feeds.note(
      [
        { url: A, error: 'still down' },
        { url: B, error: null },
      ],
      3,
    );
    assert.deepEqual(await feeds.health(), [
      { url: A, lastOkAt: null, failures: 2, lastError: 'still down' },
      { url: B, lastOkAt: '1970-01-01T00:00:00.003Z', failures: 0, lastError: null },
    ]);
    assert.deepEqual([...(await feeds.validators([A, B])).values()], [kept]);
    await feeds.note([{ url: A, error: null }], 4);
    assert.deepEqual((await feeds.health())[0], { url: A, lastOkAt: '1970-01-01T00:00:00.004Z', failures: 0, lastError: null });
    assert.equal((await feeds.validators([])).size, 0);
    await assert.rejects(
      store.write((tx) => feeds.keepValidators(tx, { feeds: 'none' })),
      { code: 'input.invalid' },
    );
  });
});
