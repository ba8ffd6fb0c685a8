import type { Json } from '#core/json';
import type { ErrorInfo } from '#core/errors';
import type { CallReceipt, LlmEvent, Message, Part, ToolSpec } from '#llm/contract';

/** One request for a model, whichever protocol it came by. */
export interface Asked {
  /** As the client named it. */
  readonly model: string;
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  readonly maxOutputTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly stream: boolean;
  /** JSON Schema that the answer must follow, where the client asked for one. */
  readonly schema: unknown;
}

/** What every piece of one answer carries. */
export interface Head {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** As the client named it: some refuse another. */
  readonly model: string;
}

export type ToolCall = Extract<Part, { type: 'tool_call' }>;
export type AnswerEvent = Exclude<LlmEvent, { type: 'end' }>;

/** A whole answer. */
export interface Answered {
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCall[];
  readonly end: End;
}

export interface End {
  readonly reason: string;
  readonly receipt: CallReceipt;
}

/** Writes one answer as the frames of an event stream; each call gives the text to send. */
export interface FrameWriter {
  open(): string;
  event(event: AnswerEvent): string;
  end(end: End): string;
  /** After the stream has begun. */
  error(error: ErrorInfo, status: number): string;
}

/** A vendor's protocol, seen from the server: how to read a request, and how to write an answer or an error. */
export interface Wire {
  readonly id: 'anthropic' | 'responses' | 'chat' | 'google';
  /** Throws `gateway.bad_request` or an error of the schema, naming the field. */
  read(body: unknown, params: Readonly<Record<string, string>>): Asked;
  whole(head: Head, answered: Answered): unknown;
  frames(head: Head): FrameWriter;
  error(error: ErrorInfo, status: number): unknown;
}

/** One frame of an event stream (HTML Living Standard, 9.2). */
export function frame(data: unknown, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

/** Arguments that a model wrote, read back; its own text where that is no JSON. */
export function readArguments(text: string): Json {
  try {
    return JSON.parse(text || '{}') as Json;
  } catch {
    return text;
  }
}

export const writeArguments = (input: Json): string => (typeof input === 'string' ? input : JSON.stringify(input));

/** Sides alternate, for some providers refuse two of one side in a row; what has no parts is left out. */
export function alternating(messages: Iterable<Message>): Message[] {
  const talk: { role: Message['role']; parts: Part[] }[] = [];
  for (const { role, parts } of messages) {
    const last = talk.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else if (parts.length > 0) talk.push({ role, parts: [...parts] });
  }
  return talk;
}

/** A picture as a data: address (RFC 2397) brings it; null for any other address: the gateway fetches nothing on a client's word. */
export function dataImage(url: string): Part | null {
  const [, mediaType, base64] = /^data:(image\/[a-z0-9.+-]+);base64,(.+)$/s.exec(url) ?? [];
  return mediaType !== undefined && base64 !== undefined ? { type: 'image', mediaType, base64 } : null;
}
