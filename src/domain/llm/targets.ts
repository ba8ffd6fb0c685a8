import type { Target } from './attempt.ts';
import type { Candidate } from './chain.ts';
import type { ProviderKind } from './contract.ts';
import { dayOf } from './day.ts';
import type { HealthBook } from './health.ts';
import type { PriceOf, Prices } from './prices.ts';
import type { Provider, Providers } from './providers.ts';
import type { Locality } from './reach.ts';

/** Why a candidate is left out without being called. */
export interface Skip {
  readonly skip: string;
  readonly detail?: string;
}

export interface Targets {
  /** For a call of the chain: what is off, unwell, too far away or unable is left out. */
  forChat(candidate: Candidate, needs: { readonly local: boolean; readonly tools: boolean }): Promise<Target | Skip>;
  /** The one provider whose vectors the index holds. `name` empty: the first that makes any. */
  forEmbedding(name: string): Promise<Target | (Skip & { readonly provider: string })>;
  /** Whatever its state: for the owner's test. */
  anyway(provider: Provider, model: string): Promise<Target>;
  /** The provider without a model; null when there is none. */
  offline(): Target | null;
  priceOf(provider: Provider, model: string): Promise<PriceOf>;
}

export interface TargetsDeps {
  readonly providers: Providers;
  readonly health: HealthBook;
  readonly prices: Prices;
  readonly locality: Locality;
  readonly kinds: readonly ProviderKind[];
  readonly now: () => number;
}

export function createTargets({ providers, health, prices, locality, kinds, now }: TargetsDeps): Targets {
  /** A price holds for a day: tables have starting dates. */
  const priced = new Map<string, { readonly of: string; readonly price: PriceOf }>();

  async function priceOf(provider: Provider, model: string): Promise<PriceOf> {
    const key = `${provider.id} ${model}`;
    const of = `${dayOf(now())} ${provider.updatedAt}`;
    const kept = priced.get(key);
    if (kept?.of === of) return kept.price;
    const kind = providers.kindOf(provider);
    const baseUrl = providers.addressOf(provider);
    const local = kind?.local === true || (baseUrl !== null && (await locality.is(baseUrl)));
    const price = await prices.of({ vendorUrl: kind?.defaultBaseUrl ?? null, baseUrl, local, model, own: provider.price }, now());
    if (price.source === 'assumed') priced.delete(key); // the owner may say any moment what it costs
    else priced.set(key, { of, price });
    return price;
  }

  async function toTarget(provider: Provider, model: string, tier: Target['tier']): Promise<Target> {
    const { id, name, kind, dailyCallLimit, options } = provider;
    return {
      id,
      name,
      kind,
      offline: false,
      model,
      tier,
      dailyCallLimit,
      options,
      price: await priceOf(provider, model),
      open: () => providers.client(provider),
    };
  }

  function unfit(provider: Provider, model: string): Skip | null {
    const kind = providers.kindOf(provider);
    if (!kind) return { skip: 'unknown_kind', detail: provider.kind };
    if (!provider.enabled) return { skip: 'disabled' };
    if (model === '') return { skip: 'no_model' };
    if (providers.addressOf(provider) === null) return { skip: 'no_address' };
    if (kind.needsKey && provider.secret === null) return { skip: 'no_key' };
    const blocked = health.blocked(provider.id, now());
    return blocked === null ? null : { skip: 'unhealthy', detail: blocked };
  }

  function offline(): Target | null {
    const kind = kinds.find((it) => it.id === 'offline');
    if (!kind) return null;
    const open = (): ReturnType<ProviderKind['open']> => kind.open({ baseUrl: '', apiKey: null, headers: {}, timeoutMs: 60_000 });
    return {
      id: 'offline',
      name: 'offline',
      kind: kind.id,
      offline: true,
      model: 'offline',
      tier: null,
      dailyCallLimit: null,
      options: undefined,
      price: FREE,
      open,
    };
  }

  return {
    priceOf,
    offline,
    anyway: (provider, model) => toTarget(provider, model, null),

    async forChat({ provider, model, tier }, needs) {
      const reason = unfit(provider, model);
      if (reason) return reason;
      const kind = providers.kindOf(provider)!;
      if (needs.tools && !kind.canUseTools) return { skip: 'no_tools' };
      // Asked of the name server each time: what was at home a minute ago may not be now.
      if (needs.local && !kind.local && !(await locality.is(providers.addressOf(provider)!))) return { skip: 'not_local' };
      return toTarget(provider, model, tier);
    },

    async forEmbedding(name) {
      const nowhere = { skip: 'no_provider', provider: name || 'any provider' };
      if (name === 'offline') return offline() ?? nowhere;
      const able = providers.all().filter((it) => it.enabled && it.embeddingModel !== null && providers.kindOf(it)?.canEmbed);
      const provider = name === '' ? able[0] : able.find((it) => it.name === name);
      if (!provider) return (name === '' ? offline() : null) ?? nowhere;
      const reason = unfit(provider, provider.embeddingModel!);
      return reason ? { ...reason, provider: provider.name } : toTarget(provider, provider.embeddingModel!, null);
    },
  };
}

const FREE: PriceOf = {
  source: 'free',
  costUsd: () => 0,
  worstUsd: () => 0,
  perMTok: { inputPerMTok: 0, outputPerMTok: 0 },
  contextWindow: null,
};
