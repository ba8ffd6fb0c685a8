import assert from 'node:assert/strict';
import { it } from 'node:test';
import { killTest } from './torture/kill.ts';

it('kill -9 at step boundaries and inside effects: no step lost, no effect lost or doubled', async () => {
  const report = await killTest({ runs: 6, kills: 12, random: Math.random });
  assert.deepEqual(
    { ...report, kills: 0, unknown: 0 },
    { kills: 0, unknown: 0, runs: 6, steps: 60, lostSteps: 0, lostEffects: 0, doubledEffects: 0, wrongRuns: 0 },
  );
  assert.ok(report.kills >= 1);
});
