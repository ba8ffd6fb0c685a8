import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import type { Json } from '#core/json';
import type { Service } from '#core/service';
import type { Settings } from '#settings';
import type { Tell } from '#settings/contract';
import type {
  Budget,
  BudgetScope,
  ModelInfo,
  NewProvider,
  ProviderInfo,
  ProviderPatch,
  ProviderTest,
  UsageGroup,
  UsageRow,
} from './api.ts';
import { describeFailure, type AttemptDeps, type Target } from './attempt.ts';
import { createBudgets, type OverBudget } from './budgets.ts';
import type { CallDefaults, CallScope, ProviderKind, ScopedLlm } from './contract.ts';
import { dayOf, monthOf } from './day.ts';
import { createHealthBook, type Failure } from './health.ts';
import { createLedger, type Charge } from './ledger.ts';
import { testLive } from './live-test.ts';
import { createPrices } from './prices.ts';
import { createProviders, type Provider, type Secrets } from './providers.ts';
import { allHealth, putHealth, usageBy } from './queries.ts';
import { createLocality, type Resolve } from './reach.ts';
import type { Scanner } from './redaction.ts';
import { createScopedLlm, type RouterDeps } from './router.ts';
import { seededProviders, type LlmSeeds } from './seeds.ts';
import { assumedPrice, defaultTier, embeddingDimensions, embeddingProvider, maxOutputTokens } from './settings.ts';
import type { HealthRow } from './tables.ts';
import { createTargets } from './targets.ts';
import { createUpkeep } from './upkeep.ts';

const MODEL_LIST_LIMIT_MS = 10_000;

export interface LlmDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly bus: Bus;
  readonly settings: Pick<Settings, 'get'>;
  readonly secrets: Secrets;
  readonly kinds: readonly ProviderKind[];
  /** Takes secrets out of prompts and out of what streams back. */
  readonly scanner?: Scanner;
  /** Refuses secrets, and what stands for them, where a provider's plain fields are written. */
  readonly refuse?: (value: Json, what: string) => void;
  readonly tell: Tell;
  readonly onError: (what: string, error: unknown) => void;
  /** Adds what a call cost to the run and the step that pay, in the transaction that books it. */
  readonly charge?: Charge;
  /** This process, among those that share the database. */
  readonly node?: string;
  /** Name to addresses; the machine's resolver when left out. */
  readonly resolve?: Resolve;
}

/** Models, whoever answers: providers, tiers, falling back, budgets and the ledger of every call. */
export interface Llm {
  /** The router for one payer. `defaults` are what it prefers, the strongest first: step, workflow or conversation, skill. */
  scoped(scope: CallScope, defaults?: readonly CallDefaults[]): ScopedLlm;
  /** In the order they are tried. */
  list(): Promise<ProviderInfo[]>;
  get(id: string): Promise<ProviderInfo>;
  add(input: NewProvider): Promise<ProviderInfo>;
  change(id: string, patch: ProviderPatch): Promise<ProviderInfo>;
  remove(id: string): Promise<void>;
  test(id: string, signal: AbortSignal): Promise<ProviderTest>;
  /** Models of all rows; with a provider's name also what its endpoint offers. */
  models(options: {
    readonly provider?: string | undefined;
    readonly signal: AbortSignal;
  }): Promise<{ items: ModelInfo[]; offered: string[] }>;
  /** Days in UTC, both included; today when left out. */
  usage(options: {
    readonly from?: string | undefined;
    readonly to?: string | undefined;
    readonly by?: UsageGroup;
  }): Promise<{ from: string; to: string; items: UsageRow[]; total: UsageRow }>;
  budgets(): Promise<Budget[]>;
  setBudget(scope: BudgetScope, key: string, limitUsd: number | null): Promise<Budget>;
  /** What an approval of an over-budget call gives: so much more for this run, or for a workflow or all work until the day or month ends. */
  grantExtra(scope: BudgetScope, key: string, usd: number): Promise<Budget>;
  /** Adds the rows of a fresh install; later fills in keys of rows nobody has touched. */
  seed(seeds: LlmSeeds): Promise<void>;
  /** Books what a dead process left open, re-tests unhealthy providers, looks for local servers. */
  readonly service: Service;
}

