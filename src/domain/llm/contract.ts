import type { z } from 'zod';
import type { Json } from '#core/json';
import type { Secret } from '#core/secret';
import type { Tier } from './tier.ts';

export * from './api.ts';
export { Tier } from './tier.ts';

/** One part of a message. Tool results carry text; images are base64 with their media type. */
export type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly mediaType: string; readonly base64: string }
  /** `providerData` came with the call's event and goes back unread: signatures without which a provider refuses the conversation. */
  | { readonly type: 'tool_call'; readonly id: string; readonly name: string; readonly input: Json; readonly providerData?: Json }
  | { readonly type: 'tool_result'; readonly id: string; readonly name: string; readonly output: string; readonly isError?: boolean };

export interface Message {
  readonly role: 'user' | 'assistant';
  readonly parts: readonly Part[];
}

/** A tool offered to the model; `inputSchema` is JSON Schema 2020-12. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

/** What one model call needs, whoever answers it. */
export interface ModelCall {
  readonly model: string;
  readonly system?: string;
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolSpec[];
  /** Ask for JSON of this JSON Schema, by the provider's own structured output where it has one, else by instruction. */
  readonly schema?: { readonly name: string; readonly jsonSchema: Readonly<Record<string, unknown>> };
  readonly maxOutputTokens: number;
  readonly temperature?: number;
  readonly topP?: number;
  /** Provider options of the row (`num_ctx`, `thinking`, …), passed as the kind understands them. */
  readonly options?: Readonly<Record<string, Json>>;
  /** What the offline provider works from; other kinds ignore it. */
  readonly task?: OfflineTask;
  readonly signal: AbortSignal;
}

/** A job the offline provider can do without a model, with its material apart from the prompt's words. */
export type OfflineTask =
  | { readonly kind: 'summarize'; readonly text: string; readonly sentences?: number }
  /** Relevance in [0, 1] of each item to the interests; the answer is JSON `{ "scores": [{ "index", "score", "reason" }] }`. */
  | { readonly kind: 'score'; readonly items: readonly { readonly title: string; readonly text: string }[]; readonly interests: string }
  /** A digest of items under headings; the answer is Markdown. */
  | {
      readonly kind: 'digest';
      readonly items: readonly { readonly title: string; readonly text: string; readonly url?: string; readonly source?: string }[];
    };

/** Tokens as the provider counted them. `inputTokens` counts all input, cached included. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedInputTokens: number;
  /** Part of the output. */
  readonly reasoningTokens: number;
  /** Input newly put in the provider's cache, where that costs extra. */
  readonly cacheWriteInputTokens?: number;
}

export type ModelEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  /** `input` is the model's text itself when that was not JSON, for the tool's own check to refuse. Keep `providerData` with the call. */
  | { readonly type: 'tool_call'; readonly id: string; readonly name: string; readonly input: Json; readonly providerData?: Json }
  /** The last event. `usage` is null when the provider never said. */
  | {
      readonly type: 'end';
      readonly reason: 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'other';
      readonly usage: Usage | null;
      readonly model?: string;
    };

/** Why a provider could not answer; the router decides from it whether to try the next one. */
export type FailureReason =
  | 'rate_limited'
  | 'quota'
  | 'auth'
  | 'timeout'
  | 'refused'
  | 'server'
  | 'bad_request'
  | 'model_missing'
  | 'protocol'
  | 'cancelled';

