import { z } from 'zod';
import { AnyJson } from '#core/json';
import type { Message, Part } from '#llm/contract';
import { alternating, type Answered, type End, frame, type FrameWriter, type Head, type Wire, writeArguments } from './wire.ts';

const Text = z.looseObject({ type: z.literal('text'), text: z.string() });
const Block = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  source: z.looseObject({ type: z.string(), media_type: z.string().optional(), data: z.string().optional() }).optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: AnyJson.optional(),
  tool_use_id: z.string().optional(),
  is_error: z.boolean().optional(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]).optional(),
});
const Body = z.looseObject({
  model: z.string().min(1),
  max_tokens: z.int().min(1).optional(),
  system: z.union([z.string(), z.array(Text)]).optional(),
  messages: z
    .array(z.looseObject({ role: z.enum(['user', 'assistant', 'system']), content: z.union([z.string(), z.array(Block)]) }))
    .min(1),
  tools: z
    .array(
      z.looseObject({ name: z.string(), description: z.string().optional(), input_schema: z.record(z.string(), z.unknown()).optional() }),
    )
    .optional(),
  temperature: z.number().optional(),
  stream: z.boolean().optional(),
  output_config: z.looseObject({ format: z.looseObject({ schema: z.unknown().optional() }).nullish() }).nullish(),
});

/** Anthropic Messages (platform.claude.com/docs/en/api/messages, /streaming and /errors). */
export const anthropic: Wire = {
  id: 'anthropic',

  read(body) {
    const { model, max_tokens, system, messages, tools = [], temperature, stream = false, output_config } = Body.parse(body);
    const names = new Map<string, string>();
    return {
      model,
      // Claude Code also puts reminders between the turns, in the role of the system
      system: [
        ...(typeof system === 'string' ? [system] : (system ?? []).map(({ text }) => text)),
        ...messages.filter(({ role }) => role === 'system').map(({ content }) => wordsOf(content)),
      ].join('\n\n'),
      messages: alternating(
        messages.filter(isTurn).map(({ role, content }): Message => ({
          role,
          parts: typeof content === 'string' ? textPart(content) : content.flatMap((block) => partOf(block, names)),
        })),
      ),
      // tools that Anthropic performs by itself have no schema; nobody here could
      tools: tools.flatMap(({ name, description = '', input_schema }) =>
        input_schema ? [{ name, description, inputSchema: input_schema }] : [],
      ),
      maxOutputTokens: max_tokens,
      temperature,
      stream,
      schema: output_config?.format?.schema,
    };
  },

  whole: (head, answered) => ({
    ...message(head),
    content: blocksOf(answered),
    stop_reason: stopReason(answered.end.reason),
    usage: usageOf(answered.end),
  }),

  frames,

  error: ({ message: text, code }, status) => ({ type: 'error', error: { type: ERROR_TYPES[status] ?? 'api_error', message: text, code } }),
};

function frames(head: Head): FrameWriter {
  let index = -1;
  let open: 'text' | 'thinking' | null = null;
  const close = (): string => {
    if (open === null) return '';
    open = null;
    return event('content_block_stop', { index });
  };
  const begin = (kind: 'text' | 'thinking'): string => {
    if (open === kind) return '';
    const closed = close();
    open = kind;
    index += 1;
    const content_block = kind === 'text' ? { type: kind, text: '' } : { type: kind, thinking: '', signature: '' };
    return closed + event('content_block_start', { index, content_block });
  };
  return {
    open: () =>
      event('message_start', {
        message: { ...message(head), content: [], stop_reason: null, usage: { input_tokens: 0, output_tokens: 0 } },
      }),
    event(it) {
      if (it.type === 'text') return begin('text') + event('content_block_delta', { index, delta: { type: 'text_delta', text: it.text } });
      if (it.type === 'reasoning')
        return begin('thinking') + event('content_block_delta', { index, delta: { type: 'thinking_delta', thinking: it.text } });
      const closed = close();
      index += 1;
      return [
        closed,
        event('content_block_start', { index, content_block: { type: 'tool_use', id: it.id, name: it.name, input: {} } }),
        event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: writeArguments(it.input) } }),
        event('content_block_stop', { index }),
      ].join('');
    },
    end: (end) =>
      [
        close(),
        event('message_delta', { delta: { stop_reason: stopReason(end.reason), stop_sequence: null }, usage: usageOf(end) }),
        event('message_stop', {}),
      ].join(''),
    error: (error, status) => frame(anthropic.error(error, status), 'error'),
  };
}

const event = (type: string, data: object): string => frame({ type, ...data }, type);

const message = ({ id, model }: Head): object => ({ id: `msg_${id}`, type: 'message', role: 'assistant', model, stop_sequence: null });

type Said = z.output<typeof Body>['messages'][number];

function isTurn(message: Said): message is Said & { role: 'user' | 'assistant' } {
  return message.role !== 'system';
}

function wordsOf(content: Said['content']): string {
  return typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('\n');
}

function textPart(text: string): Part[] {
  return text === '' ? [] : [{ type: 'text', text }];
}

/** Thinking of earlier answers is not handed on: its signature is its provider's alone. */
function partOf(block: z.output<typeof Block>, names: Map<string, string>): Part[] {
  const { type, text = '', source, id = '', name = '', input = {}, tool_use_id = '', content = '', is_error = false } = block;
  if (type === 'text') return textPart(text);
  if (type === 'image' && source?.type === 'base64' && source.data !== undefined)
    return [{ type: 'image', mediaType: source.media_type ?? 'image/png', base64: source.data }];
  if (type === 'tool_use') {
    names.set(id, name);
    return [{ type: 'tool_call', id, name, input }];
  }
  if (type !== 'tool_result') return [];
  const output = typeof content === 'string' ? content : content.map((each) => each.text ?? `[${each.type}]`).join('\n');
  return [{ type: 'tool_result', id: tool_use_id, name: names.get(tool_use_id) ?? 'tool', output, ...(is_error && { isError: true }) }];
}

function blocksOf({ text, reasoning, toolCalls }: Answered): object[] {
  return [
    ...(reasoning ? [{ type: 'thinking', thinking: reasoning, signature: '' }] : []),
    ...(text ? [{ type: 'text', text }] : []),
    ...toolCalls.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input })),
  ];
}

const STOP_REASONS: Readonly<Record<string, string>> = { length: 'max_tokens', tool_calls: 'tool_use', content_filter: 'refusal' };
const stopReason = (reason: string): string => STOP_REASONS[reason] ?? 'end_turn';

/** Anthropic counts the cached part beside `input_tokens`, not in it. */
function usageOf({ receipt: { usage } }: End): object {
  return {
    input_tokens: usage.inputTokens - usage.cachedInputTokens,
    cache_read_input_tokens: usage.cachedInputTokens,
    cache_creation_input_tokens: usage.cacheWriteInputTokens ?? 0,
    output_tokens: usage.outputTokens,
  };
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
};
