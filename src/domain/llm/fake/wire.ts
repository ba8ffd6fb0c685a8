import type { Json } from '#core/json';

/** One answer of the fake, before it is put into a vendor's words. */
export interface Turn {
  readonly id: string;
  readonly model: string;
  /** The text in the pieces it is streamed in. */
  readonly pieces: readonly string[];
  readonly reasoning: string;
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly input: Json }[];
  readonly finish: 'stop' | 'length' | 'tool_calls' | 'content_filter';
  readonly usage: FakeUsage;
}

/** `input` counts everything that went in, the cached part included; `output` counts the reasoning too. */
export interface FakeUsage {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly reasoning: number;
}

/** Errors as the vendor documents them. */
export type FakeError = 'rate_limited' | 'quota' | 'auth' | 'overloaded' | 'server' | 'model_missing' | 'bad_request' | 'schema_refused';

export interface FakeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What the fake understood of a request, whichever vendor's. */
export interface Understood {
  readonly model: string;
  readonly stream: boolean;
  readonly system: string;
  /** The text of the last user message. */
  readonly prompt: string;
  /** Results of tools since the model last spoke. */
  readonly toolResults: readonly string[];
  readonly tools: readonly string[];
  readonly schema?: unknown;
  /** The tool the model must call, which is how JSON was asked of models without structured output. */
  readonly forced?: { readonly name: string; readonly schema: unknown };
}

/** A vendor's protocol: how to read a request, and how to write an answer whole, as a stream, or as an error. */
export interface FakeWire {
  readonly vendor: 'anthropic' | 'openai' | 'compatible' | 'google' | 'ollama';
  /** Matches the path, with the model in group 1 where the path names it. */
  readonly path: RegExp;
  understand(body: Loose, path: string): Understood;
  whole(turn: Turn): unknown;
  /** Frames of the event stream; each of `pieces` is one frame of text. */
  frames(turn: Turn): { readonly head: readonly string[]; readonly pieces: readonly string[]; readonly tail: readonly string[] };
  error(kind: FakeError, about: ErrorContext): FakeAnswer;
  /** An error frame inside a stream that began well. */
  errorFrame(kind: FakeError, about: ErrorContext): string;
}

export interface ErrorContext {
  readonly model: string;
  /** As the client sent it: vendors quote it when they refuse it. */
  readonly key: string;
  readonly retryAfterSeconds: number;
}

/** JSON of a client, read field by field: a test's fake reads leniently whatever comes. */
export interface Loose {
  // oxlint-disable-next-line typescript/no-explicit-any -- the one place where a foreign document is walked without a schema
  readonly [key: string]: any;
}

/** One frame of an event stream (HTML Living Standard, 9.2). */
export function frame(data: unknown, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

/** The text in a content field: a string, a part, or a list of parts. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map(textOf).filter(Boolean).join('\n');
  const part = (content ?? {}) as Loose;
  return typeof part['text'] === 'string' ? part['text'] : '';
}
