import { z } from 'zod';
import { defineSetting } from '#settings';
import { Price } from './api.ts';
import { Tier } from './tier.ts';

export const defaultTier = defineSetting({
  key: 'llm.default_tier',
  schema: Tier.exclude(['heavy']),
  default: 'light',
  title: 'Default tier',
  description: 'The tier of a call that names none. Heavy is only ever chosen by name.',
  category: 'models',
});

export const maxOutputTokens = defineSetting({
  key: 'llm.max_output_tokens',
  schema: z.number().int().min(16).max(200_000),
  default: 4_096,
  title: 'Longest answer (tokens)',
  description: 'Used when a call names no limit of its own. A budget holds the price of so many before the call leaves.',
  category: 'models',
});

export const assumedPrice = defineSetting({
  key: 'llm.assumed_price',
  schema: Price,
  default: { inputPerMTok: 15, outputPerMTok: 75 },
  title: 'Assumed price (USD per million tokens)',
  description: 'What a cloud model is counted at when neither the price table nor its provider says. High on purpose.',
  category: 'models',
});

export const embeddingProvider = defineSetting({
  key: 'llm.embedding_provider',
  schema: z.string().trim().max(80),
  default: '',
  title: 'Provider of embeddings',
  description: 'Empty: the first enabled provider with an embedding model; offline: no model.',
  category: 'models',
});

export const embeddingDimensions = defineSetting({
  key: 'llm.embedding_dimensions',
  schema: z.number().int().min(64).max(4_096),
  default: 768,
  title: 'Length of embeddings',
  description: 'Asked of models that can choose; others give their own. A change means that everything is embedded again.',
  category: 'models',
});

/** Settings of this module. */
export const llmSettings = [defaultTier, maxOutputTokens, assumedPrice, embeddingProvider, embeddingDimensions] as const;
