import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunStatus, RunSummary } from '#runs/contract';
import { chooseRuns, dailyTime } from './choose-runs.ts';

const run = (id: string, status: RunStatus, dryRun = false): RunSummary => ({ id, status, dryRun }) as RunSummary;
const chosen = (...runs: RunSummary[]): (string | undefined)[] => {
  const { latest, newest } = chooseRuns(runs);
  return [latest?.id, newest?.id];
};

describe('Which briefing is shown', () => {
  it('is the newest that succeeded, with word of a newer one', () => {
    assert.deepEqual(chosen(run('b', 'succeeded'), run('a', 'succeeded')), ['b', undefined]);
    assert.deepEqual(chosen(run('b', 'running'), run('a', 'succeeded')), ['a', 'b']);
    assert.deepEqual(chosen(run('b', 'failed'), run('a', 'succeeded')), ['a', 'b']);
    assert.deepEqual(chosen(run('a', 'running')), [undefined, 'a']);
    assert.deepEqual(chosen(), [undefined, undefined]);
  });

  it('is never a dry run, and one that was called off is not told of', () => {
    assert.deepEqual(chosen(run('c', 'succeeded', true), run('b', 'cancelled'), run('a', 'succeeded')), ['a', undefined]);
  });
});

describe('The time of a daily briefing', () => {
  it('is read from a daily cron only', () => {
    const at = (expression: string): string | null => dailyTime({ triggers: [{ kind: 'cron', expression, missed: 'run_once' }] });
    assert.equal(at('0 7 * * *'), '07:00');
    assert.equal(at('30 18 * * 1-5'), '18:30');
    assert.equal(at('*/5 * * * *'), null);
    assert.equal(at('0 7 1 * *'), null);
    assert.equal(dailyTime({ triggers: [] }), null);
  });
});
