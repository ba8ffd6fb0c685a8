import { z } from 'zod';
import { AppError } from '#core/errors';
import type { Json } from '#core/json';
import type { Message, Part, ToolSpec } from '#llm/contract';
import type { Question } from '../one-shot.ts';

const Content = z
  .union([
    z.string(),
    z.array(z.looseObject({ type: z.string(), text: z.string().optional(), image_url: z.looseObject({ url: z.string() }).optional() })),
  ])
  .nullish();
const ToolCall = z.looseObject({ id: z.string(), function: z.looseObject({ name: z.string(), arguments: z.string() }) });
const ChatMessage = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: Content,
  tool_calls: z.array(ToolCall).nullish(),
  tool_call_id: z.string().nullish(),
});

/** The request of OpenAI's chat completions (its API description, `CreateChatCompletionRequest`), as far as it means something here. */
export const ChatRequest = z.looseObject({
  model: z.string().min(1),
  messages: z.array(ChatMessage).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  tools: z
    .array(
      z.looseObject({
        type: z.literal('function'),
        function: z.looseObject({
          name: z.string(),
          description: z.string().nullish(),
          parameters: z.record(z.string(), z.unknown()).nullish(),
        }),
      }),
    )
    .nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  n: z.literal(1, 'one choice is all there is').nullish(),
});
export type ChatRequest = z.output<typeof ChatRequest>;

/** The request in our words: instructions apart, sides alternating, the last words of the user as what is to be answered. */
export function toQuestion({
  messages,
  tools,
  temperature,
  max_tokens,
  max_completion_tokens,
}: ChatRequest): Pick<Question, 'system' | 'history' | 'text' | 'images' | 'options'> {
  const system = messages
    .filter(({ role }) => role === 'system' || role === 'developer')
    .flatMap(({ content }) => partsOf(content, 'messages').map((part) => (part.type === 'text' ? part.text : '')));
  const talk = toMessages(messages);
  const last = talk.at(-1);
  if (!last) throw new AppError('invalid', 'agent.empty_message', 'messages: there is nothing to answer', { field: 'messages' });
  const isWords = last.role === 'user' && !last.parts.some(({ type }) => type === 'tool_result');
  const maxOutputTokens = max_completion_tokens ?? max_tokens;
  return {
    ...(system.length > 0 && { system: system.join('\n\n') }),
    history: isWords ? talk.slice(0, -1) : talk,
    text: isWords ? last.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n\n') : null,
    images: isWords ? last.parts.filter(({ type }) => type === 'image') : [],
    options: {
      ...(tools && {
        tools: tools.map((it): ToolSpec => ({
          name: it.function.name,
          description: it.function.description ?? '',
          inputSchema: it.function.parameters ?? { type: 'object', properties: {} },
        })),
      }),
      ...(typeof temperature === 'number' && { temperature }),
      ...(typeof maxOutputTokens === 'number' && { maxOutputTokens }),
    },
  };
}

function toMessages(messages: ChatRequest['messages']): Message[] {
  const calls = new Map(messages.flatMap(({ tool_calls }) => tool_calls ?? []).map((call) => [call.id, call.function.name]));
  const talk: { role: Message['role']; parts: Part[] }[] = [];
  for (const [index, message] of messages.entries()) {
    if (message.role === 'system' || message.role === 'developer') continue;
    const at = `messages.${index}`;
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const parts =
      message.role === 'tool'
        ? [toolResult(message, calls, at)]
        : [...partsOf(message.content, at), ...(message.tool_calls ?? []).map(toolCall)];
    const before = talk.at(-1);
    if (before?.role === role) before.parts.push(...parts);
    else if (parts.length > 0) talk.push({ role, parts });
  }
  return talk;
}

function toolCall({ id, function: { name, arguments: text } }: z.output<typeof ToolCall>): Part {
  let input: Json = text;
  try {
    input = JSON.parse(text || '{}') as Json;
  } catch {
    // the model's own text, as it was
  }
  return { type: 'tool_call', id, name, input };
}

function toolResult({ tool_call_id: id, content }: z.output<typeof ChatMessage>, calls: ReadonlyMap<string, string>, at: string): Part {
  const name = calls.get(id ?? '');
  if (!id || name === undefined)
    throw new AppError('invalid', 'agent.bad_tool_result', `${at}: tool_call_id names no call of an earlier message`, {
      field: `${at}.tool_call_id`,
    });
  return {
    type: 'tool_result',
    id,
    name,
    output: partsOf(content, at)
      .map((part) => (part.type === 'text' ? part.text : ''))
      .join(''),
  };
}

function partsOf(content: z.output<typeof Content>, at: string): Part[] {
  if (content === null || content === undefined || content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return content.map((part): Part => {
    if (part.type === 'text') return { type: 'text', text: part.text ?? '' };
    const [, mediaType, base64] = /^data:(image\/[a-z+.-]+);base64,(.+)$/s.exec(part.image_url?.url ?? '') ?? [];
    if (part.type === 'image_url' && mediaType !== undefined && base64 !== undefined) return { type: 'image', mediaType, base64 };
    throw new AppError(
      'invalid',
      'agent.unsupported_content',
      `${at}.content: text and images as data: addresses are understood, not ${part.type}`,
      { field: `${at}.content` },
    );
  });
}
