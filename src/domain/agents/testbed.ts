import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBus } from '#core/bus';
import { manualClock } from '#core/clock';
import { memoryStore, type TestStore } from '#core/db/testing';
import type { Migration } from '#core/db/migration';
import { AppError } from '#core/errors';
import { uuidv7 } from '#core/ids';
import { secret } from '#core/secret';
import { auditMigrations, createAudit } from '#audit';
import { createLlm, llmMigrations, providerKinds } from '#llm';
import { startFakeLlm, type Script } from '#llm/testing';
import { starterRules } from '#policy';
import { rulesOnly } from '#policy/testing';
import { createRuns, runMigrations } from '#runs';
import { fixedSettings } from '#settings/testing';
import { createAgents, type AgentsDeps } from './agents.ts';
import type { TurnEvent } from './contract.ts';
import { agentMigrations } from './tables.ts';

/** Noon of 21 November 2026, UTC. */
export const NOON = Date.UTC(2026, 10, 21, 12);

export const testMigrations: readonly Migration[] = [...auditMigrations, ...runMigrations, ...llmMigrations, ...agentMigrations];

export interface BedOptions {
  readonly script?: Script;
  readonly store?: TestStore;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly hooks?: AgentsDeps['hooks'];
  readonly backends?: AgentsDeps['backends'];
  readonly toolboxes?: AgentsDeps['toolboxes'];
  readonly memory?: (store: TestStore) => NonNullable<AgentsDeps['memory']>;
  /** Without a provider the router answers offline. */
  readonly provider?: boolean;
}

/** Agents on the real router, with a fake server behind its one provider. For this module's tests. */
export async function setup({
  script,
  store: given,
  settings: values = {},
  hooks,
  backends,
  toolboxes,
  memory,
  provider = true,
}: BedOptions = {}) {
  const store = given ?? (await memoryStore(testMigrations));
  const fake = await startFakeLlm(script ? { script } : {});
  const clock = manualClock(NOON);
  const newId = uuidv7(clock.now);
  const errors: unknown[] = [];
  const bus = createBus((_name, error) => errors.push(error));
  const onError = (_what: string, error: unknown): void => void errors.push(error);
  const settings = fixedSettings({ 'owner.name': 'Ada', 'owner.time_zone': 'Europe/Rome', ...values });
  const audit = createAudit({ store, clock, redact: (text) => text });
  const runs = createRuns({ store, bus, clock, newId, keep: () => ({ days: 90, perWorkflow: 1_000 }) });
  const noSecrets = {
    resolve: () => Promise.reject(new AppError('not_found', 'vault.no_secret', 'No secret')),
    fill: async (text: string) => secret(text),
  };
  const llm = createLlm({ store, clock, newId, bus, settings, kinds: providerKinds, secrets: noSecrets, tell: () => {}, onError });
  if (provider)
    await llm.add({
      name: 'fake',
      kind: 'compatible',
      baseUrl: fake.url,
      model: 'fake-1',
      tiers: ['light'],
      price: { inputPerMTok: 1, outputPerMTok: 5 },
      timeoutMs: 5_000,
    });
  const folder = await mkdtemp(join(tmpdir(), 'castellan-agents-'));

  /** A second one on the same store is the program after a crash. */
  const build = () =>
    createAgents({
      store, bus, clock, newId, runs, settings, audit, onError, random: Math.random, policy: rulesOnly(...starterRules([])), llm: llm.scoped, workspacesFolder: folder,
      redact: (text) => text.replaceAll('sk-secret-123', '[secret]'), isCode: async (text) => text === '424242',
      ...(hooks && { hooks }), ...(backends && { backends }), ...(toolboxes && { toolboxes }), ...(memory && { memory: memory(store) }),
    }); // prettier-ignore
  const agents = build();
  await agents.seed();

  return {
    ...agents, agents, build, store, fake, clock, bus, runs, llm, errors, folder, newId,
    async say(conversationId: string, text: string, extra: { idempotencyKey?: string } = {}): Promise<TurnEvent[]> {
      const events: TurnEvent[] = [];
      for await (const { data } of agents.turns.turn({ conversationId, text, origin: { kind: 'owner' }, signal: AbortSignal.timeout(10_000), ...extra })) events.push(data);
      return events;
    },
    async [Symbol.asyncDispose]() {
      await fake.close();
      await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  }; // prettier-ignore
}

/** The last event of a turn. */
export function endOf(events: readonly TurnEvent[]): Extract<TurnEvent, { type: 'end' }> {
  const last = events.at(-1);
  if (last?.type !== 'end') throw new Error('The turn has no end');
  return last;
}

/** Resolves when it holds; fails after five seconds. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const limit = performance.now() + 5_000; performance.now() < limit; await new Promise((resolve) => setTimeout(resolve, 5)))
    if (await holds()) return;
  throw new Error('It did not come about in five seconds');
}
