import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { memoryStore } from '#core/db/testing';
import type { FetchRequest } from '#core/fetch';
import { sequentialIds } from '#core/ids';
import { AnyJson, type Json } from '#core/json';
import { secret } from '#core/secret';
import type { LlmRequest, ScopedLlm } from '#llm/contract';
import { allowAll } from '#policy/testing';
import { createRuns, runMigrations } from '#runs';
import { createHandles } from '#vault';
import { createBreakers } from './breaker.ts';
import { createCatalogue } from './catalogue.ts';
import { skill, type SkillContext } from './contract.ts';
import { createSkillRunner } from './runner.ts';
import { skillMigrations } from './tables.ts';
import { quiet } from './testing.ts';

const VALUE = 'open-sesame-0815';

/** One skill that does what the test says, with the owner's `own` as its configuration. */
async function run(own: Json, behaviour: (context: SkillContext, config: Record<string, string>) => Promise<Json>) {
  await using store = await memoryStore(runMigrations, skillMigrations);
  const bus = createBus((_, error) => assert.fail(String(error)));
  const clock = systemClock;
  const runs = createRuns({ store, bus, clock, newId: sequentialIds('id'), keep: () => ({ days: 1, perWorkflow: 10 }) });
  const breakers = createBreakers({ store, bus, clock, limits: () => ({ threshold: 2, coolDownMs: 60_000 }) });
  const fetched: FetchRequest[] = [];
  const asked: LlmRequest[] = [];
  const borrowers: (readonly string[])[] = [];
  const probe = skill({
    name: 'probe',
    title: 'Probe',
    description: 'For tests.',
    config: z.record(z.string(), z.string()),
    input: AnyJson,
    output: AnyJson,
    outcomes: ['on_success'],
    grants: ['net:fetch', 'llm:call', 'k'],
    external: false,
    timeoutMs: 5_000,
    stepFields: ['config'],
    run: async ({ config, context }) => ({ outcome: 'on_success', output: await behaviour(context, config) }),
  });
  const runner = createSkillRunner({
    catalogue: createCatalogue([probe], breakers),
    breakers,
    runs,
    clock,
    log: quiet(),
    random: () => 0.5,
    fetch: async (request) => {
      fetched.push(request);
      const body = Buffer.from('');
      return { status: 200, url: request.url, headers: new Headers(), contentType: '', notModified: false, body };
    },
    lend: async (_name, by) => (borrowers.push(by.as), secret(VALUE)),
    files: { read: async () => new Uint8Array(), locate: async (url) => url },
    policy: allowAll(),
    llm: () =>
      ({
        complete: async (request: LlmRequest) => (
          asked.push(request),
          { text: request.prompt ?? '', reasoning: '', toolCalls: [], receipt: {} as never }
        ),
      }) as unknown as ScopedLlm,
    memory: () => ({ known: async () => new Set(), add: async () => ({ id: 'm', existed: false }), search: async () => [] }),
    setting: () => null,
    wishes: () => ({}),
    timeZone: () => 'UTC',
    deliver: async () => ({ delivered: [] }),
  });
  const handles = createHandles();
  const { run: started } = await store.write((tx) =>
    runs.create(tx, { kind: 'skill', title: 't', trigger: { kind: 'owner', by: 'owner' } }),
  );
  const result = await runner.run({
    skill: 'probe',
    config: handles.hold(own),
    handles,
    input: null,
    prompt: null,
    signal: new AbortController().signal,
    llm: [],
    run: { id: started.id, workflowId: null, workspace: 'garden', dryRun: false },
    step: 's',
    labels: [],
    onBehalf: { chain: ['owner'] },
    resources: [],
    ownAddresses: [],
    render: async (text) => text,
  });
  const stored = JSON.stringify(await runs.detail(started.id));
  return { result, fetched, asked, stored, borrowers };
}

const request = (context: SkillContext, headers: Record<string, string>) =>
  context.fetch({ url: 'https://api.example.com/', headers, signal: context.signal, timeoutMs: 1_000, maxBytes: 1_000 });

describe("the owner's secrets in a skill", () => {
  it('are put into its requests, and stand nowhere else, not even as what stands for them', async () => {
    const t = await run({ auth: 'Bearer @secret:api' }, async (context, { auth }) => {
      await request(context, { authorization: auth! });
      context.note('probe', { auth: auth! });
      await context.effect({
        name: 'e',
        kind: 'k',
        target: auth!,
        class: 'irreversible',
        intent: { auth: auth! },
        idempotent: true,
        perform: async () => ({}),
      });
      return { auth: auth! };
    });
    assert.equal(t.fetched[0]?.headers?.['authorization'], `Bearer ${VALUE}`);
    assert.deepEqual(t.borrowers, [['skill:probe', 'workspace:garden']]);
    assert.deepEqual(t.result.output, { auth: 'Bearer @secret:api' });
    assert.ok(!t.stored.includes(VALUE) && !/sealed[0-9a-f]{32}/.test(t.stored), t.stored);
  });

  it('a model that reads the configuration and writes a reference, or what it was shown, gets nothing', async () => {
    const t = await run({ auth: 'Bearer @secret:api' }, async (context, { auth }) => {
      const { text } = await context.llm.complete({ prompt: `Say again: ${auth}`, signal: context.signal });
      await request(context, { authorization: text });
      await request(context, { authorization: 'Bearer @secret:api' });
      return text;
    });
    assert.equal(t.asked[0]?.prompt, 'Say again: Bearer @secret:api');
    assert.ok(!JSON.stringify(t.fetched).includes(VALUE));
  });
});
