import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createBus } from '#core/bus';
import type { Notice } from '#notifications';
import type { RunSummary } from '#runs/contract';
import { telling } from './telling.ts';

const failed: RunSummary = {
  id: 'r',
  kind: 'workflow',
  status: 'failed',
  title: 'Briefing',
  workflowId: 'w',
  workflowVersion: 1,
  parentRunId: null,
  trigger: { kind: 'cron' },
  dryRun: false,
  outcome: null,
  error: { kind: 'unavailable', code: 'x', message: 'no feed answered' },
  labels: [],
  costUsd: 0,
  createdAt: '',
  startedAt: null,
  endedAt: null,
  wakeAt: null,
};

it('tells the owner when a breaker opens and closes, and when a run that nobody watched has failed', async () => {
  const bus = createBus((_, error) => assert.fail(String(error)));
  const told: Notice[] = [];
  const life = new AbortController();
  await telling(bus, async (notice) => void told.push(notice)).start({ signal: life.signal, exit: () => {} });
  await bus.publishAndWait('breaker.changed', { key: 'host:example.org', state: 'open', failures: 5, until: 0, error: 'HTTP 500' });
  await bus.publishAndWait('breaker.changed', { key: 'host:example.org', state: 'half_open', failures: 5, until: null, error: null });
  await bus.publishAndWait('breaker.changed', { key: 'host:example.org', state: 'closed', failures: 0, until: null, error: null });
  await bus.publishAndWait('run.ended', { run: failed });
  await bus.publishAndWait('run.ended', { run: { ...failed, trigger: { kind: 'owner' } } });
  await bus.publishAndWait('run.ended', { run: { ...failed, status: 'succeeded' } });
  assert.deepEqual(
    told.map(({ severity, key }) => [severity, key]),
    [
      ['warning', 'breaker:host:example.org'],
      ['info', 'breaker:host:example.org:well'],
      ['warning', 'run.failed:w'],
    ],
  );
  life.abort();
  await bus.publishAndWait('run.ended', { run: failed });
  assert.equal(told.length, 3);
});
