import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fitted, fromAlexClaw } from './alexclaw.ts';
import { Definition } from './contract.ts';
import { createTemplates } from './template.ts';
import { inspectDefinition, readDefinition, type ValidationPorts } from './validate.ts';

const ports: ValidationPorts = {
  skill: (name) => (name === 'fetch' ? { name, outcomes: ['on_items', 'on_empty'] } : undefined),
  checkConfig: (_, config) =>
    typeof (config as { max?: unknown }).max === 'string' ? [{ field: 'max', message: 'must be a number' }] : [],
  checkTrigger: (trigger) => (trigger.kind === 'cron' && trigger.expression === 'bad' ? 'is not a cron expression' : null),
  provider: async (name) => name === 'known',
  workflow: async (name) => name === 'other',
};
const templates = createTemplates();
const issues = async (over: object) =>
  (await inspectDefinition({ name: 'w', steps: [{ id: 'a', skill: 'fetch' }], ...over }, ports, templates)).issues.map(
    ({ step, field }) => `${step}: ${field}`,
  );
const step = (over: object) => ({
  steps: [
    { id: 'a', skill: 'fetch' },
    { id: 'b', skill: 'fetch', ...over },
  ],
});

describe('validation names the step and the field', () => {
  for (const [what, over, expected] of [
    ['a good one', {}, []],
    ['an unknown key', { stepz: [] }, ['null: ']],
    ['an unknown skill', step({ skill: 'nope' }), ['b: skill']],
    ['a bad configuration', step({ config: { max: 'x' } }), ['b: config.max']],
    ['a template is checked when it runs', step({ config: { max: '{{ input.n }}' } }), []],
    ['a target that does not exist', step({ next: { on_items: 'c' } }), ['b: next']],
    ['an outcome the skill never has', step({ next: { on_flowers: 'a' } }), ['b: next']],
    ['a source that does not exist', step({ inputFrom: 'c' }), ['b: inputFrom']],
    ['a source that is itself', step({ inputFrom: 'b' }), ['b: inputFrom']],
    [
      'two steps of one id',
      {
        steps: [
          { id: 'a', skill: 'fetch' },
          { id: 'a', skill: 'fetch' },
        ],
      },
      ['a: id'],
    ],
    ['a broken condition', step({ when: 'input | ' + '}}{%' }), ['b: when']],
    ['a broken prompt', step({ prompt: '{% for x in %}' }), ['b: prompt']],
    ['a bad retry', step({ retry: { attempts: 0 } }), ['b: retry.attempts']],
    ['two kinds at once', { steps: [{ id: 'a', skill: 'fetch', wait: { forMs: 1 } }] }, ['a: ']],
    ['a bad step in a map', { steps: [{ id: 'm', map: { steps: [{ id: 'in', skill: 'nope' }] } }] }, ['m/in: skill']],
    ['a bad field in a map', { steps: [{ id: 'm', map: { steps: [{ id: 'in', skill: 'fetch', timeoutMs: -1 }] } }] }, ['in: timeoutMs']],
    ['a bad trigger', { triggers: [{ kind: 'cron', expression: 'bad' }] }, ['null: triggers.0']],
    ['an unknown provider', { provider: 'who' }, ['null: provider']],
    ['itself inside itself', { steps: [{ id: 's', workflow: { name: 'w' } }] }, ['s: workflow.name']],
    ['an unknown sub-workflow', { steps: [{ id: 's', workflow: { name: 'nowhere' } }] }, ['s: workflow.name']],
    ['an output of no step', { output: 'zzz' }, ['null: output']],
  ] as const) {
    it(what, async () => assert.deepEqual(await issues(over), expected));
  }

  it('throws them all together', async () => {
    await assert.rejects(
      readDefinition({ name: 'w', ...step({ skill: 'nope', next: 'x' }) }, ports, templates),
      (error: { code: string; details: { issues: unknown[] } }) => error.code === 'workflow.invalid' && error.details.issues.length === 2,
    );
  });
});

