import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { duration, money, relativeTime } from './format.ts';

describe('What a person reads', () => {
  it('tells time by its distance', () => {
    const now = Date.UTC(2026, 10, 21, 12);
    assert.equal(relativeTime(now - 1_000, now), 'just now');
    assert.equal(relativeTime(now - 42_000, now), '42 seconds ago');
    assert.equal(relativeTime(now - 119_000, now), '1 minute ago');
    assert.equal(relativeTime(now + 7_200_000, now), 'in 2 hours');
    assert.equal(relativeTime(now - 86_400_000, now), 'yesterday');
    assert.equal(relativeTime(now - 30 * 86_400_000, now), 'Oct 22, 2026');
  });

  it('tells how long', () => {
    assert.deepEqual([420, 3_400, 65_000, 3_600_000, 12_000_000, 90_000_000].map(duration), [
      '420 ms',
      '3.4 s',
      '1 min 5 s',
      '1 h',
      '3 h 20 min',
      '1 d 1 h',
    ]);
  });

  it('tells money down to what counts', () => {
    assert.deepEqual([0, 1.2, 0.1, 0.00341, 0.00000004].map(money), ['$0', '$1.20', '$0.10', '$0.0034', '< $0.0001']);
  });
});