export function createLlm(deps: LlmDeps): Llm {
  const { store, clock, newId, bus, settings, kinds, scanner, tell, onError } = deps;
  const providers = createProviders({
    store,
    clock,
    newId,
    kinds,
    secrets: deps.secrets,
    refuse: deps.refuse,
    onBadRow: (name, error) =>
      tell('warning', `The provider ${name} cannot be read`, `It is left out until its row is mended: ${(error as Error).message}`),
  });
  const health = createHealthBook();
  const budgets = createBudgets({ store, clock });
  const locality = createLocality(deps.resolve);
  const prices = createPrices(() => settings.get(assumedPrice));
  const targets = createTargets({ providers, health, prices, locality, kinds, now: () => clock.now() });
  const ledger = createLedger({
    store,
    clock,
    newId,
    budgets,
    node: deps.node ?? 'local',
    charge: deps.charge,
    onSettled: ({ id, provider, model, status, run_id, cost_usd }) =>
      bus.publish('llm.settled', { callId: id, provider, model, status, runId: run_id, costUsd: cost_usd }),
    onError,
  });

  let loading: Promise<void> | null = null;
  /** Reads the tables once, before the first call. */
  function ready(): Promise<void> {
    loading ??= load().catch((error: unknown) => {
      loading = null;
      throw error;
    });
    return loading;
  }

  async function load(): Promise<void> {
    await providers.load();
    await budgets.load();
    health.load(await allHealth(store.db));
    await ledger.recover();
  }

  /** Writes down and tells of a change of health. */
  function noteHealth(row: HealthRow | null, failure: Failure | null): HealthRow | null {
    if (!row) return null;
    const name = providers.all().find((it) => it.id === row.provider_id)?.name ?? row.provider_id;
    bus.publish('llm.health_changed', { id: row.provider_id, provider: name, state: row.state, reason: row.reason });
    if (failure?.reason === 'auth' && row.rounds === 1)
      tell(
        'warning',
        `${name} refuses its key`,
        `${failure.message}. Calls go to the next provider until it works again; set a new key under Providers.`,
      );
    return row;
  }

  function onOutcome(target: Target, failure: Failure | null): HealthRow | null {
    if (target.offline) return null;
    if (!failure) return noteHealth(health.succeeded(target.id), null);
    if (failure.reason === 'auth') providers.close(target.id);
    return noteHealth(health.failed(target.id, failure, clock.now()), failure);
  }

  const toldOf = new Set<string>();
  function onOverBudget({ scope, key, limitUsd, spentUsd }: OverBudget): void {
    const once = `${scope} ${key} ${scope === 'month' ? monthOf(clock.now()) : dayOf(clock.now())}`;
    if (scope === 'run' || toldOf.has(once)) return;
    toldOf.add(once);
    tell(
      'warning',
      `A budget is used up: ${scope}${key && ` of ${key}`}`,
      `$${spentUsd.toFixed(2)} of $${limitUsd.toFixed(2)} is spent. Calls go to cheaper tiers, then to the offline fallback.`,
    );
  }

  const attempts: AttemptDeps = { ledger, clock, scanner, onOutcome };
  const router: RouterDeps = {
    ready,
    providers: providers.all,
    target: targets.forChat,
    offline: targets.offline,
    attempts,
    scanner,
    onOverBudget,
    settings: () => ({ defaultTier: settings.get(defaultTier), maxOutputTokens: settings.get(maxOutputTokens) }),
    embedding: {
      ledger,
      clock,
      onOutcome,
      onOverBudget,
      target: () => targets.forEmbedding(settings.get(embeddingProvider)),
      dimensions: () => settings.get(embeddingDimensions),
    },
  };

  async function info(provider: Provider): Promise<ProviderInfo> {
    const { createdAt, updatedAt, ...fields } = provider;
    const address = providers.addressOf(provider);
    return {
      ...fields,
      local: providers.kindOf(provider)?.local === true || (address !== null && locality.isSurely(address)),
      health: health.of(provider.id),
      callsToday: ledger.callsToday(provider.id),
      createdAt: new Date(createdAt).toISOString(),
      updatedAt: new Date(updatedAt).toISOString(),
    };
  }

  async function change(id: string, patch: ProviderPatch): Promise<ProviderInfo> {
    await ready();
    const provider = await providers.change(id, patch);
    await resetHealth(id);
    bus.publish('llm.provider_changed', { id, change: 'changed' });
    return info(provider);
  }

  async function resetHealth(id: string): Promise<void> {
    const row = noteHealth(health.reset(id), null);
    if (row) await store.write((tx) => putHealth(tx, row));
  }

  async function models({
    provider: name,
    signal,
  }: {
    readonly provider?: string | undefined;
    readonly signal: AbortSignal;
  }): Promise<{ items: ModelInfo[]; offered: string[] }> {
    await ready();
    const items: ModelInfo[] = [];
    for (const provider of providers.all()) {
      if (name !== undefined && provider.name !== name) continue;
      const { local } = await info(provider);
      for (const [use, model] of [
        ['chat', provider.model],
        ['embedding', provider.embeddingModel ?? ''],
      ] as const) {
        if (model === '') continue;
        const { perMTok, source, contextWindow } = await targets.priceOf(provider, model);
        items.push({
          provider: provider.name,
          kind: provider.kind,
          model,
          use,
          tiers: use === 'chat' ? provider.tiers : [],
          local,
          enabled: provider.enabled,
          price: perMTok,
          priceSource: source,
          contextWindow,
        });
      }
    }
    const asked = name === undefined ? undefined : providers.byName(name);
    if (name !== undefined && !asked) throw new AppError('not_found', 'llm.provider_not_found', `No provider is called ${name}`, { name });
    return {
      items,
      offered: asked ? [...(await offeredBy(asked, AbortSignal.any([signal, AbortSignal.timeout(MODEL_LIST_LIMIT_MS)])))] : [],
    };
  }

  async function offeredBy(provider: Provider, signal: AbortSignal): Promise<readonly string[]> {
    try {
      return await (await providers.client(provider)).models(signal);
    } catch (thrown) {
      const { reason, message } = describeFailure(thrown);
      throw new AppError('unavailable', 'llm.failed', `${provider.name} does not list its models: ${message}`, { reason }, thrown);
    }
  }

  const service = createUpkeep({
    clock,
    bus,
    providers,
    health,
    locality,
    change,
    reset: resetHealth,
    onError,
    async load() {
      loading = null;
      await ready();
    },
    async keep(row) {
      const noted = noteHealth(row, null);
      if (noted) await store.write((tx) => putHealth(tx, noted));
    },
    tidy: budgets.forget,
  });

  return {
    scoped: (scope, defaults = []) => createScopedLlm(router, scope, defaults),
    change,
    models,
    service,

    async list() {
      await ready();
      return Promise.all(providers.all().map(info));
    },

    async get(id) {
      await ready();
      return info(providers.get(id));
    },

    async add(input) {
      await ready();
      const provider = await providers.add(input);
      bus.publish('llm.provider_changed', { id: provider.id, change: 'added' });
      return info(provider);
    },

    async remove(id) {
      await ready();
      await providers.remove(id);
      bus.publish('llm.provider_changed', { id, change: 'removed' });
    },

    async test(id, signal) {
      await ready();
      const provider = providers.get(id);
      if (provider.model === '')
        throw new AppError('invalid', 'llm.provider_incomplete', 'model: the provider has no model to test; set one first', {
          field: 'model',
        });
      return testLive(attempts, clock, await targets.anyway(provider, provider.model), signal);
    },

    async usage({ from, to, by = 'provider' }) {
      const today = dayOf(clock.now());
      const range = { from: from ?? to ?? today, to: to ?? today };
      const items = await usageBy(store.db, by, range.from, range.to);
      return {
        ...range,
        items,
        total: items.reduce(addUsageRows, {
          key: '',
          calls: 0,
          failedCalls: 0,
          inputTokens: 0,
          outputTokens: 0,
          cachedInputTokens: 0,
          costUsd: 0,
        }),
      };
    },

    async budgets() {
      await ready();
      return [...(await budgets.list())];
    },

    async setBudget(scope, key, limitUsd) {
      await ready();
      return budgets.set(scope, key, limitUsd);
    },

    async grantExtra(scope, key, usd) {
      await ready();
      return budgets.grant(scope, key, usd);
    },

    async seed(seeds) {
      await ready();
      const wanted = seededProviders(seeds);
      if (providers.all().length === 0) {
        for (const row of wanted) await providers.add(row);
        return;
      }
      for (const { name, secret, enabled } of wanted) {
        const there = providers.byName(name);
        if (enabled && secret && there && !there.enabled && there.secret === null && there.createdAt === there.updatedAt)
          await change(there.id, { secret, enabled });
      }
    },
  };
}

function addUsageRows(a: UsageRow, b: UsageRow): UsageRow {
  return {
    key: '',
    calls: a.calls + b.calls,
    failedCalls: a.failedCalls + b.failedCalls,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    costUsd: a.costUsd + b.costUsd,
  };
}
