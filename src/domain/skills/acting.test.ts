import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { memoryStore } from '#core/db/testing';
import { AppError } from '#core/errors';
import { sequentialIds } from '#core/ids';
import { AnyJson } from '#core/json';
import type { LlmRequest, ScopedLlm } from '#llm/contract';
import { starterRules, type PolicyRequest } from '#policy';
import { allowAll, rulesOnly, testRule } from '#policy/testing';
import { createRuns, runMigrations } from '#runs';
import type { Label } from '#runs/contract';
import { createBreakers } from './breaker.ts';
import { createCatalogue } from './catalogue.ts';
import { skill, type DeferredAct, type SkillContext, type SkillRequest } from './contract.ts';
import { createSkillRunner } from './runner.ts';
import { skillMigrations } from './tables.ts';
import { quiet } from './testing.ts';

const ALL = [
  'net:fetch',
  'net:post',
  'llm:call',
  'memory:read',
  'memory:write',
  'memory:rule',
  'file:read',
  'channel:send',
  'shell:run',
  'skill:call',
];
const limits = { timeoutMs: 1_000, maxBytes: 10 };

/** One skill that does what the test says, under a policy. */
async function setup(act: (context: SkillContext) => Promise<unknown>, { grants = ALL, policy = allowAll(), helper = act } = {}) {
  const store = await memoryStore(runMigrations, skillMigrations);
  const bus = createBus((_, error) => assert.fail(String(error)));
  const runs = createRuns({ store, bus, clock: systemClock, newId: sequentialIds('id'), keep: () => ({ days: 1, perWorkflow: 10 }) });
  const breakers = createBreakers({ store, bus, clock: systemClock, limits: () => ({ threshold: 2, coolDownMs: 60_000 }) });
  const did: string[] = [];
  const probe = skill({
    name: 'probe',
    title: 'Probe',
    description: 'For tests.',
    config: z.record(z.string(), AnyJson),
    input: AnyJson,
    output: AnyJson,
    outcomes: ['ok'],
    grants,
    external: false,
    timeoutMs: 5_000,
    stepFields: ['config'],
    run: async ({ context }) => {
      const acts = await act(context);
      return { outcome: 'ok', output: null, ...(Array.isArray(acts) && { onRunSucceeded: acts as DeferredAct[] }) };
    },
  });
  const runner = createSkillRunner({
    catalogue: createCatalogue(
      [
        probe,
        { ...probe, name: 'helper', grants: ALL, run: async ({ context }) => ({ outcome: 'ok', output: (await helper(context), null) }) },
      ],
      breakers,
    ),
    breakers,
    runs,
    clock: systemClock,
    log: quiet(),
    fetch: async ({ url }) => (
      did.push(`fetch ${url}`),
      { status: 200, url, headers: new Headers(), contentType: '', notModified: false, body: new Uint8Array() }
    ),
    files: { read: async (url) => (did.push(`read ${url}`), new Uint8Array()), locate: async (url) => `/real/${url.slice(5)}` },
    policy,
    random: Math.random,
    llm: () =>
      ({
        complete: async (request: LlmRequest) => (did.push(`llm ${request.prompt}`), { text: '' }),
        async *stream() {
          did.push('stream');
          yield { type: 'text', text: 'x' };
        },
      }) as unknown as ScopedLlm,
    memory: () => ({
      known: async () => new Set(),
      search: async () => [],
      add: async ({ kind }) => (did.push(`add ${kind}`), { id: '1', existed: false }),
    }),
    setting: (key) => key,
    wishes: () => ({}),
    timeZone: () => 'UTC',
    deliver: async ({ to }) => (did.push(`deliver ${to}`), { delivered: [] }),
  });
  const { run } = await store.write((tx) => runs.create(tx, { kind: 'skill', title: 'x', trigger: { kind: 'owner' }, status: 'running' }));
  return {
    did,
    policy,
    runs,
    runId: run.id,
    run: (request: Partial<SkillRequest> = {}) =>
      runner.run({
        skill: 'probe',
        config: {},
        input: null,
        prompt: null,
        signal: new AbortController().signal,
        llm: [],
        run: { id: run.id, workflowId: null, dryRun: false },
        step: 's',
        onBehalf: { chain: ['owner', 'workflow:w'] },
        labels: [],
        resources: [],
        ownAddresses: [],
        render: async (template) => template,
        ...request,
      }),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

const everything = async (context: SkillContext): Promise<void> => {
  const { signal } = context;
  await context.fetch({ url: 'https://Feeds.Example/a', signal, ...limits });
  await context.fetch({ url: 'http://other.example:8080/', signal, ...limits });
  await context.fetch({ url: 'https://feeds.example/a', method: 'post', body: 'x', signal, ...limits });
  await context.fetch({ url: 'https://feeds.example/a', body: 'x', signal, ...limits });
  await context.readFile('file:a.xml');
  await context.llm.complete({ prompt: 'p', signal });
  for await (const _event of context.llm.stream({ provider: 'Fake', signal }));
  await context.memory.known([]);
  await context.memory.search('x');
  await context.memory.add({ kind: 'news_item', text: '' });
  await context.memory.add({ kind: 'preference', text: '' });
  await context.deliver({ text: 't' });
  await context.deliver({ text: 't', channel: 'Home', to: '42' });
  await context.deliver({ text: 't', to: '*' });
  const effect = { name: 'e', class: 'irreversible', intent: null, idempotent: true, perform: async () => null } as const;
  await context.effect({ ...effect, kind: 'http.post', target: 'https://feeds.example/x' });
  await context.effect({ ...effect, name: 'f', kind: 'shell.run', target: 'ls *' });
};

test('whatever a skill reaches for is asked about first, in canonical form, with its chain', async () => {
  await using t = await setup(everything);
  await t.run({
    ownConfig: { to: '42' },
    config: { to: 'filled in' },
    ownAddresses: ['https://feeds.example/rss'],
    llm: [{ tier: 'light' }],
    labels: ['private'],
  });
  assert.deepEqual(
    t.policy.asked.map(({ capability, resource, context }) => `${capability} ${resource}${context?.named ? ' named' : ''}`),
    [
      'net:fetch feeds.example:443 named',
      'net:fetch other.example:8080',
      'net:post feeds.example:443 named',
      'net:post feeds.example:443 named',
      'file:read /real/a.xml named',
      'llm:call tier:light',
      'llm:call provider:Fake',
      'memory:read identities',
      'memory:read items',
      'memory:write news_item',
      'memory:rule preference',
      'channel:send default named',
      'channel:send home:42 named',
      'channel:send default:%2A',
      'net:post feeds.example:443 named',
      'shell:run ls %2A',
    ],
  );
  for (const { principal, context } of t.policy.asked)
    assert.deepEqual([principal, context?.chain, context?.run, context?.step], ['skill:probe', ['owner', 'workflow:w'], t.runId, 's']);
  const labels = t.policy.asked.map(({ context }) => context?.labels);
  assert.deepEqual([labels[0], labels.at(-1)], [['private'], ['private', 'untrusted']], 'what it has read counts from then on');
});

test('what the skill did not declare is denied, whatever was granted, and nothing was done', async () => {
  for (const [act, capability] of [
    [(it: SkillContext) => it.fetch({ url: 'https://a.example', signal: it.signal, ...limits }), 'net:fetch'],
    [(it: SkillContext) => it.llm.complete({ signal: it.signal }), 'llm:call'],
    [(it: SkillContext) => Array.fromAsync(it.llm.stream({ signal: it.signal })), 'llm:call'],
    [(it: SkillContext) => it.memory.search('x'), 'memory:read'],
    [(it: SkillContext) => it.memory.add({ kind: 'fact', text: '' }), 'memory:write'],
    [(it: SkillContext) => it.readFile('file:a'), 'file:read'],
    [(it: SkillContext) => it.deliver({ text: '' }), 'channel:send'],
  ] as const) {
    await using t = await setup(act, { grants: ALL.filter((each) => each !== capability) });
    await assert.rejects(t.run(), { code: 'policy.denied' }, capability);
    assert.deepEqual(t.did, [], capability);
    const { journal } = await t.runs.detail(t.runId);
    assert.deepEqual(
      journal.map(({ type, step }) => [type, step]),
      [['policy.denied', 's']],
    );
  }
});

test('a question stands even if the skill goes on without its answer', async () => {
  const policy = rulesOnly(testRule('allow', '*', '*'));
  await using t = await setup(async (it) => it.deliver({ text: '', to: '7' }).catch(() => 'went on'), { policy });
  await assert.rejects(t.run({ labels: ['untrusted'] }), (error: AppError) => {
    assert.equal(error.code, 'policy.ask');
    const { capability, resource, link, beyond } = error.details;
    assert.deepEqual([capability, resource, link, beyond], ['channel:send', 'default:7', 'workflow:w', ['untrusted']]);
    return true;
  });
  assert.deepEqual(t.did, []);
});

test('a skill cannot make up a question', async () => {
  await using t = await setup(async () => {
    throw new AppError('forbidden', 'policy.ask', 'Allow me', { principal: 'workflow:w', capability: 'shell:run', resource: 'rm' });
  });
  await assert.rejects(t.run(), { code: 'skill.failed' });
});

test('a dry run writes down what it would have to ask, and is denied what it is denied', async () => {
  const policy = rulesOnly(testRule('allow', '*', '*'), testRule('deny', '*', 'net:*'));
  await using t = await setup(async (it) => it.deliver({ text: '', to: '7' }), { policy });
  const run = { id: t.runId, workflowId: null, dryRun: true };
  await t.run({ labels: ['untrusted'], run });
  assert.deepEqual(t.did, ['deliver 7']);
  assert.deepEqual(
    (await t.runs.detail(t.runId)).journal.map(({ type }) => type),
    ['policy.ask'],
  );
  await using denied = await setup((it) => it.fetch({ url: 'https://a.example', signal: it.signal, ...limits }), { policy });
  await assert.rejects(denied.run({ run: { ...run, id: denied.runId } }), { code: 'policy.denied' });
});

test('from the start, a workflow’s skill may do what the workflow names and no more', async () => {
  const starters = starterRules([{ name: 'probe', grants: ALL }]);
  const cases: [string, (it: SkillContext) => Promise<unknown>, readonly Label[], string | null][] = [
    [
      'its own host, with anything',
      (it) => it.fetch({ url: 'https://own.example/x', signal: it.signal, ...limits }),
      ['untrusted', 'private'],
      null,
    ],
    ['a page that content led to', (it) => it.fetch({ url: 'https://new.example/x', signal: it.signal, ...limits }), ['untrusted'], null],
    [
      'the same with private text at hand',
      (it) => it.fetch({ url: 'https://new.example/x', signal: it.signal, ...limits }),
      ['untrusted', 'private'],
      'policy.ask',
    ],
    [
      'a post to its own host',
      (it) => it.fetch({ url: 'https://own.example/x', body: 'b', signal: it.signal, ...limits }),
      ['untrusted'],
      null,
    ],
    ['a post to another', (it) => it.fetch({ url: 'https://new.example/x', body: 'b', signal: it.signal, ...limits }), [], 'policy.ask'],
    ['the owner', (it) => it.deliver({ text: '' }), ['untrusted', 'private'], null],
    ['a chat the step names', (it) => it.deliver({ text: '', to: '42' }), ['untrusted'], null],
    ['a chat that a template makes', (it) => it.deliver({ text: '', to: 'made' }), [], 'policy.ask'],
    ['a preference from strangers', (it) => it.memory.add({ kind: 'preference', text: '' }), ['untrusted'], 'policy.ask'],
    ['knowledge from strangers', (it) => it.memory.add({ kind: 'fact', text: '' }), ['untrusted'], null],
    ['a model with a secret', (it) => it.llm.complete({ signal: it.signal }), ['secret'], 'policy.denied'],
  ];
  for (const [name, act, labels, code] of cases) {
    await using t = await setup(act, { policy: rulesOnly(...starters) });
    const ran = t.run({
      labels,
      ownConfig: { to: '42', other: '{{ input }}' },
      config: { to: '42', other: 'made' },
      ownAddresses: ['https://own.example/'],
    });
    if (code) await assert.rejects(ran, { code }, name);
    else await ran;
  }
});

test('a caller who tries a skill lends it what its credential carries, and no more', async () => {
  const policy = rulesOnly(testRule('allow', 'skill:*', '*'));
  const fetching = (it: SkillContext): Promise<unknown> => it.fetch({ url: 'https://a.example', signal: it.signal, ...limits });
  const as = (id: string, ...held: string[]): Pick<PolicyRequest, 'principal'> & Pick<SkillRequest, 'onBehalf'> => ({
    principal: id,
    onBehalf: { chain: [id], held: new Set(held) },
  });
  for (const [caller, allowed] of [
    [as('owner', '*'), true],
    [as('token:1', 'skills:run', 'net:fetch'), true],
    [as('token:1', 'skills:run'), false],
  ] as const) {
    await using t = await setup(fetching, { policy });
    const ran = t.run({ onBehalf: caller.onBehalf });
    if (allowed) await ran;
    else await assert.rejects(ran, { code: 'policy.denied' });
  }
});

test('a skill that is called may do no more than its caller, and what its caller wrote names nothing', async () => {
  const calling = (it: SkillContext): Promise<unknown> => it.call('helper', { input: null, config: { to: '42' } });
  const fetching = (it: SkillContext): Promise<unknown> => it.fetch({ url: 'https://a.example', signal: it.signal, ...limits });
  await using narrow = await setup(calling, { grants: ['skill:call', 'memory:read'], helper: fetching });
  await assert.rejects(narrow.run(), { code: 'policy.denied' });
  await using wide = await setup(calling, { grants: ['skill:call', 'net:fetch'], helper: fetching });
  await wide.run();
  assert.deepEqual(wide.policy.asked.at(-1)!.context?.chain, ['owner', 'workflow:w', 'skill:probe']);

  const policy = rulesOnly(
    ...starterRules([
      { name: 'probe', grants: ALL },
      { name: 'helper', grants: ALL },
    ]),
  );
  await using sending = await setup(calling, { policy, helper: (it) => it.deliver({ text: '', to: '42' }) });
  await assert.rejects(sending.run(), (error: AppError) => {
    assert.deepEqual(
      [error.code, error.details['step'], error.details['chain']],
      ['policy.ask', 's/helper#1', ['owner', 'workflow:w', 'skill:probe']],
    );
    return true;
  });
  assert.deepEqual(sending.did, []);
});

test('what is put off to the end of the run is decided like the act itself', async () => {
  const remember = (kind: string): DeferredAct[] => [
    {
      kind: 'memory.remember',
      data: {
        items: [
          { kind, text: 'x' },
          { kind, text: 'y' },
        ],
      },
    },
  ];
  const policy = rulesOnly(...starterRules([{ name: 'probe', grants: ALL }]));
  await using knowing = await setup(async () => remember('news_item'), { policy });
  await knowing.run({ labels: ['untrusted'] });
  assert.deepEqual(
    policy.asked.map(({ capability, resource }) => [capability, resource]),
    [['memory:write', 'news_item']],
  );
  await using ruling = await setup(async () => remember('preference'), { policy });
  await assert.rejects(ruling.run({ labels: ['untrusted'] }), { code: 'policy.ask' });
  await using undeclared = await setup(async () => remember('news_item'), { policy, grants: ['net:fetch'] });
  await assert.rejects(undeclared.run(), { code: 'policy.denied' });
  await using unknown = await setup(async () => [{ kind: 'workflows.write', data: null }], { policy });
  await assert.rejects(unknown.run(), { code: 'policy.denied' });
});
