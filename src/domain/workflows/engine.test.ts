import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { createLocalQueue, queueMigrations } from '#core/db/queue';
import type { Store } from '#core/db/store';
import { memoryStore, onEveryEngine } from '#core/db/testing';
import { AppError } from '#core/errors';
import { uuidv7 } from '#core/ids';
import type { Json } from '#core/json';
import { createRuns, runMigrations, runRoutes, type Runs } from '#runs';
import { listRuns } from '#runs/contract';
import type { RunDetail } from '#runs/contract';
import type { SkillRequest, SkillResult } from '#skills/contract';
import { type Question, workflowMigrations } from '#workflows';
import { engineBed } from './testing.ts';

type Script = (request: SkillRequest) => Promise<SkillResult> | SkillResult;
const migrations = [queueMigrations, runMigrations, workflowMigrations] as const;

/** A whole engine on a store, with skills that are a function. */
function build(store: Store, script: Script) {
  const clock = systemClock;
  const newId = uuidv7();
  const bus = createBus((_, error) => assert.fail(String(error)));
  const queue = createLocalQueue({ store, clock, newId, onError: () => {} });
  const runs = createRuns({ store, bus, clock, newId, keep: () => ({ days: 1, perWorkflow: 100 }) });
  const questions: (Question & { id: string })[] = [];
  const remembered: Json[] = [];
  const rememberedIn: (string | null)[] = [];
  const granted: unknown[] = [];
  const { workflows, engine } = engineBed({
    store,
    bus,
    clock,
    newId,
    queue,
    runs,
    skills: { run: async (request) => script(request) },
    ask: async (_tx, question) => {
      const id = `q${questions.length + 1}`;
      questions.push({ ...question, id });
      return id;
    },
    grantExtra: async (...extra) => void granted.push(extra),
    deferred: { remember: async (_tx, data, { workspace }) => void (remembered.push(data), rememberedIn.push(workspace)) },
    ports: {
      skill: (name) => (name.startsWith('no_') ? undefined : { name, outcomes: ['ok', 'a', 'b', 'on_items'] }),
      workspace: async (name) => name === 'Work',
    },
  });
  const abort = new AbortController();
  const started = engine.service.start({ signal: abort.signal, exit: () => {} });
  return {
    bus,
    runs,
    workflows,
    engine,
    questions,
    remembered,
    rememberedIn,
    granted,
    async go(definition: object, options: { input?: Json; dryRun?: boolean; idempotencyKey?: string } = {}) {
      const name = `w${newId().slice(-12)}`;
      const workflow = await workflows.create({ name, ...definition }, { enabled: true, by: 'owner' });
      return { workflow, run: await store.write((tx) => engine.start(tx, workflow, { trigger: { kind: 'owner' }, ...options })) };
    },
    async stop() {
      abort.abort();
      await (await started).stop();
    },
  };
}

async function setup(script: Script) {
  const store = await memoryStore(...migrations);
  const it = build(store, script);
  return {
    store,
    ...it,
    async [Symbol.asyncDispose]() {
      await it.stop();
      await store.close();
    },
  };
}

async function settled(runs: Runs, id: string, until: readonly string[] = ['succeeded', 'failed', 'cancelled']): Promise<RunDetail> {
  for (let i = 0; i < 1_000; i += 1) {
    const run = await runs.detail(id);
    if (until.includes(run.status)) return run;
    await systemClock.sleep(5);
  }
  throw new Error(`run ${id} never became ${until.join(' or ')}: ${JSON.stringify(await runs.detail(id), null, 1)}`);
}

const ok = (output: Json = null, outcome = 'ok'): SkillResult => ({ outcome, output });
const done = async (t: { runs: Runs; go: Awaited<ReturnType<typeof setup>>['go'] }, definition: object, options: object = {}) =>
  settled(t.runs, (await t.go(definition, options)).run.id);