describe('templates', () => {
  const scope = { input: { n: 3, list: ['a', 'b'] }, name: 'Ada' };
  it('fill keeps the type of a single placeholder and writes objects as JSON', async () => {
    assert.deepEqual(await templates.fill({ a: '{{ input.list }}', b: 'Hello {{ name }}', c: ['{{ input.n }}'], d: 1 }, scope), {
      a: ['a', 'b'],
      b: 'Hello Ada',
      c: [3],
      d: 1,
    });
    assert.equal(await templates.render('{{ input.list }}', scope), '[\n  "a",\n  "b"\n]');
  });
  it('reach no host object, file or prototype', async () => {
    for (const bad of ['input.constructor', 'input.__proto__', 'name.constructor', 'process', 'globalThis', 'input.list.constructor']) {
      assert.equal((await templates.evaluate(bad, scope)) ?? null, null, bad);
    }
    await assert.rejects(templates.render('{% include "/etc/passwd" %}', scope), { code: 'workflow.bad_template' });
    await assert.rejects(templates.render('{% for i in (1..100000000) %}{{ i }}{% endfor %}', scope), { code: 'workflow.bad_template' });
  });
});

describe("AlexClaw's export", () => {
  const file = {
    version: 1,
    workflow: {
      name: 'Tech News Digest',
      description: 'd',
      enabled: true,
      schedule: '0 7 * * *',
      default_provider: 'auto',
      node: null,
      metadata: { requires_2fa: true },
    },
    steps: [
      {
        position: 2,
        name: 'Digest',
        skill: 'llm_transform',
        llm_tier: 'medium',
        llm_model: 'auto',
        prompt_template: 'Group: {input}',
        config: {},
        input_from: 1,
        routes: [],
      },
      {
        position: 1,
        name: 'Collect',
        skill: 'rss_collector',
        llm_tier: null,
        llm_model: null,
        prompt_template: null,
        config: { threshold: 0.3, max_items: 5, fetch_timeout: 15, bot_token: '123:abc' },
        input_from: null,
        routes: [{ branch: 'on_items', goto: 2 }],
      },
      {
        position: 3,
        name: 'Send',
        skill: 'telegram_notify',
        llm_tier: null,
        llm_model: null,
        prompt_template: null,
        config: {},
        input_from: null,
        routes: [],
      },
    ],
    resources: [
      {
        name: 'F',
        type: 'rss_feed',
        url: 'https://example.org/rss',
        content: null,
        metadata: { auth: { header: 'a', value: 'b' } },
        tags: ['tech'],
        enabled: true,
        role: 'input',
      },
    ],
  };
  it('becomes a definition of ours, without its credentials, with its meaning', () => {
    const { definition, warnings } = fromAlexClaw(file);
    const read = Definition.parse(definition);
    assert.deepEqual(
      read.steps.map(({ id, next }) => ({ id, next })),
      [
        { id: 'collect', next: { on_items: 'digest', default: 'end' } },
        { id: 'digest', next: undefined },
        { id: 'send', next: undefined },
      ],
    );
    assert.deepEqual(read.triggers, [{ kind: 'cron', expression: '0 7 * * *', timeZone: 'UTC', missed: 'run_once' }]);
    assert.deepEqual((read.steps[0] as { config?: unknown }).config, { threshold: 0.3, maxItems: 5, timeoutMs: 15_000 });
    assert.equal(JSON.stringify(read).includes('123:abc'), false);
    assert.equal(JSON.stringify(read).includes('Group: {{ input }}'), true);
    assert.deepEqual([warnings.length, read.requires2fa, read.provider], [2, true, undefined]);
  });

  it('is kept though it names options and providers that are not here, which are left out with a warning each', async () => {
    const { definition, warnings } = fromAlexClaw({
      ...file,
      workflow: { ...file.workflow, default_provider: 'gemini_flash' },
      steps: [
        { position: 1, name: 'One', skill: 'fetch', config: { max: 'many', other: 1 }, llm_model: 'known' },
        { position: 2, name: 'Two', skill: 'fetch', llm_model: 'opus' },
      ],
      resources: [],
    });
    const read = await readDefinition(await fitted(definition, ports, warnings), ports, templates);
    assert.deepEqual(
      [read.provider, ...read.steps.map((it) => ('skill' in it ? [it.provider, it.config] : []))],
      [undefined, ['known', { other: 1 }], [undefined, undefined]],
    );
    assert.equal(warnings.length, 3);
    for (const [at, what] of [/"One".*"max"/, /"Two".*"opus"/, /workflow.*"gemini_flash"/].entries()) assert.match(warnings[at]!, what);
  });
});
