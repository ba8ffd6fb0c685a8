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
type Rates = NonNullable<ReturnType<CalcPrice>>['model_price'];

/** Undefined when the table does not know the model. */
function fromTable(calcPrice: CalcPrice, provider: PriceTable, model: string, at: number): PriceOf | undefined {
  const timestamp = new Date(at);
  const known = calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { provider, timestamp });
  if (!known) return undefined;
  const rates = known.model_price;
  const byTable = (tokens: Tokens): number =>
    calcPrice(
      { input_tokens: tokens.input, output_tokens: tokens.output, cache_read_tokens: tokens.read, cache_write_tokens: tokens.written },
      model,
      { provider, timestamp },
    )?.total_price ?? 0;
  const cost = linear(rates) ?? byTable;
  // Models that write no cache refuse the count of what was written.
  const writesCache = rates['cache_write_mtok'] !== undefined;
  return {
    source: 'table',
    costUsd({ inputTokens: input, outputTokens: output, cachedInputTokens, cacheWriteInputTokens = 0 }) {
      const read = Math.min(cachedInputTokens, input);
      return cost({ input, output, read, written: writesCache ? Math.min(cacheWriteInputTokens, input - read) : 0 });
    },
    worstUsd(input, output) {
      const plain = cost({ input, output, read: 0, written: 0 });
      return writesCache ? Math.max(plain, cost({ input, output, read: 0, written: input })) : plain;
    },
    perMTok: {
      inputPerMTok: basePrice(rates['input_mtok']),
      outputPerMTok: basePrice(rates['output_mtok']),
      ...(rates['cache_read_mtok'] !== undefined && { cachedInputPerMTok: basePrice(rates['cache_read_mtok']) }),
    },
    contextWindow: known.model.context_window ?? null,
  };
}

interface Tokens {
  readonly input: number;
  readonly output: number;
  /** Of the input. */
  readonly read: number;
  readonly written: number;
}

/** Most models have one price for any size of prompt: four products, where the table's own way takes a tenth of a millisecond. */
function linear(rates: Rates): ((tokens: Tokens) => number) | undefined {
  const {
    input_mtok: inputRate = 0,
    output_mtok: outputRate = 0,
    cache_read_mtok: readRate = inputRate,
    cache_write_mtok: writeRate = inputRate,
  } = rates;
  if (typeof inputRate !== 'number' || typeof outputRate !== 'number' || typeof readRate !== 'number' || typeof writeRate !== 'number')
    return undefined;
  return ({ input, output, read, written }) =>
    ((input - read - written) * inputRate + read * readRate + written * writeRate + output * outputRate) / MILLION;
}

function basePrice(price: number | { base: number } | undefined): number {
  return typeof price === 'number' ? price : (price?.base ?? 0);
}