onEveryEngine('engine', (open) => {
  it('runs steps in order, each on what the one before left, and keeps all of it', async () => {
    await using store = await open(...migrations);
    const t = build(store, ({ skill, input }) => ok(`${String(input)}>${skill}`));
    const run = await done(
      t,
      {
        steps: [
          { id: 'one', skill: 'x' },
          { id: 'two', skill: 'y' },
        ],
      },
      { input: 'in' },
    );
    assert.equal(run.output, 'in>x>y');
    assert.deepEqual(
      run.steps.map(({ path, status, input, output }) => ({ path, status, input, output })),
      [
        { path: 'one', status: 'succeeded', input: 'in', output: 'in>x' },
        { path: 'two', status: 'succeeded', input: 'in>x', output: 'in>x>y' },
      ],
    );
    await t.stop();
  });
});

it('an outcome without a route goes on to the next step, and a routed one jumps, with the input of where it came from', async () => {
  await using t = await setup(({ step, input }) => ok(`${String(input)}.${step}`, step === 'first' ? 'b' : 'ok'));
  const steps = [
    { id: 'first', skill: 'x', next: { a: 'end', b: 'third' } },
    { id: 'second', skill: 'x' },
    { id: 'third', skill: 'x' },
  ];
  const run = await done(t, { steps }, { input: 'i' });
  assert.equal(run.output, 'i.first.third');
  const plain = await done(t, { steps: [{ ...steps[0], next: { a: 'end' } }, ...steps.slice(1)] }, { input: 'i' });
  assert.equal(plain.output, 'i.first.second.third');
});

it('loops, and a graph that never ends is stopped', async () => {
  let n = 0;
  await using t = await setup(() => ok((n += 1), n < 4 ? 'a' : 'b'));
  const run = await done(t, { steps: [{ id: 'again', skill: 'x', next: { a: 'again' } }] });
  assert.deepEqual([run.output, run.steps.map(({ path }) => path)], [4, ['again', 'again#2', 'again#3', 'again#4']]);
  const endless = await done(t, { steps: [{ id: 'x', skill: 'x', next: 'x' }] });
  assert.equal(endless.error?.code, 'workflow.endless');
});

it('takes input from any earlier step or several, and fills templates with values of their own type', async () => {
  const seen: SkillRequest[] = [];
  await using t = await setup((request) => {
    seen.push(request);
    return ok({ n: seen.length, list: [1, 2] });
  });
  await done(t, {
    steps: [
      { id: 'a', skill: 'x' },
      { id: 'b', skill: 'x' },
      { id: 'c', skill: 'x', inputFrom: ['a', 'b'], config: { list: '{{ steps.a.list }}', text: 'n={{ steps.b.n }}', keep: 7 } },
    ],
  });
  assert.deepEqual(seen[2]!.input, { a: { n: 1, list: [1, 2] }, b: { n: 2, list: [1, 2] } });
  assert.deepEqual(seen[2]!.config, { list: [1, 2], text: 'n=2', keep: 7 });
});

it('tells of its progress as it goes', async () => {
  const told: string[] = [];
  await using t = await setup(() => ok('x'));
  const life = new AbortController();
  t.bus.subscribe('run.changed', ({ run }) => void told.push(`run ${run.status}`), life.signal);
  t.bus.subscribe('step.changed', ({ path, status, outcome }) => void told.push(`${path} ${status} ${outcome}`), life.signal);
  t.bus.subscribe('run.ended', ({ run }) => void told.push(`ended ${run.outcome}`), life.signal);
  await done(t, {
    steps: [
      { id: 'a', skill: 'x' },
      { id: 'b', skill: 'x' },
    ],
  });
  life.abort();
  const of = (what: RegExp) => told.filter((line) => what.test(line));
  assert.deepEqual(of(/^[ab] /), ['a running null', 'a succeeded ok', 'b running null', 'b succeeded ok']);
  assert.deepEqual(of(/^(run|ended) /), ['run queued', 'run running', 'run succeeded', 'ended ok']);
});

