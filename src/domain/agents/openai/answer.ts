import { AppError, errorInfo, httpStatus } from '#core/errors';
import type { BackendEvent } from '../backend.ts';
import type { Receipt } from '../contract.ts';

/** What every piece of one answer carries. */
export interface Head {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
}

type ToolCall = Extract<BackendEvent, { type: 'tool_call' }>;

const toolCall = ({ id, name, input }: ToolCall) => ({
  id,
  type: 'function' as const,
  function: { name, arguments: typeof input === 'string' ? input : JSON.stringify(input) },
});

function usageOf({ usage }: Receipt) {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}

function finishOf(reason: string): string {
  return ['stop', 'length', 'tool_calls', 'content_filter'].includes(reason) ? reason : 'stop';
}

/** The answer in one piece: `CreateChatCompletionResponse`. */
export async function wholeAnswer(head: Head, events: AsyncIterable<BackendEvent>): Promise<unknown> {
  let content = '';
  const calls: ToolCall[] = [];
  for await (const event of events) {
    if (event.type === 'text') content += event.text;
    if (event.type === 'tool_call') calls.push(event);
    if (event.type !== 'end') continue;
    const message = {
      role: 'assistant',
      content: content === '' && calls.length > 0 ? null : content,
      refusal: null,
      ...(calls.length > 0 && { tool_calls: calls.map(toolCall) }),
    };
    return {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message, logprobs: null, finish_reason: finishOf(event.reason) }],
      usage: usageOf(event.receipt),
    };
  }
  throw new Error('A backend ends with an end event or an error');
}

/** The answer as it comes: one `CreateChatCompletionStreamResponse` each. */
export async function* chunks(head: Head, events: AsyncIterable<BackendEvent>, withUsage: boolean): AsyncIterable<unknown> {
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    ...(withUsage && { usage: null }),
  });
  let calls = 0;
  let isFirst = true;
  for await (const event of events) {
    if (isFirst) yield chunk({ role: 'assistant', content: '' });
    isFirst = false;
    if (event.type === 'text') yield chunk({ content: event.text });
    if (event.type === 'tool_call') yield chunk({ tool_calls: [{ index: calls++, ...toolCall(event) }] });
    if (event.type !== 'end') continue;
    yield chunk({}, finishOf(event.reason));
    if (withUsage) yield { ...head, object: 'chat.completion.chunk', choices: [], usage: usageOf(event.receipt) };
  }
}

const TYPES: Readonly<Record<number, string>> = { 400: 'invalid_request_error', 404: 'invalid_request_error', 429: 'rate_limit_error' };

/** An error as clients of that API read it. A bug shows nothing of itself. */
export function errorAnswer(thrown: unknown): { status: number; body: unknown } {
  const status = thrown instanceof AppError ? httpStatus[thrown.kind] : 500;
  const { code, message, details } =
    thrown instanceof AppError
      ? errorInfo(thrown)
      : { code: 'internal', message: 'Something went wrong here; the log knows what', details: undefined };
  const param = details?.['field'];
  return {
    status,
    body: { error: { message, type: TYPES[status] ?? 'server_error', param: typeof param === 'string' ? param : null, code } },
  };
}