/** The only error a kind throws for what the provider did. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';
  readonly reason: FailureReason;
  readonly status: number | undefined;
  /** From Retry-After or the body, when the provider said. */
  readonly retryAfterMs: number | undefined;
  constructor(reason: FailureReason, message: string, status?: number, retryAfterMs?: number, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A provider row as its kind needs it. */
export interface Connection {
  /** Base address without the API's version path: `https://api.anthropic.com`, `http://127.0.0.1:1234`. */
  readonly baseUrl: string;
  readonly apiKey: Secret | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds without a first byte, then between bytes. */
  readonly timeoutMs: number;
}

/**
 * A way to reach models. Contract: nothing happens on import; the vendor's library is imported inside `open`.
 * A call never retries by itself; it throws `ProviderFailure`, aborts the upstream request when the signal is
 * aborted, and ends its stream with exactly one `end` event.
 */
export interface ProviderKind {
  readonly id: 'anthropic' | 'google' | 'openai' | 'compatible' | 'offline';
  readonly title: string;
  readonly defaultBaseUrl: string | null;
  readonly needsKey: boolean;
  /** The call stays on this machine whatever the address (offline), or when the address is loopback or private. */
  readonly local: boolean;
  readonly canEmbed: boolean;
  readonly canUseTools: boolean;
  open(connection: Connection): Promise<ProviderClient>;
}

export interface ProviderClient {
  stream(call: ModelCall): AsyncIterable<ModelEvent>;
  /** One vector per text, all of one length. */
  embed(call: {
    readonly model: string;
    readonly texts: readonly string[];
    readonly dimensions?: number;
    readonly signal: AbortSignal;
  }): Promise<{ readonly vectors: readonly Float32Array[]; readonly tokens: number }>;
  /** Model names the endpoint offers; used by the live test and the model registry. */
  models(signal: AbortSignal): Promise<readonly string[]>;
}

/** What a step, a conversation or a skill prefers; each field beats the tier chain, in this order of strength. */
export interface CallDefaults {
  readonly tier?: Tier | undefined;
  /** A provider's name; only it is tried, then the offline provider unless forbidden. */
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
}

/** Whose budget pays and whose journal hears. */
export interface CallScope {
  readonly runId?: string;
  readonly step?: string;
  readonly workflowId?: string;
  /** Who asked, for the ledger: `skill:llm_score`, `turn`. */
  readonly purpose: string;
  /** Most this run may spend, USD. */
  readonly runBudgetUsd?: number;
  /** Most this workflow may spend in a day, USD. */
  readonly workflowDailyBudgetUsd?: number;
  /** Hears each hop, reservation and settlement. Contract: returns at once and does not throw. */
  readonly journal?: (type: string, data: Json) => void;
}

export interface LlmRequest extends CallDefaults {
  readonly system?: string;
  /** Short for one user message. */
  readonly prompt?: string;
  readonly messages?: readonly Message[];
  readonly tools?: readonly ToolSpec[];
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly task?: OfflineTask;
  /** False: fail rather than answer without a model. True when left out. */
  readonly allowOffline?: boolean;
  readonly signal: AbortSignal;
}

/** Which provider answered, and what the request used and cost: attempts that failed on the way and repairs included. */
export interface CallReceipt {
  readonly callId: string;
  readonly provider: string;
  readonly kind: ProviderKind['id'];
  readonly model: string;
  readonly usage: Usage;
  readonly costUsd: number;
  /** The answer was made without a model. */
  readonly offline: boolean;
  /** Providers tried before, with the reason each was left. */
  readonly hops: readonly { readonly provider: string; readonly reason: string }[];
}

export type LlmEvent =
  | Exclude<ModelEvent, { type: 'end' }>
  | { readonly type: 'end'; readonly reason: string; readonly receipt: CallReceipt };

/** The router bound to one scope. Throws AppErrors `llm.no_provider`, `llm.over_budget`, `llm.failed`, `llm.bad_output`. */
export interface ScopedLlm {
  stream(request: LlmRequest): AsyncIterable<LlmEvent>;
  complete(request: LlmRequest): Promise<{
    readonly text: string;
    readonly reasoning: string;
    readonly toolCalls: readonly Extract<Part, { type: 'tool_call' }>[];
    readonly receipt: CallReceipt;
  }>;
  /** An answer that satisfies the schema, asked for again with the validation errors when it does not (twice at most). */
  object<S extends z.ZodType>(
    request: LlmRequest & { readonly schema: S; readonly schemaName: string },
  ): Promise<{ readonly value: z.output<S>; readonly receipt: CallReceipt }>;
  /** Unit vectors, all of one length, by the one provider whose vectors the index holds: there is no falling back to another model. */
  embed(
    texts: readonly string[],
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly vectors: readonly Float32Array[]; readonly model: string; readonly receipt: CallReceipt }>;
}