it('skips a step whose condition is false', async () => {
  await using t = await setup(({ step }) => ok([step]));
  const run = await done(t, {
    steps: [
      { id: 'a', skill: 'x' },
      { id: 'b', skill: 'x', when: 'input.size > 3' },
      { id: 'c', skill: 'x', when: 'input.size == 1' },
    ],
  });
  assert.deepEqual(
    run.steps.map(({ status }) => status),
    ['succeeded', 'skipped', 'succeeded'],
  );
});

it('tries again as told, and journals each try', async () => {
  let tries = 0;
  await using t = await setup(() => {
    tries += 1;
    if (tries < 3) throw new AppError('unavailable', 'skill.failed', 'not yet');
    return ok('at last');
  });
  const run = await done(t, { steps: [{ id: 'a', skill: 'x', retry: { attempts: 3, delayMs: 1 } }] });
  assert.deepEqual([run.output, run.steps[0]?.attempt, run.journal.filter(({ type }) => type === 'step.retry').length], ['at last', 3, 2]);
});

it('does not try again what cannot become right, nor outcomes it was not told to', async () => {
  let tries = 0;
  await using t = await setup(({ skill }) => {
    tries += 1;
    throw skill === 'wrong' ? new AppError('invalid', 'skill.bad_config', 'no') : new AppError('unavailable', 'skill.failed', 'no');
  });
  await done(t, { steps: [{ id: 'a', skill: 'wrong', retry: { attempts: 3, delayMs: 1 } }] });
  await done(t, { steps: [{ id: 'a', skill: 'x', retry: { attempts: 3, delayMs: 1, on: ['on_timeout'] } }] });
  assert.equal(tries, 2);
});

it('halts, skips, routes or falls back on an error', async () => {
  await using t = await setup(({ skill, input }) => {
    if (skill === 'bad') throw new AppError('unavailable', 'skill.failed', 'broken');
    return ok([skill, input]);
  });
  const halted = await done(t, {
    steps: [
      { id: 'a', skill: 'bad' },
      { id: 'b', skill: 'x' },
    ],
  });
  assert.deepEqual([halted.status, halted.error?.code, halted.outcome, halted.steps.length], ['failed', 'skill.failed', 'on_error', 1]);
  const skipped = await done(
    t,
    {
      steps: [
        { id: 'a', skill: 'bad', onFailure: 'skip' },
        { id: 'b', skill: 'x' },
      ],
    },
    { input: 'i' },
  );
  assert.deepEqual(skipped.output, ['x', 'i']);
  const routed = await done(t, {
    steps: [
      { id: 'a', skill: 'bad', next: { on_error: 'c' } },
      { id: 'b', skill: 'x' },
      { id: 'c', skill: 'y' },
    ],
  });
  assert.deepEqual(routed.output, ['y', { error: { kind: 'unavailable', code: 'skill.failed', message: 'broken' } }]);
  const other = await done(t, { steps: [{ id: 'a', skill: 'bad', onFailure: { skill: 'spare' } }] }, { input: 'i' });
  assert.deepEqual(other.output, ['spare', 'i']);
});

it('fans out with bounded concurrency and in again in order', async () => {
  let now = 0,
    most = 0;
  await using t = await setup(async ({ input }) => {
    now += 1;
    most = Math.max(most, now);
    await systemClock.sleep(2);
    now -= 1;
    return ok(Number(input) * 2);
  });
  const run = await done(
    t,
    {
      steps: [
        {
          id: 'm',
          map: {
            concurrency: 3,
            steps: [
              { id: 'double', skill: 'x' },
              { id: 'again', skill: 'x' },
            ],
          },
        },
      ],
    },
    { input: [1, 2, 3, 4, 5, 6, 7] },
  );
  assert.deepEqual([run.output, most], [[4, 8, 12, 16, 20, 24, 28], 3]);
});

