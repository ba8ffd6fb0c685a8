import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { createLocalQueue, queueMigrations } from '#core/db/queue';
import type { Store } from '#core/db/store';
import { memoryStore } from '#core/db/testing';
import { AppError } from '#core/errors';
import { uuidv7 } from '#core/ids';
import { AnyJson, type Json } from '#core/json';
import { allowAll } from '#policy/testing';
import { createRuns, runMigrations } from '#runs';
import type { Label, RunDetail } from '#runs/contract';
import { createBreakers, createCatalogue, createSkillRunner, skillMigrations } from '#skills';
import { skill, type Skill, type SkillMemory } from '#skills/contract';
import { quiet } from '#skills/testing';
import { workflowMigrations } from '#workflows';
import { engineBed } from './testing.ts';

/*
 * Every text from outside carries a token that names its label: `tok-untrusted-3`. Whatever holds a token must have its label, however
 * the token got there: by input, template, condition, map, child workflow, memory, event, failure, after a crash or a retry.
 */
const TOKEN = /tok-(owner|untrusted|private|secret)-\d+/g;
const labelsIn = (value: unknown): Label[] => [...JSON.stringify(value ?? null).matchAll(TOKEN)].map(([, label]) => label as Label);

interface Stored {
  readonly text: string;
  readonly labels: readonly Label[];
}

const tokenSchema = z.strictObject({ token: z.string().optional(), say: AnyJson.optional(), fail: z.boolean().optional() });
const base = {
  title: 'Trivial',
  description: 'For tests.',
  config: tokenSchema,
  input: AnyJson,
  output: AnyJson,
  outcomes: ['a', 'b'],
  grants: ['*'],
  external: false,
  timeoutMs: 20_000,
  stepFields: ['config', 'prompt'],
} satisfies Partial<Skill>;

/** Goes one way or the other by what it has seen, so that a branch tells something of it. */
const outcomeOf = (seen: unknown): string => (JSON.stringify(seen).length % 2 === 0 ? 'a' : 'b');

/** Reads, computes, remembers and fails; each hands on all it has seen. */
function skills(): Skill[] {
  const trivial = (
    name: string,
    read: (token: string, context: Parameters<Skill['run']>[0]['context']) => Promise<Json>,
    labels: Label[] = [],
  ): Skill =>
    skill({
      ...base,
      name,
      async run({ config, input, context }) {
        const seen = {
          input,
          say: config.say ?? null,
          read: await read(config.token ?? '', context),
          prompt: context.prompt === null ? '' : await context.render(context.prompt),
        };
        if (config.fail) throw new AppError('unavailable', 'skill.failed', `I saw ${JSON.stringify(seen)}`);
        return { outcome: outcomeOf(seen), output: seen, labels };
      },
    });
  const fetched = async (token: string, { fetch, signal }: Parameters<Skill['run']>[0]['context']): Promise<Json> =>
    new TextDecoder().decode((await fetch({ url: `https://outside.example/?${token}`, signal, timeoutMs: 1_000, maxBytes: 1_000 })).body);
  return [
    trivial('fetch', fetched),
    trivial('mix', async () => null),
    trivial('private', async (token) => token, ['private']),
    trivial('secret', async (token) => token, ['secret']),
    trivial('recall', async (_token, { memory }) => (await memory.search('all')).map(({ text }) => text)),
    skill({
      ...base,
      name: 'remember',
      async run({ config, input, context }) {
        const read = config.token?.includes('untrusted') ? await fetched(config.token, context) : null;
        await context.memory.add({ kind: 'fact', text: JSON.stringify([input, config.say ?? null, read]) });
        return { outcome: 'a', output: null };
      },
    }),
    skill({
      ...base,
      name: 'later',
      async run({ input }) {
        return { outcome: 'b', output: null, onRunSucceeded: [{ kind: 'remember', data: input }] };
      },
    }),
  ];
}

