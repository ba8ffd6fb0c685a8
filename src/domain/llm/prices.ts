import type { Provider as PriceTable } from '@pydantic/genai-prices';
import type { Price, PriceSource } from './api.ts';
import type { Usage } from './contract.ts';

/** What to price: a provider's endpoint and model, and the owner's word on it. */
export interface Priced {
  /** The vendor's own address, whatever gateway stands before it; null for kinds without one. */
  readonly vendorUrl: string | null;
  readonly baseUrl: string | null;
  readonly local: boolean;
  readonly model: string;
  readonly own: Price | null;
}

/** The price of one model, ready to count with. */
export interface PriceOf {
  readonly source: PriceSource;
  costUsd(usage: Usage): number;
  /** The most that so many tokens can cost: nothing cached, everything newly written to the cache if that is dearer. */
  worstUsd(inputTokens: number, maxOutputTokens: number): number;
  /** Per million tokens at this size of prompt; for showing. */
  readonly perMTok: Price | null;
  readonly contextWindow: number | null;
}

export interface Prices {
  of(it: Priced, at: number): Promise<PriceOf>;
}

/** `assumed` is what a model costs that no one knows the price of: high on purpose, so that a budget holds. */
export function createPrices(assumed: () => Price): Prices {
  return {
    async of({ vendorUrl, baseUrl, local, model, own }, at) {
      if (own) return flat(own, 'own');
      if (vendorUrl === null && local) return flat({ inputPerMTok: 0, outputPerMTok: 0 }, 'free');
      // Loaded for the first call that costs money: the table takes 20 MB.
      const table = await import('@pydantic/genai-prices');
      const providerApiUrl = vendorUrl ?? baseUrl;
      const provider = providerApiUrl === null ? undefined : table.findProvider({ providerApiUrl });
      return (provider && fromTable(table.calcPrice, provider, model, at)) ?? flat(assumed(), 'assumed');
    },
  };
}

const MILLION = 1_000_000;

function flat(price: Price, source: PriceSource): PriceOf {
  const { inputPerMTok, outputPerMTok, cachedInputPerMTok = inputPerMTok } = price;
  return {
    source,
    costUsd({ inputTokens, outputTokens, cachedInputTokens }) {
      const cached = Math.min(cachedInputTokens, inputTokens);
      return ((inputTokens - cached) * inputPerMTok + cached * cachedInputPerMTok + outputTokens * outputPerMTok) / MILLION;
    },
    worstUsd: (input, output) => (input * Math.max(inputPerMTok, cachedInputPerMTok) + output * outputPerMTok) / MILLION,
    perMTok: price,
    contextWindow: null,
  };
}

type CalcPrice = (typeof import('@pydantic/genai-prices'))['calcPrice'];

/** Undefined when the table does not know the model. */
function fromTable(calcPrice: CalcPrice, provider: PriceTable, model: string, at: number): PriceOf | undefined {
  const timestamp = new Date(at);
  const known = calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { provider, timestamp });
  if (!known) return undefined;
  // Models that write no cache refuse the count of what was written.
  const writesCache = known.model_price['cache_write_mtok'] !== undefined;
  const cost = (usage: Record<string, number>): number => calcPrice(usage, model, { provider, timestamp })?.total_price ?? 0;
  return {
    source: 'table',
    costUsd({ inputTokens, outputTokens, cachedInputTokens, cacheWriteInputTokens = 0 }) {
      const read = Math.min(cachedInputTokens, inputTokens);
      const written = writesCache ? Math.min(cacheWriteInputTokens, inputTokens - read) : 0;
      return cost({ input_tokens: inputTokens, output_tokens: outputTokens, cache_read_tokens: read, cache_write_tokens: written });
    },
    worstUsd(inputTokens, maxOutputTokens) {
      const plain = { input_tokens: inputTokens, output_tokens: maxOutputTokens };
      return writesCache ? Math.max(cost(plain), cost({ ...plain, cache_write_tokens: inputTokens })) : cost(plain);
    },
    perMTok: {
      inputPerMTok: basePrice(known.model_price['input_mtok']),
      outputPerMTok: basePrice(known.model_price['output_mtok']),
      ...(known.model_price['cache_read_mtok'] !== undefined && { cachedInputPerMTok: basePrice(known.model_price['cache_read_mtok']) }),
    },
    contextWindow: known.model.context_window ?? null,
  };
}

function basePrice(price: number | { base: number } | undefined): number {
  return typeof price === 'number' ? price : (price?.base ?? 0);
}