it('a map fails with its first item or collects, as told; retry keeps the items that were done', async () => {
  const calls: Json[] = [];
  let broken = true;
  await using t = await setup(({ input }) => {
    calls.push(input);
    if (input === 2 && broken) throw new AppError('unavailable', 'skill.failed', 'two');
    return ok(input);
  });
  const map = (onItemError: string) => ({
    steps: [
      { id: 'm', map: { concurrency: 1, onItemError, steps: [{ id: 's', skill: 'x' }] } },
      { id: 'after', skill: 'x' },
    ],
  });
  const collected = await done(t, map('collect'), { input: [1, 2, 3] });
  assert.deepEqual(
    [collected.status, (collected.output as Json[])[0], ((collected.output as Json[])[1] as { error: { code: string } }).error.code],
    ['succeeded', 1, 'skill.failed'],
  );
  calls.length = 0;
  const failed = await done(t, map('fail'), { input: [1, 2, 3] });
  assert.equal(failed.status, 'failed');
  broken = false;
  await t.engine.retry(failed.id, undefined, 'owner');
  const again = await settled(t.runs, failed.id);
  assert.deepEqual([again.status, again.output, calls], ['succeeded', [1, 2, 3], [1, 2, 2, 3, [1, 2, 3]]]);
});

it('waits for time, without keeping anything in memory', async () => {
  await using t = await setup(({ input }) => ok(input));
  const run = await done(
    t,
    {
      steps: [
        { id: 'w', wait: { forMs: 30 } },
        { id: 'a', skill: 'x' },
      ],
    },
    { input: 'later' },
  );
  assert.equal(run.output, 'later');
});

it('waits for an event, and times out when it does not come', async () => {
  await using t = await setup(({ input }) => ok(input));
  const { run } = await t.go({
    steps: [
      { id: 'w', wait: { event: 'parcel' } },
      { id: 'a', skill: 'x' },
    ],
  });
  await settled(t.runs, run.id, ['waiting']);
  assert.equal(await t.store.write((tx) => t.engine.signal(tx, 'event:other', null)), 0);
  assert.equal(await t.store.write((tx) => t.engine.signal(tx, 'event:parcel', { here: true })), 1);
  assert.deepEqual((await settled(t.runs, run.id)).output, { here: true });
  const late = await done(t, { steps: [{ id: 'w', wait: { event: 'never', timeoutMs: 20 } }] });
  assert.deepEqual([late.status, late.outcome], ['failed', 'on_timeout']);
});

it('asks the owner and branches on the answer', async () => {
  await using t = await setup(({ step, input }) => ok([step, input]));
  const { run } = await t.go(
    {
      steps: [
        { id: 'ask', approval: { question: 'Send {{ input }}?' }, next: { approve: 'yes', reject: 'no' } },
        { id: 'yes', skill: 'x', next: 'end' },
        { id: 'no', skill: 'x' },
      ],
    },
    { input: 'it' },
  );
  await settled(t.runs, run.id, ['waiting']);
  assert.equal(t.questions[0]?.question, 'Send it?');
  await t.store.write((tx) => t.engine.signal(tx, 'approval:q1', { option: 'reject', by: 'owner' }));
  assert.deepEqual((await settled(t.runs, run.id)).output, ['no', 'it']);
});

it('a run over budget waits for the owner, and goes on when told', async () => {
  let rich = false;
  await using t = await setup(() => {
    if (!rich) throw new AppError('limited', 'llm.over_budget', 'too dear', { scope: 'run', key: 'r', limitUsd: 0.5, neededUsd: 0.2 });
    return ok('bought');
  });
  const { run } = await t.go({ steps: [{ id: 'a', skill: 'x' }] });
  await settled(t.runs, run.id, ['waiting']);
  assert.deepEqual([t.questions[0]?.kind, t.questions[0]?.question], ['budget', 'too dear Allow $0.50 more?']);
  rich = true;
  await t.store.write((tx) => t.engine.signal(tx, 'approval:q1', { option: 'raise', by: 'owner' }));
  assert.equal((await settled(t.runs, run.id)).output, 'bought');
  assert.deepEqual(t.granted, [['run', 'r', 0.5]]);
});