/** The real engine and the real runner on one store; a second one on it is the program after a crash. */
function build(store: Store, memories: Stored[]) {
  const clock = systemClock;
  const newId = uuidv7();
  const bus = createBus((_, error) => assert.fail(String(error)));
  const queue = createLocalQueue({ store, clock, newId, onError: () => {} });
  const runs = createRuns({ store, bus, clock, newId, keep: () => ({ days: 1, perWorkflow: 1_000 }) });
  const breakers = createBreakers({ store, bus, clock, limits: () => ({ threshold: 1e9, coolDownMs: 1 }) });
  const catalogue = createCatalogue(skills(), breakers);
  const memoryOf = (labels: () => readonly Label[]): SkillMemory => ({
    known: async () => new Set(),
    search: async () =>
      memories.map(({ text, labels: stored }, at) => ({
        id: `m${at}`,
        kind: 'fact',
        title: null,
        text,
        url: null,
        score: 1,
        at,
        labels: stored,
      })),
    async add({ text }) {
      memories.push({ text, labels: labels() });
      return { id: `m${memories.length}`, existed: false };
    },
  });
  const runner = createSkillRunner({
    catalogue,
    breakers,
    runs,
    clock,
    log: quiet(),
    fetch: async ({ url }) => ({
      status: 200,
      url,
      headers: new Headers(),
      contentType: 'text/plain',
      notModified: false,
      body: new TextEncoder().encode(`says ${url.split('?')[1]}`),
    }),
    files: { read: async () => new Uint8Array(), locate: async (url) => url },
    policy: allowAll(),
    llm: () => ({}) as never,
    random: Math.random,
    memory: ({ labels }) => memoryOf(labels),
    setting: () => null,
    wishes: () => ({}),
    timeZone: () => 'UTC',
    deliver: async () => ({ delivered: [] }),
  });
  const { workflows, engine } = engineBed({
    store,
    bus,
    clock,
    newId,
    queue,
    runs,
    skills: runner,
    deferred: { remember: async (_tx, data, { labels }) => void memories.push({ text: JSON.stringify(data), labels }) },
    ports: { skill: (name) => (catalogue.find(name) ? catalogue.info(name) : undefined) },
  });
  const abort = new AbortController();
  const started = engine.service.start({ signal: abort.signal, exit: () => {} });
  return {
    runs,
    workflows,
    engine,
    async stop() {
      abort.abort();
      await (await started).stop();
    },
  };
}

type Bed = ReturnType<typeof build>;
type Plan = Record<string, unknown>;

// ── random graphs ───────────────────────────────────────────────────────────────────────────────────────────────────────

let tokens = 0;
const tokenOf = (label: Label): string => `tok-${label}-${(tokens += 1)}`;

const leaf = fc.record({
  kind: fc.constantFrom('fetch', 'mix', 'private', 'secret', 'recall', 'remember', 'later', 'wait'),
  fail: fc.integer({ min: 0, max: 4 }),
  onFailure: fc.constantFrom(undefined, 'skip', 'skill', 'route'),
  from: fc.array(fc.nat(), { maxLength: 2 }),
  says: fc.option(fc.nat(), { nil: undefined }),
  whole: fc.boolean(),
  prompts: fc.option(fc.nat(), { nil: undefined }),
  when: fc.option(fc.nat(), { nil: undefined }),
  jump: fc.option(fc.nat(), { nil: undefined }),
});
type Leaf = typeof leaf extends fc.Arbitrary<infer T> ? T : never;
const node = fc.oneof(
  { weight: 5, arbitrary: leaf.map((it) => ({ leaf: it })) },
  {
    weight: 2,
    arbitrary: fc.record({ map: fc.array(leaf, { minLength: 1, maxLength: 2 }), of: fc.nat(), errors: fc.constantFrom('fail', 'collect') }),
  },
  { weight: 1, arbitrary: fc.record({ child: fc.array(leaf, { minLength: 1, maxLength: 3 }), fails: fc.constantFrom(undefined, 'skip') }) },
);
const graph = fc.record({
  nodes: fc.array(node, { minLength: 2, maxLength: 7 }),
  start: fc.constantFrom<Label[]>([], ['owner'], ['untrusted'], ['private']),
  known: fc.array(fc.constantFrom<Label>('untrusted', 'private'), { maxLength: 1 }),
  crash: fc.boolean(),
  output: fc.option(fc.nat(), { nil: undefined }),
});
type Graph = typeof graph extends fc.Arbitrary<infer T> ? T : never;

function leafStep(it: Leaf, at: number, count: number, prefix: string): Plan {
  const before = Array.from({ length: at }, (_, n) => `${prefix}${n}`);
  const pick = (n: number | undefined): string | undefined =>
    n === undefined || before.length === 0 ? undefined : before[n % before.length];
  const from = [...new Set(it.from.flatMap((n) => pick(n) ?? []))];
  const next = it.jump === undefined || at + 1 >= count ? undefined : `${prefix}${at + 1 + (it.jump % (count - at - 1))}`;
  const common = {
    id: `${prefix}${at}`,
    ...(from.length > 0 && { inputFrom: from.length === 1 ? from[0] : from }),
    ...(pick(it.when) && { when: `steps["${pick(it.when)}"].read` }),
  };
  if (it.kind === 'wait') return { ...common, wait: { event: 'outside' } };
  const isSource =
    it.kind === 'fetch' || it.kind === 'remember' ? 'untrusted' : it.kind === 'private' || it.kind === 'secret' ? it.kind : null;
  const said = pick(it.says);
  return {
    ...common,
    skill: it.kind,
    config: {
      ...(isSource && { token: tokenOf(isSource) }),
      ...(said && {
        say: it.whole ? `{{ steps["${said}"] }}` : `Said: {{ steps["${said}"] | json }} {% for s in steps %}{{ s }}{% endfor %}`,
      }),
      // what a skill says of its own labels it says of its output
      ...(it.fail === 0 && ['fetch', 'mix', 'recall'].includes(it.kind) && { fail: true }),
    },
    ...(pick(it.prompts) && { prompt: `Look: {{ steps["${pick(it.prompts)}"] | json }} {{ item | json }}` }),
    ...(it.onFailure === 'skip' && { onFailure: 'skip' }),
    ...(it.onFailure === 'skill' && { onFailure: { skill: 'mix', config: {} } }),
    ...(next && { next: { b: next, ...(it.onFailure === 'route' && { on_error: next }) } }),
  };
}

