import { createBus } from '#core/bus';
import { manualClock } from '#core/clock';
import { memoryStore, type TestStore } from '#core/db/testing';
import { AppError } from '#core/errors';
import { sequentialIds } from '#core/ids';
import type { Json } from '#core/json';
import { secret } from '#core/secret';
import type { Running } from '#core/service';
import { fixedSettings } from '#settings/testing';
import type { NewProvider } from './api.ts';
import type { CallDefaults, CallScope, LlmRequest, ProviderKind } from './contract.ts';
import { startFakeLlm, type Script } from './fake-llm.ts';
import { providerKinds } from './kinds.ts';
import { createLlm, type LlmDeps } from './llm.ts';
import type { CallRow } from './tables.ts';
import { llmMigrations } from './tables.ts';

/** Noon of 21 November 2026, UTC. */
export const NOON = Date.UTC(2026, 10, 21, 12);
const HOUR = 3_600_000;
export const UNTIL_MIDNIGHT = 12 * HOUR;

export interface BedOptions {
  readonly script?: Script;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly store?: TestStore;
  readonly kinds?: readonly ProviderKind[];
  readonly scanner?: LlmDeps['scanner'];
  readonly resolve?: LlmDeps['resolve'];
}

/** Resolves when it holds; fails after five seconds. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const limit = performance.now() + 5_000; performance.now() < limit; await new Promise((resolve) => setTimeout(resolve, 5)))
    if (await holds()) return;
  throw new Error('It did not come about in five seconds');
}

/** A router on a store in memory, with a fake server behind every provider that `provider` adds. For this module's tests. */
export async function setup({ script, settings = {}, store: given, kinds = providerKinds, scanner, resolve }: BedOptions = {}) {
  const store = given ?? (await memoryStore(llmMigrations));
  const fake = await startFakeLlm(script ? { script } : {});
  const clock = manualClock(NOON);
  const secrets = new Map([['@secret:key', 'sk-test-0123456789abcdef']]);
  const errors: unknown[] = [];
  const told: string[] = [];
  const journal: { type: string; data: Json }[] = [];
  const bus = createBus((_name, error) => errors.push(error));
  const newId = sequentialIds(`call-${Math.random().toString(36).slice(2, 8)}`);
  const llm = createLlm({
    store,
    clock,
    newId,
    bus,
    kinds,
    settings: fixedSettings(settings),
    secrets: {
      async resolve(reference) {
        const value = secrets.get(reference);
        if (value === undefined) throw new AppError('not_found', 'vault.no_secret', `No secret ${reference}`);
        return secret(value);
      },
      fill: async (text) => secret(secrets.get(text) ?? text),
    },
    tell: (_severity, title) => told.push(title),
    onError: (_what, error) => errors.push(error),
    ...(scanner && { scanner }),
    ...(resolve && { resolve }),
  });
  const stop = new AbortController();
  let running: Running | undefined;

  return {
    llm,
    fake,
    clock,
    store,
    bus,
    secrets,
    errors,
    told,
    journal,
    /** Claude Haiku 4.5 at the fake: $1 in, $5 out, $0.1 cached per million tokens; unless said otherwise. */
    provider: (name: string, fields: Partial<NewProvider> = {}) =>
      llm.add({
        name,
        kind: 'anthropic',
        baseUrl: fake.url,
        model: 'claude-haiku-4-5',
        tiers: ['light'],
        secret: '@secret:key',
        timeoutMs: 5_000,
        ...fields,
      }),
    ask: (request: Partial<LlmRequest> = {}, scope: Partial<CallScope> = {}, defaults: CallDefaults[] = []) =>
      llm
        .scoped({ purpose: 'test', journal: (type, data) => journal.push({ type, data }), ...scope }, defaults)
        .complete({ prompt: 'Hello', signal: AbortSignal.timeout(10_000), ...request }),
    scoped: (scope: Partial<CallScope> = {}, defaults: CallDefaults[] = []) =>
      llm.scoped({ purpose: 'test', journal: (type, data) => journal.push({ type, data }), ...scope }, defaults),
    ledger: (): Promise<CallRow[]> => store.db.selectFrom('llm_call').selectAll().orderBy('started_at').orderBy('hop').execute(),
    holds: () => store.db.selectFrom('llm_reservation').selectAll().execute(),
    hops: () => journal.filter((it) => it.type === 'llm.hop').map((it) => it.data as { provider: string; reason: string }),
    async start() {
      running = await llm.service.start({ signal: stop.signal, exit: () => {} });
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running?.stop();
      await fake.close();
      await store[Symbol.asyncDispose]();
    },
  };
}