it("a workflow inside a workflow answers its parent; its error is the step's", async () => {
  await using t = await setup(({ skill, input }) => {
    if (skill === 'bad') throw new AppError('unavailable', 'skill.failed', 'no');
    return ok([skill, input]);
  });
  await t.workflows.create({ name: 'child', steps: [{ id: 'c', skill: 'inner' }] }, { enabled: true, by: 'owner' });
  await t.workflows.create({ name: 'bad-child', steps: [{ id: 'c', skill: 'bad' }] }, { enabled: true, by: 'owner' });
  const run = await done(
    t,
    {
      steps: [
        { id: 'sub', workflow: { name: 'child' } },
        { id: 'a', skill: 'outer' },
      ],
    },
    { input: 1 },
  );
  assert.deepEqual(run.output, ['outer', ['inner', 1]]);
  const failed = await done(t, { steps: [{ id: 'sub', workflow: { name: 'bad-child' } }] });
  assert.equal(failed.error?.code, 'workflow.child_failed');
});

it('cancels at once, and a cancelled run stays cancelled', async () => {
  await using t = await setup(
    ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  );
  const { run } = await t.go({
    steps: [
      { id: 'a', skill: 'x' },
      { id: 'b', skill: 'x' },
    ],
  });
  for (let i = 0; i < 200 && (await t.runs.detail(run.id)).steps.length === 0; i += 1) await systemClock.sleep(2);
  await t.engine.cancel(run.id, 'owner');
  await systemClock.sleep(20);
  const end = await t.runs.detail(run.id);
  assert.deepEqual([end.status, end.steps.map(({ status }) => status)], ['cancelled', ['cancelled']]);
  await assert.rejects(t.engine.cancel(run.id, 'owner'), { code: 'run.over' });
});

it('pauses at the next step and goes on where it was', async () => {
  const gate = Promise.withResolvers<void>();
  const seen: string[] = [];
  await using t = await setup(async ({ step }) => {
    seen.push(step);
    if (step === 'a') await gate.promise;
    return ok(step);
  });
  const { run } = await t.go({
    steps: [
      { id: 'a', skill: 'x' },
      { id: 'b', skill: 'x' },
    ],
  });
  for (let i = 0; i < 200 && seen.length === 0; i += 1) await systemClock.sleep(2);
  await t.engine.pause(run.id, 'owner');
  gate.resolve();
  await settled(t.runs, run.id, ['paused']);
  await systemClock.sleep(20);
  assert.deepEqual(seen, ['a']);
  await t.engine.resume(run.id, 'owner');
  assert.deepEqual([(await settled(t.runs, run.id)).output, seen], ['b', ['a', 'b']]);
});

it('retry runs again from the failed step only, or from the one named', async () => {
  let broken = true;
  const seen: string[] = [];
  await using t = await setup(({ step }) => {
    seen.push(step);
    if (step === 'b' && broken) throw new AppError('unavailable', 'skill.failed', 'no');
    return ok(step);
  });
  const run = await done(t, {
    steps: [
      { id: 'a', skill: 'x' },
      { id: 'b', skill: 'x' },
      { id: 'c', skill: 'x' },
    ],
  });
  assert.equal(run.status, 'failed');
  broken = false;
  await t.engine.retry(run.id, undefined, 'owner');
  assert.equal((await settled(t.runs, run.id)).status, 'succeeded');
  assert.deepEqual(seen, ['a', 'b', 'b', 'c']);
  await t.engine.retry(run.id, 'b', 'owner');
  await settled(t.runs, run.id);
  assert.deepEqual(seen, ['a', 'b', 'b', 'c', 'b', 'c']);
});

it('the same idempotency key is the same run', async () => {
  await using t = await setup(() => ok());
  const { workflow, run } = await t.go({ steps: [{ id: 'a', skill: 'x' }] }, { idempotencyKey: 'k' });
  const again = await t.store.write((tx) => t.engine.start(tx, workflow, { trigger: { kind: 'api' }, idempotencyKey: 'k' }));
  assert.equal(again.id, run.id);
});

