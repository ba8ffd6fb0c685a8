import { z } from 'zod';
import { Done, endpoint } from '#core/endpoint';
import { Tier } from './tier.ts';

/** A table price in USD per million tokens; the owner's own price has the same shape. */
export const Price = z.strictObject({
  inputPerMTok: z.number().min(0),
  outputPerMTok: z.number().min(0),
  /** Input read from the provider's cache; the input price when left out. */
  cachedInputPerMTok: z.number().min(0).optional(),
});
export type Price = z.infer<typeof Price>;

/** Names with a meaning of their own: `auto` is no choice, `offline` the provider without a model. */
const reserved = new Set(['auto', 'offline']);

const providerFields = {
  name: z
    .string()
    .trim()
    .min(1)
    .max(80)
    .refine((name) => !reserved.has(name.toLowerCase()), 'auto and offline are taken; choose another name'),
  kind: z.enum(['anthropic', 'google', 'openai', 'compatible']),
  /** Without the API's version path; the kind's own address when null. */
  baseUrl: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).nullable(),
  /** Empty: not known yet (a local server that was never reached), or a provider of embeddings only. */
  model: z.string().trim(),
  /** The model that makes vectors; null: this provider makes none. */
  embeddingModel: z.string().trim().min(1).nullable(),
  tiers: z.array(Tier),
  /** Lower is tried first. */
  priority: z.int().min(0),
  /** Answers a day, UTC; 0 is never, null unlimited. Embeddings do not count. */
  dailyCallLimit: z.int().min(0).nullable(),
  /** The owner's price, instead of the table's. */
  price: Price.nullable(),
  /** A reference into the vault, never a key. */
  secret: z
    .string()
    .regex(/^@secret:\S+$/, 'must be a reference such as @secret:anthropic_api_key')
    .nullable(),
  /** Sent with each request; a value may be a `@secret:` reference. */
  headers: z.record(z.string(), z.string()),
  /** Inference options as the kind understands them: `temperature`, `top_p`, `num_ctx`, `thinking`, … */
  options: z.record(z.string(), z.json()),
  enabled: z.boolean(),
  /** Without a first byte, then between bytes. */
  timeoutMs: z.int().min(100).max(3_600_000),
};

export const ProviderFields = z.strictObject(providerFields);
export type ProviderFields = z.infer<typeof ProviderFields>;

export const NewProvider = z.strictObject({
  ...providerFields,
  baseUrl: providerFields.baseUrl.default(null),
  model: providerFields.model.default(''),
  embeddingModel: providerFields.embeddingModel.default(null),
  tiers: providerFields.tiers.default([]),
  priority: providerFields.priority.default(100),
  dailyCallLimit: providerFields.dailyCallLimit.default(null),
  price: providerFields.price.default(null),
  secret: providerFields.secret.default(null),
  headers: providerFields.headers.default({}),
  options: providerFields.options.default({}),
  enabled: providerFields.enabled.default(true),
  timeoutMs: providerFields.timeoutMs.default(120_000),
});
export type NewProvider = z.input<typeof NewProvider>;

export const ProviderPatch = ProviderFields.partial();
export type ProviderPatch = z.infer<typeof ProviderPatch>;

/**
 * healthy → cooling (limited: left alone until `retryAt`, then simply tried again) → healthy
 * healthy → unhealthy (key refused, model missing, down: left alone until a re-test of the endpoint succeeds) → healthy
 */
export const ProviderHealth = z.object({
  state: z.enum(['healthy', 'cooling', 'unhealthy']),
  reason: z.string().nullable(),
  message: z.string().nullable(),
  /** ISO 8601; when it is tried or tested again. */
  retryAt: z.string().nullable(),
});
export type ProviderHealth = z.infer<typeof ProviderHealth>;

/** `table`: genai-prices; `own`: the owner's; `free`: stays on this machine; `assumed`: not known, priced high on purpose. */
export const PriceSource = z.enum(['table', 'own', 'free', 'assumed']);
export type PriceSource = z.infer<typeof PriceSource>;

