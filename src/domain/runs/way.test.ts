import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { memoryStore } from '#core/db/testing';
import { sequentialIds } from '#core/ids';
import type { Label, Taken } from './contract.ts';
import { insertStep } from './queries.ts';
import { createRuns } from './runs.ts';
import { runMigrations, type StepRow } from './tables.ts';

async function setup() {
  const store = await memoryStore(runMigrations);
  const runs = createRuns({
    store,
    bus: createBus(() => {}),
    clock: systemClock,
    newId: sequentialIds('run'),
    keep: () => ({ days: 1, perWorkflow: 10 }),
  });
  let seq = 0;
  const step = (run: string, path: string, labels: Label[], taken: Taken[] = [], over: Partial<StepRow> = {}): Promise<unknown> =>
    store.write((tx) =>
      insertStep(tx, {
        run_id: run, path, seq: (seq += 1), name: path, skill: path, status: 'succeeded', attempt: 1, interruptions: 0, outcome: 'ok', next: '', input: null,
        output: JSON.stringify(`${path} said`), error: null, labels: JSON.stringify(labels), taken: taken.length > 0 ? JSON.stringify(taken) : null, cost_usd: 0,
        waits_for: null, signal: null, deferred: null, started_at: 0, ended_at: 0, wake_at: null, ...over,
      }),
    ); // prettier-ignore
  const start = async (over: object = {}): Promise<string> =>
    (await store.write((tx) => runs.create(tx, { kind: 'workflow', title: 'News', trigger: { kind: 'owner' }, ...over }))).run.id;
  return { store, runs, step, start, [Symbol.asyncDispose]: () => store.close() };
}

const from = (url: string): Taken[] => [{ label: 'untrusted', from: url }];

test('a label is followed to its source, through maps and the runs that started this one', async () => {
  await using t = await setup();
  const parent = await t.start();
  await t.step(parent, 'feed', ['untrusted'], from('https://a.example/feed'));
  await t.step(parent, 'pages[0]/page', ['untrusted'], from('https://a.example/0'));
  await t.step(parent, 'pages[1]/page', ['untrusted'], from('https://a.example/1'));
  await t.step(parent, 'pages[1]/act', ['untrusted']);
  assert.deepEqual(await t.runs.labelPaths(parent, 'pages[1]/act'), [
    { label: 'untrusted', from: ['https://a.example/feed', 'https://a.example/1'], via: ['feed', 'pages[1]/page', 'pages[1]/act'] },
  ]);
  await t.step(parent, 'later', ['untrusted']);
  assert.deepEqual((await t.runs.labelPaths(parent, 'later'))[0]!.via, ['feed', 'pages', 'later']);
  const child = await t.start({ title: 'Child', parentRunId: parent, labels: ['untrusted'], trigger: { kind: 'workflow', id: parent } });
  await t.step(parent, 'child', ['untrusted'], [], { waits_for: `run:${child}` });
  await t.step(child, 'send', ['untrusted']);
  const [way] = await t.runs.labelPaths(child, 'send');
  assert.ok(way!.from.includes('https://a.example/feed'));
  assert.deepEqual(way!.via, ['News/child', 'send']);
});

test('what came by a webhook is untrusted whoever says otherwise, and its way begins at the trigger', async () => {
  await using t = await setup();
  const run = await t.start({ trigger: { kind: 'webhook', id: 'delivery-1' }, labels: ['owner'] });
  assert.deepEqual((await t.runs.get(run)).labels, ['owner', 'untrusted']);
  await t.step(run, 'first', ['untrusted']);
  assert.deepEqual((await t.runs.labelPaths(run, 'first'))[0]!.from, ['the input webhook delivery-1']);
});

test('the way to a step leaves out the step itself, other items of its map, and what a parent handed over', async () => {
  await using t = await setup();
  const parent = await t.start({ input: { pages: ['x'] } });
  await t.step(parent, 'pages[0]/page', ['untrusted'], from('https://a.example/0'));
  await t.step(parent, 'pages[1]/page', ['untrusted'], from('https://a.example/1'));
  await t.step(parent, 'pages[1]/act', ['untrusted']);
  const child = await t.start({ parentRunId: parent, input: 'https://evil.example/' });
  await t.step(child, 'act', ['untrusted']);
  const [here] = await t.runs.wayTo(parent, 'pages[1]/act');
  assert.deepEqual([here!.input, here!.steps.map(({ skill }) => skill)], [{ pages: ['x'] }, ['pages[1]/page']]);
  assert.equal(await here!.steps[0]!.output(), 'pages[1]/page said');
  const ways = await t.runs.wayTo(child, 'act');
  assert.deepEqual(
    ways.map(({ input, steps }) => [input, steps.length]),
    [
      [null, 0],
      [{ pages: ['x'] }, 3],
    ],
  );
});