for (const [policy, expected] of [
  ['queue', ['succeeded', 'succeeded']],
  ['skip', ['succeeded', 'cancelled']],
  ['replace', ['cancelled', 'succeeded']],
  ['allow', ['succeeded', 'succeeded']],
] as const) {
  it(`started while it runs: ${policy}`, async () => {
    let now = 0,
      most = 0;
    await using t = await setup(async ({ signal }) => {
      now += 1;
      most = Math.max(most, now);
      await systemClock.sleep(40, signal).finally(() => {
        now -= 1;
      });
      return ok();
    });
    const { workflow, run } = await t.go({ concurrency: policy, steps: [{ id: 'a', skill: 'x' }] });
    await systemClock.sleep(10);
    const second = await t.store.write((tx) => t.engine.start(tx, workflow, { trigger: { kind: 'owner' } }));
    assert.deepEqual([(await settled(t.runs, run.id)).status, (await settled(t.runs, second.id)).status], expected);
    if (policy === 'queue') assert.equal(most, 1);
    if (policy === 'allow') assert.equal(most, 2);
  });
}

it('acts put off happen when the run has succeeded, in its last transaction, and never in a dry run', async () => {
  await using t = await setup(({ step }) => {
    if (step === 'bad') throw new AppError('unavailable', 'skill.failed', 'no');
    return { ...ok(), onRunSucceeded: [{ kind: 'remember', data: step }] };
  });
  await done(t, {
    steps: [
      { id: 'a', skill: 'x' },
      { id: 'bad', skill: 'x' },
    ],
  });
  assert.deepEqual(t.remembered, []);
  await done(t, { steps: [{ id: 'a', skill: 'x' }] }, { dryRun: true });
  assert.deepEqual(t.remembered, []);
  await done(t, {
    steps: [
      { id: 'a', skill: 'x' },
      { id: 'b', skill: 'x' },
    ],
  });
  assert.deepEqual(t.remembered, ['a', 'b']);
});

it('a workflow of a workspace reads and writes the memories of that one; one of none, the owner’s', async () => {
  const read: unknown[] = [];
  await using t = await setup(({ run }) => {
    read.push(run.workspace ?? null);
    return { ...ok(), onRunSucceeded: [{ kind: 'remember', data: 'x' }] };
  });
  const steps = [{ id: 'a', skill: 'x' }];
  await done(t, { steps, workspace: 'Work' });
  await done(t, { steps });
  assert.deepEqual(
    [read, t.rememberedIn],
    [
      ['Work', null],
      ['Work', null],
    ],
  );
  await assert.rejects(t.go({ steps, workspace: 'Nowhere' }), (error: AppError) => /workspace/.test(JSON.stringify(error.details)));
});

it('labels travel with the content', async () => {
  await using t = await setup(({ step, labels }) => (step === 'web' ? { ...ok(), labels: ['untrusted'] } : { ...ok([...labels]) }));
  const run = await done(t, {
    steps: [
      { id: 'web', skill: 'x' },
      { id: 'b', skill: 'x' },
      { id: 'c', skill: 'x' },
    ],
  });
  assert.deepEqual([run.output, run.labels], [['untrusted'], ['untrusted']]);
});

it('a run longer than its limit fails and stops what it does', async () => {
  await using t = await setup(
    ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
  );
  const run = await done(t, { timeoutMs: 1_000, steps: [{ id: 'a', skill: 'x' }] });
  assert.equal(run.error?.code, 'run.timeout');
});