export const ProviderInfo = ProviderFields.extend({
  id: z.string(),
  /** Its address is on this machine or in this network. */
  local: z.boolean(),
  health: ProviderHealth,
  callsToday: z.number(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type ProviderInfo = z.infer<typeof ProviderInfo>;

export const ProviderTest = z.object({
  ok: z.boolean(),
  latencyMs: z.number(),
  firstTokenMs: z.number().nullable(),
  /** The first words of its answer. */
  reply: z.string().nullable(),
  costUsd: z.number(),
  error: z.object({ reason: z.string(), message: z.string() }).nullable(),
});
export type ProviderTest = z.infer<typeof ProviderTest>;

export const ModelInfo = z.object({
  provider: z.string(),
  kind: z.string(),
  model: z.string(),
  use: z.enum(['chat', 'embedding']),
  tiers: z.array(Tier),
  local: z.boolean(),
  enabled: z.boolean(),
  price: Price.nullable(),
  priceSource: PriceSource,
  contextWindow: z.number().nullable(),
});
export type ModelInfo = z.infer<typeof ModelInfo>;

export const UsageGroup = z.enum(['provider', 'workflow', 'day', 'model', 'purpose', 'run']);
export type UsageGroup = z.infer<typeof UsageGroup>;

export const UsageRow = z.object({
  /** The provider, workflow, day (`2026-11-21`), model, purpose or run; empty: none. */
  key: z.string(),
  calls: z.number(),
  failedCalls: z.number(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  cachedInputTokens: z.number(),
  costUsd: z.number(),
});
export type UsageRow = z.infer<typeof UsageRow>;

/** `run` and `workflow` (per day) with an empty key are the default of each; `embedding_day` is apart from `day`. */
export const BudgetScope = z.enum(['day', 'month', 'run', 'workflow', 'embedding_day']);
export type BudgetScope = z.infer<typeof BudgetScope>;

export const Budget = z.object({
  scope: BudgetScope,
  /** The run or workflow; empty for the general limit. */
  key: z.string(),
  /** Null: no limit. */
  limitUsd: z.number().nullable(),
  /** Granted on top for the present day or month, or this run. */
  extraUsd: z.number(),
  spentUsd: z.number(),
  /** Held by calls in flight. */
  heldUsd: z.number(),
});
export type Budget = z.infer<typeof Budget>;

const Id = z.strictObject({ id: z.string() });
const Day = z.iso.date('must be a day such as 2026-11-21');

export const listProviders = endpoint({
  method: 'GET',
  path: '/api/providers',
  grant: 'llm:read',
  summary: 'Providers in the order they are tried, with their health.',
  input: z.strictObject({}),
  output: z.object({ items: z.array(ProviderInfo), next: z.null() }),
});
export const getProvider = endpoint({
  method: 'GET',
  path: '/api/providers/{id}',
  grant: 'llm:read',
  summary: 'One provider.',
  input: Id,
  output: ProviderInfo,
});
export const addProvider = endpoint({
  method: 'POST',
  path: '/api/providers',
  grant: 'llm:write',
  summary: 'Adds a provider.',
  input: NewProvider,
  output: ProviderInfo,
  status: 201,
});
export const changeProvider = endpoint({
  method: 'PUT',
  path: '/api/providers/{id}',
  grant: 'llm:write',
  summary: 'Changes the given fields of a provider; it counts as healthy again.',
  input: ProviderPatch.extend({ id: z.string() }),
  output: ProviderInfo,
});
export const removeProvider = endpoint({
  method: 'DELETE',
  path: '/api/providers/{id}',
  grant: 'llm:write',
  summary: 'Removes a provider; its calls stay in the ledger.',
  input: Id,
  output: Done,
});
export const testProvider = endpoint({
  method: 'POST',
  path: '/api/providers/{id}/test',
  grant: 'llm:write',
  summary: 'Asks the provider for one word and measures the time.',
  input: Id,
  output: ProviderTest,
});
export const listModels = endpoint({
  method: 'GET',
  path: '/api/models',
  grant: 'llm:read',
  summary: 'Models of all providers with their prices; with `provider` also the names its endpoint offers.',
  input: z.strictObject({ provider: z.string().optional() }),
  output: z.object({ items: z.array(ModelInfo), offered: z.array(z.string()) }),
});
export const getUsage = endpoint({
  method: 'GET',
  path: '/api/usage',
  grant: 'llm:read',
  summary: 'Calls, tokens and cost of a range of days (UTC, both included; today when left out), grouped.',
  input: z.strictObject({ from: Day.optional(), to: Day.optional(), by: UsageGroup.default('provider') }),
  output: z.object({ from: z.string(), to: z.string(), items: z.array(UsageRow), total: UsageRow }),
});
export const listBudgets = endpoint({
  method: 'GET',
  path: '/api/budgets',
  grant: 'llm:read',
  summary: 'Budgets with what is spent and held.',
  input: z.strictObject({}),
  output: z.object({ items: z.array(Budget) }),
});
export const setBudget = endpoint({
  method: 'PUT',
  path: '/api/budgets',
  grant: 'llm:write',
  summary: 'Sets a limit in USD; null is no limit.',
  input: z.strictObject({ scope: BudgetScope, key: z.string().default(''), limitUsd: z.number().min(0).nullable() }),
  output: Budget,
});
export const grantExtraBudget = endpoint({
  method: 'POST',
  path: '/api/budgets/extra',
  grant: 'llm:write',
  summary: 'Allows this much more for one run, or for a workflow or all work until the day (or month) ends.',
  input: z.strictObject({ scope: BudgetScope, key: z.string().default(''), usd: z.number().positive() }),
  output: Budget,
});

declare module '#core/bus' {
  interface Events {
    'llm.settled': {
      readonly callId: string;
      readonly provider: string;
      readonly model: string;
      readonly status: 'ok' | 'failed' | 'cancelled';
      readonly runId: string | null;
      readonly costUsd: number;
    };
    'llm.provider_changed': { readonly id: string; readonly change: 'added' | 'changed' | 'removed' };
    'llm.health_changed': {
      readonly id: string;
      readonly provider: string;
      readonly state: 'healthy' | 'cooling' | 'unhealthy';
      readonly reason: string | null;
    };
  }
}