async function start(bed: Bed, store: Store, { nodes, start: labels, output }: Graph): Promise<string> {
  const named = `w${(tokens += 1)}`;
  const steps: Plan[] = [];
  for (const [at, it] of nodes.entries()) {
    const id = `s${at}`;
    if ('leaf' in it) steps.push(leafStep(it.leaf, at, nodes.length, 's'));
    else if ('map' in it)
      steps.push({
        id,
        onFailure: 'skip',
        map: {
          over: at === 0 ? 'run.id | split: "-"' : `steps["s${it.of % at}"] | json | split: "," | slice: 0, 3`,
          onItemError: it.errors,
          concurrency: 2,
          steps: it.map.map((one, n) => leafStep({ ...one, kind: one.kind === 'wait' ? 'mix' : one.kind }, n, it.map.length, 'i')),
        },
      });
    else {
      const name = `${named}-c${at}`;
      await bed.workflows.create(
        { name, steps: it.child.map((one, n) => leafStep(one, n, it.child.length, 'c')) },
        { enabled: true, by: 'owner' },
      );
      steps.push({ id, workflow: { name }, ...(it.fails && { onFailure: it.fails }) });
    }
  }
  const definition = { name: named, steps, ...(output !== undefined && { output: `s${output % nodes.length}` }) };
  const workflow = await bed.workflows.create(definition, { enabled: true, by: 'owner' });
  const input = labels.map(tokenOf);
  return (await store.write((tx) => bed.engine.start(tx, workflow, { trigger: { kind: 'owner' }, input, labels }))).id;
}

async function settled(bed: Bed, store: Store, id: string): Promise<void> {
  for (let n = 0; n < 2_000; n += 1) {
    const run = await bed.runs.get(id);
    if (['succeeded', 'failed', 'cancelled'].includes(run.status)) return;
    await store.write((tx) => bed.engine.signal(tx, 'event:outside', [tokenOf('untrusted')]));
    await systemClock.sleep(2);
  }
  assert.fail(`never ended: ${JSON.stringify(await bed.runs.detail(id))}`);
}

function holds(labels: readonly Label[], value: unknown, where: string): void {
  for (const label of labelsIn(value)) {
    if (label === 'owner') continue;
    assert.ok(labels.includes(label), `${where}: holds ${label} text, and has only [${labels.join(', ')}]`);
  }
}

async function check(bed: Bed, memories: readonly Stored[]): Promise<void> {
  const { items } = await bed.runs.list({ limit: 500 });
  for (const { id } of items) {
    const run: RunDetail = await bed.runs.detail(id);
    holds(run.labels, [run.input, run.output, run.error], `run ${run.title}`);
    for (const step of run.steps) {
      holds(step.labels, [step.input, step.output, step.error], `${run.title}/${step.path}`);
      for (const label of step.labels)
        assert.ok(run.endedAt === null || run.labels.includes(label), `run ${run.title} lacks ${label} of ${step.path}`);
      for (const { label, from, via } of await bed.runs.labelPaths(id, step.path)) {
        assert.ok(from.length > 0 || label === 'owner' || via.length > 0, `no way of ${label} to ${step.path}`);
        assert.ok(from.length <= 5 && via.length <= 20);
      }
    }
  }
  for (const { text, labels } of memories) holds(labels, text, 'memory');
}

it('no label is ever lost: what holds a text has the label of where it came from', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(graph, async (plan) => {
      const store = await memoryStore(queueMigrations, runMigrations, skillMigrations, workflowMigrations);
      const memories = plan.known.map((label): Stored => ({ text: tokenOf(label), labels: [label] }));
      let bed = build(store, memories);
      try {
        const id = await start(bed, store, plan);
        if (plan.crash) {
          await systemClock.sleep(3);
          await bed.stop();
          bed = build(store, memories);
        }
        await settled(bed, store, id);
        await check(bed, memories);
        const { status } = await bed.runs.get(id);
        if (status === 'failed') {
          await bed.engine.retry(id, undefined, 'owner');
          await settled(bed, store, id);
          await check(bed, memories);
        }
      } finally {
        await bed.stop();
        await store.close();
      }
    }),
    { numRuns: Number(process.env['CASTELLAN_TEST_GRAPHS'] ?? 40) },
  );
});
