import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createBus } from '#core/bus';
import { systemClock, type Clock } from '#core/clock';
import { createLocalQueue, queueMigrations } from '#core/db/queue';
import { memoryStore } from '#core/db/testing';
import { AppError } from '#core/errors';
import { uuidv7 } from '#core/ids';
import { canonicalUrl, createFeedParser } from '#feeds';
import { createLlm, llmMigrations, providerKinds } from '#llm';
import { createMemory, memoryMigrations } from '#memory';
import type { NewMemory } from '#memory/contract';
import { starterRules } from '#policy';
import { rulesOnly } from '#policy/testing';
import { createRuns, runMigrations } from '#runs';
import type { RunDetail } from '#runs/contract';
import { fixedSettings } from '#settings/testing';
import { createEngine, createTemplates, createWorkflows, workflowMigrations } from '#workflows';
import { createBreakers } from './breaker.ts';
import { createCatalogue } from './catalogue.ts';
import { createFeedStore } from './feed-store.ts';
import { builtInSkills } from './kinds.ts';
import { createSkillRunner } from './runner.ts';
import { skillMigrations } from './tables.ts';
import { quiet } from './testing.ts';

const EXAMPLES = new URL('../../../examples/', import.meta.url);
const settings: Readonly<Record<string, unknown>> = {
  'owner.interests': ['technology', 'science', 'world news'],
  'owner.language': 'en',
  'owner.name': '',
};
/** The samples' time: seven in the morning, UTC. */
const clock: Clock = { now: () => Date.UTC(2026, 10, 22, 7), sleep: systemClock.sleep };

/** Every part that a workflow needs, real but for the channel, and without any model. */
async function setup() {
  const store = await memoryStore(queueMigrations, runMigrations, llmMigrations, memoryMigrations, skillMigrations, workflowMigrations);
  const fail = (what: string, error: unknown): never => assert.fail(`${what}: ${String(error)}`);
  const bus = createBus(fail);
  const newId = uuidv7();
  const queue = createLocalQueue({ store, clock: systemClock, newId, onError: fail });
  const runs = createRuns({ store, bus, clock: systemClock, newId, keep: () => ({ days: 1, perWorkflow: 100 }) });
  const noSecret = async (): Promise<never> => {
    throw new AppError('not_found', 'vault.no_secret', 'none');
  };
  const llm = createLlm({
    store,
    clock: systemClock,
    newId,
    bus,
    settings: fixedSettings(),
    secrets: { resolve: noSecret, fill: noSecret } as never,
    kinds: providerKinds,
    tell: () => {},
    onError: fail,
  });
  const memory = createMemory({
    store,
    bus,
    clock: systemClock,
    newId,
    queue,
    canonicalUrl,
    redact: (text) => text,
    embed: async () => {
      throw new AppError('unavailable', 'llm.no_provider', 'none');
    },
  });
  const breakers = createBreakers({ store, bus, clock: systemClock, limits: () => ({ threshold: 5, coolDownMs: 60_000 }) });
  const feeds = createFeedStore(store);
  const parser = createFeedParser();
  const catalogue = createCatalogue(builtInSkills({ feeds, parser }), breakers);
  const templates = createTemplates();
  const channel = { works: true, sent: [] as string[] };
  const runner = createSkillRunner({
    catalogue,
    breakers,
    runs,
    clock,
    log: quiet(),
    wishes: () => ({}),
    timeZone: () => 'Europe/Rome',
    setting: (key) => settings[key],
    llm: llm.scoped,
    fetch: async ({ url }) => {
      throw new AppError('unavailable', 'fetch.refused', url);
    },
    files: { read: async (url) => readFileSync(new URL(url.replace('file:examples/', ''), EXAMPLES)), locate: async (url) => url },
    policy: rulesOnly(...starterRules(catalogue.list())),
    random: Math.random,
    memory: () => ({ known: (identities) => memory.known('owner', identities), add: noSecret, search: async () => [] }),
    deliver: async ({ text }, { effect }) => {
      const receipt = await effect({
        name: 'message',
        kind: 'channel.send',
        target: 'web',
        class: 'irreversible',
        intent: { text },
        idempotent: true,
        perform: async () => {
          if (!channel.works) throw new AppError('unavailable', 'channel.down', 'down');
          return channel.sent.push(text);
        },
      });
      return { delivered: receipt === null ? [] : [{ channel: 'web', messageIds: [String(receipt)] }] };
    },
  });
  const workflows = createWorkflows({
    store,
    bus,
    clock: systemClock,
    newId,
    templates,
    syncTriggers: async () => {},
    removeTriggers: async () => {},
    audit: async () => {},
    ports: {
      skill: (name) => (catalogue.find(name) ? catalogue.info(name) : undefined),
      checkConfig: catalogue.checkConfig,
      checkTrigger: () => null,
      provider: async () => false,
    },
  });
  const engine = createEngine({
    store,
    bus,
    clock: systemClock,
    queue,
    runs,
    templates,
    skills: runner,
    workflow: workflows.get,
    concurrency: 4,
    ask: async () => 'q',
    withdraw: async () => {},
    grantExtra: async () => {},
    onCrash: fail,
    deferred: {
      'memory.remember': async (tx, data) => void (await memory.addMany('owner', (data as unknown as { items: NewMemory[] }).items, tx)),
      'skill.feeds_read': feeds.keepValidators,
    },
  });
  const abort = new AbortController();
  const lives = [
    await llm.service.start({ signal: abort.signal, exit: () => {} }),
    await engine.service.start({ signal: abort.signal, exit: () => {} }),
  ];

  async function settled(id: string): Promise<RunDetail> {
    for (let i = 0; i < 2_000; i += 1) {
      const run = await runs.detail(id);
      if (['succeeded', 'failed', 'waiting'].includes(run.status)) return run;
      await systemClock.sleep(5);
    }
    return assert.fail(`run ${id} did not end: ${JSON.stringify(await runs.detail(id))}`);
  }
  return {
    workflows,
    channel,
    memory,
    async run(name: string, options: { dryRun?: boolean } = {}): Promise<RunDetail> {
      const workflow = await workflows.get(name);
      const { id } = await store.write((tx) => engine.start(tx, workflow, { trigger: { kind: 'owner' }, ...options }));
      return settled(id);
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
      for (const life of lives.toReversed()) await life.stop();
      await parser.close();
      await store.close();
    },
  };
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`workflows/${name}`, EXAMPLES), 'utf8'));
const itemsOf = (run: RunDetail, step: string): { title: string }[] => run.steps.find(({ path }) => path === step)?.output as never;

