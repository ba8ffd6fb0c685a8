import assert from 'node:assert/strict';
import { it } from 'node:test';
import { z } from 'zod';
import { fakeAudit } from '#audit/testing';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { createOutbox, outboxMigrations } from '#core/db/outbox';
import { createLocalQueue, queueMigrations } from '#core/db/queue';
import type { Store } from '#core/db/store';
import { memoryStore } from '#core/db/testing';
import { uuidv7 } from '#core/ids';
import { AnyJson } from '#core/json';
import { createApprovals, createPolicy, policyMigrations, settleAnswers, starterRules } from '#policy';
import { createRuns, runMigrations } from '#runs';
import { createBreakers, createCatalogue, createSkillRunner, skillMigrations } from '#skills';
import { skill, type SkillContext } from '#skills/contract';
import { quiet } from '#skills/testing';
import { workflowMigrations } from '#workflows';
import { engineBed } from './testing.ts';

const CAPABILITIES = ['channel:send', 'net:fetch'];

/** Engine, runner, policy and approvals as the program wires them, with one skill that sends. */
async function build(store: Store, sent: string[]) {
  const clock = systemClock;
  const newId = uuidv7();
  const bus = createBus((_, error) => assert.fail(String(error)));
  const queue = createLocalQueue({ store, clock, newId, onError: () => {} });
  const audit = fakeAudit();
  const runs = createRuns({ store, bus, clock, newId, keep: () => ({ days: 1, perWorkflow: 100 }) });
  const breakers = createBreakers({ store, bus, clock, limits: () => ({ threshold: 5, coolDownMs: 60_000 }) });
  const tries = { count: 0 };
  const send = skill({
    name: 'send',
    title: 'Send',
    description: 'Sends twice: to the owner, and to where it is told.',
    config: z.strictObject({ to: z.string() }),
    input: AnyJson,
    output: AnyJson,
    outcomes: ['ok'],
    grants: CAPABILITIES,
    external: false,
    timeoutMs: 5_000,
    stepFields: ['config'],
    async run({ config, context }) {
      tries.count += 1;
      await context.deliver({ text: 'to the owner', name: 'first' });
      await context.deliver({ text: 'to somebody', to: config.to, name: 'second' });
      return { outcome: 'ok', output: 'sent' };
    },
  });
  const policy = createPolicy({
    store,
    clock,
    newId,
    audit,
    node: 'here',
    tokenKey: async () => new Uint8Array(32),
    starters: () => starterRules([send]),
    onError: (error) => assert.fail(String(error)),
  });
  const approvals = createApprovals({
    store,
    outbox: createOutbox({ store, bus, clock, newId }),
    queue,
    clock,
    newId,
    audit,
    settle: settleAnswers(policy, clock.now),
  });
  const skills = createSkillRunner({
    catalogue: createCatalogue([send], breakers),
    breakers,
    runs,
    clock,
    log: quiet(),
    fetch: async () => assert.fail('nobody fetches'),
    files: { read: async () => new Uint8Array(), locate: async (url) => url },
    policy,
    random: Math.random,
    llm: () => ({}) as never,
    memory: () => ({}) as never,
    setting: () => null,
    wishes: () => ({}),
    timeZone: () => 'UTC',
    async deliver({ text, to, name = 'm' }, { effect }: Pick<SkillContext, 'effect'>) {
      await effect({
        name,
        kind: 'channel.send',
        target: to ?? 'owner',
        class: 'irreversible',
        intent: { text },
        idempotent: false,
        perform: async () => sent.push(`${text}>${to ?? 'owner'}`),
      });
      return { delivered: [] };
    },
  });
  const { workflows, engine } = engineBed({
    store,
    bus,
    clock,
    newId,
    queue,
    runs,
    concurrency: 4,
    skills,
    ask: async (tx, question) =>
      (
        await approvals.ask(tx, {
          ...question,
          renew: question.kind === 'policy',
          options: question.options.map((each) => ({ ...each, style: each.id === 'no' ? 'danger' : 'primary' })),
        })
      ).id,
    withdraw: approvals.withdraw,
  });
  const abort = new AbortController();
  bus.subscribe(
    'approval.answered',
    async ({ approval }) => void (await store.write((tx) => engine.signal(tx, `approval:${approval.id}`, { option: approval.answer }))),
    abort.signal,
  );
  const life = { signal: abort.signal, exit: () => assert.fail('down') };
  const running = [await policy.service.start(life), await approvals.service.start(life), await engine.service.start(life)];
  return {
    policy,
    approvals,
    runs,
    engine,
    audit,
    tries,
    async start(to: string, name = `w${newId().slice(-12)}`) {
      const workflow = await workflows
        .create({ name, steps: [{ id: 'send', skill: 'send', config: { to } }] }, { enabled: true, by: 'owner' })
        .catch(() => workflows.get(name));
      const { id } = await store.write((tx) =>
        engine.start(tx, workflow, { trigger: { kind: 'owner' }, input: 'stranger', labels: ['untrusted'] }),
      );
      return { id, workflow };
    },
    async settled(id: string, ...statuses: string[]) {
      for (let i = 0; i < 1_000; i += 1) {
        const run = await runs.detail(id);
        if (statuses.includes(run.status)) return run;
        await clock.sleep(5);
      }
      throw new Error(`never ${statuses.join()}: ${JSON.stringify(await runs.detail(id))}`);
    },
    pending: async () => (await approvals.list({ status: 'pending', limit: 9 })).items,
    async stop() {
      abort.abort();
      for (const each of running.reverse()) await each.stop();
    },
  };
}

