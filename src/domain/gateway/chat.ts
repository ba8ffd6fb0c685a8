import { z } from 'zod';
import { AppError } from '#core/errors';
import type { Message, Part } from '#llm/contract';
import {
  alternating,
  dataImage,
  type End,
  frame,
  type FrameWriter,
  type Head,
  readArguments,
  type ToolCall,
  type Wire,
  writeArguments,
} from './wire.ts';

const Piece = z.looseObject({ type: z.string(), text: z.string().optional(), image_url: z.looseObject({ url: z.string() }).optional() });
const Content = z.union([z.string(), z.array(Piece)]).nullish();
const Body = z.looseObject({
  model: z.string().min(1),
  messages: z
    .array(
      z.looseObject({
        role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
        content: Content,
        tool_calls: z
          .array(z.looseObject({ id: z.string(), function: z.looseObject({ name: z.string(), arguments: z.string() }) }))
          .nullish(),
        tool_call_id: z.string().nullish(),
      }),
    )
    .min(1),
  tools: z
    .array(
      z.looseObject({
        function: z
          .looseObject({ name: z.string(), description: z.string().nullish(), parameters: z.record(z.string(), z.unknown()).nullish() })
          .optional(),
      }),
    )
    .nullish(),
  response_format: z.looseObject({ json_schema: z.looseObject({ schema: z.unknown().optional() }).optional() }).nullish(),
  temperature: z.number().nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  stream: z.boolean().nullish(),
});

/** OpenAI Chat Completions (platform.openai.com/docs/api-reference/chat), as most programs speak it. */
export const chat: Wire = {
  id: 'chat',

  read(body) {
    const { model, messages, tools, response_format, temperature, max_tokens, max_completion_tokens, stream } = Body.parse(body);
    const names = new Map(messages.flatMap(({ tool_calls }) => tool_calls ?? []).map((call) => [call.id, call.function.name]));
    const isSystem = (role: string): boolean => role === 'system' || role === 'developer';
    return {
      model,
      system: messages
        .filter(({ role }) => isSystem(role))
        .map(({ content }) => textOf(content))
        .join('\n\n'),
      messages: alternating(
        messages
          .filter(({ role }) => !isSystem(role))
          .map(({ role, content, tool_calls, tool_call_id }): Message => {
            if (role === 'tool') {
              const id = tool_call_id ?? '';
              return { role: 'user', parts: [{ type: 'tool_result', id, name: names.get(id) ?? 'tool', output: textOf(content) }] };
            }
            const calls = (tool_calls ?? []).map((call): Part => ({
              type: 'tool_call',
              id: call.id,
              name: call.function.name,
              input: readArguments(call.function.arguments),
            }));
            return { role: role === 'assistant' ? 'assistant' : 'user', parts: [...partsOf(content), ...calls] };
          }),
      ),
      tools: (tools ?? []).flatMap(({ function: it }) =>
        it ? [{ name: it.name, description: it.description ?? '', inputSchema: it.parameters ?? { type: 'object', properties: {} } }] : [],
      ),
      maxOutputTokens: max_completion_tokens ?? max_tokens ?? undefined,
      temperature: temperature ?? undefined,
      stream: stream === true,
      schema: response_format?.json_schema?.schema,
    };
  },

  whole: (head, { text, reasoning, toolCalls, end }) => ({
    ...completion(head, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text === '' && toolCalls.length > 0 ? null : text,
          ...(reasoning && { reasoning_content: reasoning }),
          ...(toolCalls.length > 0 && { tool_calls: toolCalls.map((call, index) => callOf(call, index)) }),
        },
        finish_reason: finishOf(end.reason),
      },
    ],
    usage: chatUsage(end),
  }),

  frames(head): FrameWriter {
    let calls = 0;
    const chunk = (delta: object, finish_reason: string | null = null): string =>
      frame({ ...completion(head, 'chat.completion.chunk'), choices: [{ index: 0, delta, finish_reason }] });
    return {
      open: () => chunk({ role: 'assistant', content: '' }),
      event(it) {
        if (it.type === 'text') return chunk({ content: it.text });
        if (it.type === 'reasoning') return chunk({ reasoning_content: it.text });
        return chunk({ tool_calls: [callOf(it, calls++)] });
      },
      end: (end) =>
        chunk({}, finishOf(end.reason)) +
        frame({ ...completion(head, 'chat.completion.chunk'), choices: [], usage: chatUsage(end) }) +
        frame('[DONE]'),
      error: (error, status) => frame(openAiError(error, status)),
    };
  },

  error: openAiError,
};

const completion = ({ id, created, model }: Head, object: string): object => ({ id: `chatcmpl-${id}`, object, created, model });

const callOf = ({ id, name, input }: ToolCall, index: number): object => ({
  index,
  id,
  type: 'function',
  function: { name, arguments: writeArguments(input) },
});

function partsOf(content: z.output<typeof Content>): Part[] {
  if (content === null || content === undefined || content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return content.flatMap(({ type, text, image_url }): Part[] => {
    if (type !== 'image_url') return text === undefined || text === '' ? [] : [{ type: 'text', text }];
    const image = dataImage(image_url?.url ?? '');
    if (!image)
      throw new AppError('invalid', 'gateway.bad_request', 'image_url: pictures come as data: addresses here', { field: 'image_url' });
    return [image];
  });
}

const textOf = (content: z.output<typeof Content>): string =>
  partsOf(content)
    .map((part) => (part.type === 'text' ? part.text : ''))
    .join('');

const finishOf = (reason: string): string => (['stop', 'length', 'tool_calls', 'content_filter'].includes(reason) ? reason : 'stop');

function chatUsage({ receipt: { usage } }: End): object {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

/** An error as clients of OpenAI's APIs read it (platform.openai.com/docs/guides/error-codes). */
export function openAiError(
  { message, code, details }: { message: string; code: string; details?: Readonly<Record<string, unknown>> },
  status: number,
): object {
  const param = details?.['field'];
  const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error';
  return { error: { message, type, param: typeof param === 'string' ? param : null, code } };
}
