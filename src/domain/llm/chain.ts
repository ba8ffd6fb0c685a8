import type { CallDefaults } from './contract.ts';
import type { Provider } from './providers.ts';
import { Tier } from './tier.ts';

/** Where a call goes, once everyone has had their say. */
export interface Choice {
  readonly tier: Tier;
  /** Only this one. */
  readonly provider: string | undefined;
  readonly model: string | undefined;
}

/** One place to try. */
export interface Candidate {
  readonly provider: Provider;
  readonly model: string;
  /** Null: chosen by name. */
  readonly tier: Tier | null;
}

/**
 * The strongest level that names a provider or a tier decides; a weaker level's provider never overrides a stronger
 * level's tier. A model counts only from the deciding level or a stronger one: it belongs to the provider chosen there.
 * `auto` and empty text are no choice.
 */
export function choose(levels: readonly CallDefaults[], fallback: Tier): Choice {
  let model: string | undefined;
  for (const level of levels) {
    model ??= chosen(level.model);
    const provider = chosen(level.provider);
    const tier = Tier.safeParse(level.tier).data;
    if (provider !== undefined || tier !== undefined) return { tier: tier ?? fallback, provider, model };
  }
  return { tier: fallback, provider: undefined, model };
}

function chosen(value: string | undefined): string | undefined {
  return value === undefined || value === '' || value === 'auto' ? undefined : value;
}

/** What the owner lined up for a tier, in order; a model asked for by name moves who has it to the front. */
export function tierChain(providers: readonly Provider[], tier: Tier, model?: string): Candidate[] {
  const chain = providers
    .filter((it) => it.enabled && it.model !== '' && it.tiers.includes(tier))
    .map((provider) => ({ provider, model: provider.model, tier }));
  if (model === undefined) return chain;
  const having = providers
    .filter((it) => it.enabled && it.model === model && (tier !== 'local' || it.tiers.includes('local')))
    .map((provider) => ({ provider, model, tier }));
  return [...having, ...chain.filter((it) => it.model !== model)];
}

const cheaperTier: Readonly<Record<Tier, Tier | null>> = { heavy: 'medium', medium: 'light', light: 'local', local: null };

/** Every candidate in turn. Past the end of its own tier it goes on to cheaper ones only while `goCheaper` says so: never to a dearer one. */
export function* candidates(
  providers: readonly Provider[],
  { tier, provider: name, model }: Choice,
  goCheaper: () => boolean,
): Generator<Candidate> {
  if (name !== undefined) {
    const provider = providers.find((it) => it.name === name);
    if (provider) yield { provider, model: model ?? provider.model, tier: null };
    return;
  }
  const tried = new Set<string>();
  for (let at: Tier | null = tier; at !== null; at = goCheaper() ? cheaperTier[at] : null) {
    for (const candidate of tierChain(providers, at, at === tier ? model : undefined)) {
      const key = `${candidate.provider.id} ${candidate.model}`;
      if (tried.has(key)) continue;
      tried.add(key);
      yield candidate;
    }
  }
}