async function setup() {
  const store = await memoryStore(outboxMigrations, queueMigrations, policyMigrations, runMigrations, skillMigrations, workflowMigrations);
  const sent: string[] = [];
  const t = await build(store, sent);
  return {
    ...t,
    store,
    sent,
    async [Symbol.asyncDispose]() {
      await t.stop();
      await store.close();
    },
  };
}

const TEMPLATED = '{{ input }}';
const byOwner = { by: 'owner', via: 'web' };

it('what a step names it may do at once', async () => {
  await using t = await setup();
  const { id } = await t.start('42');
  await t.settled(id, 'succeeded');
  assert.deepEqual(t.sent, ['to the owner>owner', 'to somebody>42']);
});

it('an address from content becomes a question; yes lets through exactly this, and nothing is done twice', async () => {
  await using t = await setup();
  const { id, workflow } = await t.start(TEMPLATED);
  await t.settled(id, 'waiting');
  const [question] = await t.pending();
  const { capability, resource, beyond, link } = question!.details as Record<string, unknown>;
  assert.deepEqual(
    [question!.kind, question!.step, question!.options.map((each) => each.id), capability, resource, beyond, link],
    ['policy', 'send', ['yes', 'always', 'no'], 'channel:send', 'default:stranger', ['untrusted'], `workflow:${workflow.id}`],
  );
  assert.deepEqual(t.sent, ['to the owner>owner']);
  await t.approvals.answer(question!.id, 'yes', byOwner);
  const run = await t.settled(id, 'succeeded');
  assert.deepEqual([t.sent, t.tries.count, run.effects.length], [['to the owner>owner', 'to somebody>stranger'], 2, 2]);
  assert.deepEqual((await t.policy.list({ limit: 9 })).items, [], 'nothing lasting was granted');
  const again = await t.start(TEMPLATED, workflow.name);
  await t.settled(again.id, 'waiting');
  assert.equal((await t.pending()).length, 1, 'another run asks again');
});

it('no fails the step as denied; a retry asks anew', async () => {
  await using t = await setup();
  const { id } = await t.start(TEMPLATED);
  await t.settled(id, 'waiting');
  const [first] = await t.pending();
  await t.approvals.answer(first!.id, 'no', byOwner);
  const run = await t.settled(id, 'failed');
  assert.equal(run.error?.code, 'policy.denied');
  await t.engine.retry(id, undefined, 'owner');
  await t.settled(id, 'waiting');
  const [second] = await t.pending();
  assert.notEqual(second!.id, first!.id);
  await t.approvals.answer(second!.id, 'yes', byOwner);
  await t.settled(id, 'succeeded');
  assert.deepEqual(t.sent, ['to the owner>owner', 'to somebody>stranger']);
});

it('always makes one narrow grant, needs the second factor, and the audit links the two', async () => {
  await using t = await setup();
  const { id, workflow } = await t.start(TEMPLATED);
  await t.settled(id, 'waiting');
  const [question] = await t.pending();
  await assert.rejects(t.approvals.answer(question!.id, 'always', byOwner), { code: 'policy.factor_needed' });
  await t.approvals.answer(question!.id, 'always', { ...byOwner, verifyFactor: async () => {} });
  await t.settled(id, 'succeeded');
  const { items } = await t.policy.list({ limit: 9 });
  assert.deepEqual(
    items.map((it) => [it.principal, it.capability, it.resource, it.effect, it.origin, it.approvalId, it.conditions]),
    [[`workflow:${workflow.id}`, 'channel:send', 'default:stranger', 'allow', 'approval', question!.id, { labels: ['untrusted'] }]],
  );
  assert.equal(t.audit.entries.find(({ action }) => action === 'policy.answer')?.details?.['made'], `grant:${items[0]!.id}`);
  const again = await t.start(TEMPLATED, workflow.name);
  await t.settled(again.id, 'succeeded');
  const other = await t.start(TEMPLATED);
  await t.settled(other.id, 'waiting');
});

it('the question and its answer outlive a restart, and a replay asks the same', async () => {
  await using t = await setup();
  const { id } = await t.start(TEMPLATED);
  await t.settled(id, 'waiting');
  const [question] = await t.pending();
  await t.stop();
  const next = await build(t.store, t.sent);
  assert.deepEqual(
    (await next.pending()).map((each) => each.id),
    [question!.id],
  );
  await next.approvals.answer(question!.id, 'yes', byOwner);
  await next.settled(id, 'succeeded');
  assert.deepEqual(t.sent, ['to the owner>owner', 'to somebody>stranger']);
  await next.stop();
});
