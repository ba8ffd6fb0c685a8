import type { Json } from '#core/json';
import type { CallDefaults, CallScope, LlmRequest, Message, ScopedLlm } from '#llm/contract';
import type { Label } from '#runs/contract';
import type { AnswerPart, Assistant, Receipt, Workspace } from './contract.ts';
import type { TurnTools } from './tools.ts';

/** One turn as its backend gets it. */
export interface BackendTurn {
  readonly workspace: Workspace;
  readonly assistant: Assistant;
  /** Null for a call that brings its own history. */
  readonly conversationId: string | null;
  readonly system: string;
  /** What was said before, then the message to answer. */
  readonly messages: readonly Message[];
  /** The router, bound to this turn's run and budget. */
  readonly llm: ScopedLlm;
  /** Whose run and budget that is, and what the assistant prefers: for a backend that calls models by the gateway. */
  readonly scope: CallScope;
  readonly defaults: readonly CallDefaults[];
  /** A line of the turn's journal. */
  readonly note?: (type: string, data: Json) => void;
  /** What the model may call; null where there is nothing. A backend that brings tools of its own asks policy by other ways. */
  readonly tools: TurnTools | null;
  /** Labels of all that the model is given. */
  readonly labels: ReadonlySet<Label>;
  /** About so many characters fit in the model's window. */
  readonly windowChars: number;
  /** Of a caller who runs tools by themselves. */
  readonly callerOptions?: Pick<LlmRequest, 'tools' | 'temperature' | 'maxOutputTokens'>;
  readonly signal: AbortSignal;
}

export type BackendEvent =
  | AnswerPart
  /** The model has seen something of this kind: a tool's result. */
  | { readonly type: 'saw'; readonly labels: readonly Label[] }
  /** The last one. `reason` as models give it: `stop`, `length`, `tool_calls`, … */
  | { readonly type: 'end'; readonly reason: string; readonly receipt: Receipt };

/** What runs turns. Contract: nothing happens on import; the stream ends with one `end`, or throws; within 100 ms of the signal nothing is working on it any more. */
export interface Backend {
  readonly id: string;
  readonly title: string;
  run(turn: BackendTurn): AsyncIterable<BackendEvent>;
}