it('asks for the second factor before the first step, and a refused run does nothing', async () => {
  const seen: string[] = [];
  await using t = await setup(({ step }) => {
    seen.push(step);
    return ok(step);
  });
  const { run } = await t.go({ requires2fa: true, steps: [{ id: 'a', skill: 'x' }] });
  await settled(t.runs, run.id, ['waiting']);
  assert.deepEqual([t.questions[0]?.kind, seen], ['second_factor', []]);
  await t.store.write((tx) => t.engine.signal(tx, 'approval:q1', { option: 'refused' }));
  assert.deepEqual([(await settled(t.runs, run.id)).status, seen], ['cancelled', []]);
  const second = await t.go({ requires2fa: true, steps: [{ id: 'a', skill: 'x' }] });
  await settled(t.runs, second.run.id, ['waiting']);
  await t.store.write((tx) => t.engine.signal(tx, 'approval:q2', { option: 'approve' }));
  assert.equal((await settled(t.runs, second.run.id)).output, 'a');
  await t.engine.retry(second.run.id, 'a', 'owner'); // the yes was for the first time
  await settled(t.runs, second.run.id, ['waiting']);
  assert.deepEqual([t.questions[2]?.kind, seen], ['second_factor', ['a']]);
  await t.store.write((tx) => t.engine.signal(tx, 'approval:q3', { option: 'approve' }));
  await settled(t.runs, second.run.id);
  assert.deepEqual(seen, ['a', 'a']);
});

it('no step takes the place of the confirmation', async () => {
  await using t = await setup(() => ok());
  const steps = [
    { id: 'a', skill: 'x', next: { default: 'second-factor' } },
    { id: 'second-factor', skill: 'x' },
  ];
  await assert.rejects(t.workflows.create({ name: 'sly', requires2fa: true, steps }, { enabled: true, by: 'owner' }), {
    code: 'workflow.invalid',
  });
  await t.workflows.create({ name: 'plain', steps }, { enabled: true, by: 'owner' });
});

it('what runs left behind is found by the name of their workflow, and by its id when that is gone; nobody starts a deleted one', async () => {
  await using t = await setup(() => ok('x'));
  const { workflow, run } = await t.go({ steps: [{ id: 'one', skill: 'x' }] });
  assert.equal(await t.workflows.idOf(workflow.name), workflow.id);
  await settled(t.runs, run.id);
  const list = async (name: string) => {
    const [{ handle } = assert.fail()] = runRoutes({ runs: t.runs, explainers: [], workflowId: t.workflows.idOf }).filter(
      ({ endpoint }) => endpoint === listRuns,
    );
    return ((await handle({ workflow: name, limit: 10 } as never, {} as never)) as { items: { id: string }[] }).items;
  };
  const ids = async (name: string) => (await list(name)).map(({ id }) => id);
  assert.deepEqual(await ids(workflow.name), [run.id]);
  assert.equal((await t.store.write((tx) => t.workflows.getIn(tx, workflow.id))).id, workflow.id);
  await t.workflows.remove(workflow.name, 'owner');
  assert.deepEqual(await ids(workflow.id), [run.id]);
  await assert.rejects(list(workflow.name), { code: 'workflow.not_found' });
  await assert.rejects(
    t.store.write((tx) => t.workflows.getIn(tx, workflow.id)),
    { code: 'workflow.not_found' },
  );
});

it('a home whose workflows were all deleted is not a fresh one', async () => {
  await using t = await setup(() => ok());
  assert.equal(await t.workflows.isUntouched(), true);
  const { workflow } = await t.go({ steps: [{ id: 'a', skill: 'x' }] });
  await t.workflows.remove(workflow.id, 'owner');
  assert.deepEqual([(await t.workflows.list({ limit: 1 })).items, await t.workflows.isUntouched()], [[], false]);
});

it('a step that a crash has cut off too often is given up', async () => {
  const store = await memoryStore(...migrations);
  let tries = 0;
  const hang: Script = ({ signal }) => {
    tries += 1;
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  };
  const first = build(store, hang);
  const { run } = await first.go({ steps: [{ id: 'a', skill: 'x' }] });
  for (let i = 0; i < 200 && tries === 0; i += 1) await systemClock.sleep(2);
  await first.stop(); // the step stays as a crash leaves it
  await store.write(async (tx) => void (await tx.updateTable('run_step').set({ interruptions: 5 }).execute()));
  const second = build(store, hang);
  const ended = await settled(second.runs, run.id);
  assert.deepEqual([ended.status, ended.error?.code, tries], ['failed', 'step.poisoned', 1]);
  await second.stop();
  await store.close();
});
