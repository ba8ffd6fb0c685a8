import type { Json, Resource } from './protocol.ts';

/** What a skill may use: nothing else is within its reach. Each call is asked of Castellan and allowed, or refused with a `SkillError`. */
export interface SkillContext {
  readonly runId: string;
  readonly stepPath: string;
  /** Nothing is really sent or written: effects answer null. */
  readonly dryRun: boolean;
  /** Aborted when the run is cancelled or the time is over; a moment later the process ends. */
  readonly signal: AbortSignal;
  /** The owner's IANA time zone. */
  readonly timeZone: string;
  /** The step's prompt template, for `render`. */
  readonly prompt: string | null;
  /** Where the input came from: `untrusted`, `private`, `secret`, `owner`. */
  readonly labels: readonly string[];
  readonly resources: readonly Resource[];
  /** For the owner's log, by level. */
  readonly log: Readonly<Record<'debug' | 'info' | 'warn' | 'error', (message: string, data?: Json) => void>>;
  /** Reads from a host that the manifest declares. Grant `net:fetch`. What changes something over there is an `effect`. */
  fetch(url: string, options?: FetchOptions): Promise<FetchAnswer>;
  /** Changes something at a declared host, once, however often the step is run. Grant `net:post`. Null in a dry run. */
  effect(request: EffectRequest): Promise<EffectAnswer | null>;
  /** The owner's models, within the run's budget. Grant `llm:call`. */
  readonly llm: SkillLlm;
  /** The workspace's memory. Grants `memory:read` and `memory:write`. */
  readonly memory: SkillMemory;
  /** Sends to the owner's channels. Grant `channel:send`. */
  notify(message: string | NotifyRequest): Promise<{ readonly delivered: readonly { readonly channel: string }[] }>;
  /** Runs another skill, with no more rights than this one has. Grant `skill:call`; the manifest names which. */
  call(
    skill: string,
    request?: { readonly input?: Json; readonly config?: Json },
  ): Promise<{ readonly outcome: string; readonly output: Json }>;
  /** One of the settings that the manifest names. Grant `settings:read`. */
  setting(key: string): Promise<Json>;
  /** A line of the run's journal. */
  note(type: string, data?: Json): Promise<void>;
  /** Fills in a template (Liquid) over the step's input. */
  render(template: string, values?: Readonly<Record<string, Json>>): Promise<string>;
}

export interface FetchOptions {
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  /** 20 s when left out, 120 s at most. */
  readonly timeoutMs?: number;
  /** Of the body; 2 MiB when left out, and at most. */
  readonly maxBytes?: number;
}

/** A status of 400 and above is an answer, not an error. */
export interface FetchAnswer {
  readonly status: number;
  readonly ok: boolean;
  /** After redirects. */
  readonly url: string;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  bytes(): Uint8Array;
  text(): string;
  /** Throws a `SkillError` with code `skill.not_json`. */
  json<T = Json>(): T;
}

export interface EffectRequest {
  /** Tells this effect from the others of the step: `create:42`. */
  readonly name: string;
  readonly url: string;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON. */
  readonly body?: Json;
  /** `irreversible` when left out. */
  readonly class?: 'reversible' | 'compensable' | 'irreversible';
  /** The other side drops a repeat of the `Idempotency-Key` header, which is sent with every effect. False when left out. */
  readonly idempotent?: boolean;
}

export interface EffectAnswer {
  readonly status: number;
  readonly body: string;
}

export interface LlmOptions {
  readonly system?: string;
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly tier?: 'light' | 'medium' | 'heavy' | 'local';
}

export interface SkillLlm {
  complete(prompt: string, options?: LlmOptions): Promise<string>;
  /** The answer piece by piece; leaving the loop ends the call. */
  stream(prompt: string, options?: LlmOptions): AsyncIterable<string>;
  /** An answer that satisfies a JSON Schema (of the keywords that a manifest may use). */
  object<T = Json>(prompt: string, schema: { readonly [key: string]: Json }, options?: LlmOptions): Promise<T>;
}

export interface MemoryFound {
  readonly id: string;
  readonly kind: string;
  readonly title: string | null;
  readonly text: string;
  readonly url: string | null;
  readonly score: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface SkillMemory {
  search(query: string, options?: { readonly limit?: number; readonly kinds?: readonly string[] }): Promise<readonly MemoryFound[]>;
  /** Which of these identities are known already. */
  known(identities: readonly string[]): Promise<ReadonlySet<string>>;
  add(item: {
    readonly kind: string;
    readonly text: string;
    readonly title?: string;
    readonly url?: string;
    readonly identity?: string;
    readonly metadata?: Readonly<Record<string, Json>>;
    readonly expiresInDays?: number;
  }): Promise<{ readonly id: string; readonly existed: boolean }>;
}

export interface NotifyRequest {
  readonly text: string;
  /** The default channel when left out. */
  readonly channel?: string;
  /** Tells this message from the others of the step. */
  readonly name?: string;
}