test('every example is a workflow that can be saved, and its files are there', async () => {
  await using t = await setup();
  for (const name of readdirSync(new URL('workflows/', EXAMPLES))) {
    const { definition } = await t.workflows.create(read(name), { enabled: false, by: 'owner' });
    assert.equal(`${definition.name}.json`, name);
    for (const { url } of definition.resources)
      if (url?.startsWith('file:examples/')) assert.ok(readFileSync(new URL(url.replace('file:examples/', ''), EXAMPLES)).length > 0, url);
  }
});

test('the morning briefing arrives without a network and without a model, and repeats nothing', { timeout: 60_000 }, async () => {
  await using t = await setup();
  const definition = read('morning-briefing.json') as { steps: Record<string, unknown>[] };
  for (const step of definition.steps) delete step['retry']; // here the first failure is the run's
  await t.workflows.create(definition, { enabled: true, by: 'owner' });

  const dry = await t.run('morning-briefing', { dryRun: true });
  assert.deepEqual([dry.status, t.channel.sent.length, dry.effects.map(({ status }) => status)], ['succeeded', 0, ['planned']]);

  t.channel.works = false;
  const failed = await t.run('morning-briefing');
  assert.deepEqual([failed.status, failed.error?.code], ['failed', 'channel.down']);

  t.channel.works = true;
  const first = await t.run('morning-briefing');
  assert.equal(first.status, 'succeeded', JSON.stringify(first.error));
  assert.deepEqual(itemsOf(first, 'fetch'), itemsOf(failed, 'fetch'), 'a run that failed used nothing up');
  assert.ok(itemsOf(first, 'fetch').length >= 20 && itemsOf(first, 'score').length >= 10);
  assert.equal(t.channel.sent.length, 1);
  assert.match(t.channel.sent[0]!, /^\*\*Morning briefing\*\*\n\n[\s\S]*\]\(https?:\/\//);
  assert.deepEqual([first.costUsd, first.labels], [0, ['untrusted']]);

  const titles = new Set(itemsOf(first, 'fetch').map(({ title }) => title));
  for (let i = 0; i < 5; i += 1) {
    const again = await t.run('morning-briefing');
    for (const { title } of itemsOf(again, 'fetch')) {
      assert.ok(!titles.has(title), `"${title}" came twice`);
      titles.add(title);
    }
    if (again.steps.length === 1) return; // nothing new: a quiet end
  }
  assert.fail('the news never ended');
});
