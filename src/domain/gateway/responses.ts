import { z } from 'zod';
import { AppError } from '#core/errors';
import type { Message, Part, ToolSpec } from '#llm/contract';
import { openAiError } from './chat.ts';
import {
  alternating,
  dataImage,
  type Answered,
  type End,
  frame,
  type FrameWriter,
  type Head,
  readArguments,
  type Wire,
  writeArguments,
} from './wire.ts';

const Piece = z.looseObject({ type: z.string(), text: z.string().optional(), image_url: z.string().nullish() });
const Item = z.looseObject({
  type: z.string().optional(),
  role: z.string().optional(),
  content: z.union([z.string(), z.array(Piece)]).nullish(),
  call_id: z.string().optional(),
  name: z.string().optional(),
  namespace: z.string().nullish(),
  arguments: z.string().optional(),
  input: z.string().optional(),
  output: z.union([z.string(), z.array(Piece)]).optional(),
});
const Tool = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
});
const Body = z.looseObject({
  model: z.string().min(1),
  instructions: z.string().nullish(),
  input: z.union([z.string(), z.array(Item)], 'a text, or a list of items'),
  tools: z.array(Tool.extend({ tools: z.array(Tool).optional() })).nullish(),
  text: z.looseObject({ format: z.looseObject({ schema: z.unknown().optional() }).nullish() }).nullish(),
  temperature: z.number().nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  stream: z.boolean().nullish(),
});

/** Between the name of a namespace (an MCP server, as Codex groups its tools) and that of its tool, on the way to a model and back. */
const NAMESPACE = '__in__';

/** OpenAI Responses (platform.openai.com/docs/api-reference/responses and its streaming events). State is the client's: nothing is stored. */
export const responses: Wire = {
  id: 'responses',

  read(body) {
    const { model, instructions, input, tools, text, temperature, max_output_tokens, stream } = Body.parse(body);
    const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
    const isSystem = ({ role }: { role?: string | undefined }): boolean => role === 'system' || role === 'developer';
    const names = new Map(items.flatMap((it) => ('call_id' in it && it.name ? [[it.call_id!, nameOf(it)] as const] : [])));
    return {
      model,
      system: [instructions ?? '', ...items.filter(isSystem).map(({ content }) => textOf(content))].filter(Boolean).join('\n\n'),
      messages: alternating(items.filter((it) => !isSystem(it)).map((it) => messageOf(it, names))),
      tools: (tools ?? []).flatMap((tool) =>
        tool.type === 'namespace' ? (tool.tools ?? []).flatMap((it) => specOf(it, tool.name)) : specOf(tool, undefined),
      ),
      maxOutputTokens: max_output_tokens ?? undefined,
      temperature: temperature ?? undefined,
      stream: stream === true,
      schema: text?.format?.schema,
    };
  },

  whole: (head, answered) => response(head, outputOf(head, answered), answered.end),
  frames,
  error: openAiError,
};

function frames(head: Head): FrameWriter {
  let sequence = 0;
  let text = '';
  let reasoning = '';
  let open: 'message' | 'reasoning' | null = null;
  const output: Record<string, unknown>[] = [];
  const event = (type: string, data: object): string => frame({ type, sequence_number: sequence++, ...data }, type);
  const at = (): number => output.length;

  function begin(kind: 'message' | 'reasoning'): string {
    if (open === kind) return '';
    const closed = close();
    open = kind;
    text = '';
    reasoning = '';
    const item_id = idOf(kind);
    const item = kind === 'message' ? messageItem(item_id, '', 'in_progress') : reasoningItem(item_id, '');
    const part = kind === 'message' ? { content_index: 0, part: outputText('') } : { summary_index: 0, part: summary('') };
    const added = kind === 'message' ? 'response.content_part.added' : 'response.reasoning_summary_part.added';
    return (
      closed + event('response.output_item.added', { output_index: at(), item }) + event(added, { item_id, output_index: at(), ...part })
    );
  }

  function close(): string {
    if (open === null) return '';
    const item_id = idOf(open);
    const where = { item_id, output_index: at() };
    const item = open === 'message' ? messageItem(item_id, text, 'completed') : reasoningItem(item_id, reasoning);
    const done =
      open === 'message'
        ? event('response.output_text.done', { ...where, content_index: 0, text }) +
          event('response.content_part.done', { ...where, content_index: 0, part: outputText(text) })
        : event('response.reasoning_summary_text.done', { ...where, summary_index: 0, text: reasoning }) +
          event('response.reasoning_summary_part.done', { ...where, summary_index: 0, part: summary(reasoning) });
    const closed = done + event('response.output_item.done', { output_index: at(), item });
    output.push(item);
    open = null;
    return closed;
  }

  const idOf = (kind: 'message' | 'reasoning'): string => `${kind === 'message' ? 'msg' : 'rs'}_${head.id}_${at()}`;

  return {
    open: () =>
      event('response.created', { response: response(head, [], null) }) +
      event('response.in_progress', { response: response(head, [], null) }),
    event(it) {
      if (it.type === 'text') {
        const begun = begin('message');
        text += it.text;
        return (
          begun + event('response.output_text.delta', { item_id: idOf('message'), output_index: at(), content_index: 0, delta: it.text })
        );
      }
      if (it.type === 'reasoning') {
        const begun = begin('reasoning');
        reasoning += it.text;
        const where = { item_id: idOf('reasoning'), output_index: at(), summary_index: 0 };
        return begun + event('response.reasoning_summary_text.delta', { ...where, delta: it.text });
      }
      const closed = close();
      const item = callItem(it, 'completed');
      const where = { item_id: item['id'], output_index: at() };
      const frames = [
        event('response.output_item.added', { output_index: at(), item: { ...item, arguments: '', status: 'in_progress' } }),
        event('response.function_call_arguments.delta', { ...where, delta: item['arguments'] }),
        event('response.function_call_arguments.done', { ...where, arguments: item['arguments'] }),
        event('response.output_item.done', { output_index: at(), item }),
      ].join('');
      output.push(item);
      return closed + frames;
    },
    end(end) {
      const closed = close();
      return closed + event(isCut(end) ? 'response.incomplete' : 'response.completed', { response: response(head, output, end) });
    },
    error: (error, status) => event('error', openAiError(error, status)),
  };
}

function messageOf(item: z.output<typeof Item>, names: ReadonlyMap<string, string>): Message {
  const { type = 'message', role, content, call_id: id = '', arguments: given, input, output } = item;
  if (type === 'function_call' || type === 'custom_tool_call')
    return { role: 'assistant', parts: [{ type: 'tool_call', id, name: nameOf(item), input: readArguments(given ?? input ?? '') }] };
  if (type === 'function_call_output' || type === 'custom_tool_call_output')
    return { role: 'user', parts: [{ type: 'tool_result', id, name: names.get(id) ?? 'tool', output: textOf(output) }] };
  if (type !== 'message') return { role: 'user', parts: [] }; // reasoning and items of hosted tools mean nothing to another model
  return { role: role === 'assistant' ? 'assistant' : 'user', parts: partsOf(content) };
}

function partsOf(content: string | readonly z.output<typeof Piece>[] | null | undefined): Part[] {
  if (content === null || content === undefined || content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return content.flatMap(({ type, text, image_url }): Part[] => {
    if (type !== 'input_image') return text === undefined || text === '' ? [] : [{ type: 'text', text }];
    const image = dataImage(image_url ?? '');
    if (!image)
      throw new AppError('invalid', 'gateway.bad_request', 'image_url: pictures come as data: addresses here', { field: 'image_url' });
    return [image];
  });
}

const textOf = (content: Parameters<typeof partsOf>[0]): string =>
  partsOf(content)
    .map((part) => (part.type === 'text' ? part.text : ''))
    .join('\n');

const nameOf = ({ name = '', namespace }: { name?: string | undefined; namespace?: string | null | undefined }): string =>
  namespace ? `${namespace}${NAMESPACE}${name}` : name;

/** Hosted tools (web search, files) have no schema: nobody here could perform them. */
function specOf({ type, name, description, parameters }: z.output<typeof Tool>, namespace: string | undefined): ToolSpec[] {
  if (name === undefined || (type !== 'function' && type !== 'custom')) return [];
  const freeText = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] };
  return [{ name: nameOf({ name, namespace }), description: description ?? '', inputSchema: parameters ?? freeText }];
}

const outputText = (text: string): object => ({ type: 'output_text', text, annotations: [] });
const summary = (text: string): object => ({ type: 'summary_text', text });

function messageItem(id: string, text: string, status: string): Record<string, unknown> {
  return { type: 'message', id, role: 'assistant', status, content: status === 'completed' ? [outputText(text)] : [] };
}

function reasoningItem(id: string, text: string): Record<string, unknown> {
  return { type: 'reasoning', id, summary: text ? [summary(text)] : [] };
}

function callItem({ id, name, input }: Answered['toolCalls'][number], status: string): Record<string, unknown> {
  const [namespace, own] = name.includes(NAMESPACE) ? name.split(NAMESPACE, 2) : [undefined, name];
  return {
    type: 'function_call',
    id: `fc_${id}`,
    call_id: id,
    name: own,
    ...(namespace !== undefined && { namespace }),
    arguments: writeArguments(input),
    status,
  };
}

function outputOf(head: Head, { text, reasoning, toolCalls }: Answered): Record<string, unknown>[] {
  return [
    ...(reasoning ? [reasoningItem(`rs_${head.id}`, reasoning)] : []),
    ...(text ? [messageItem(`msg_${head.id}`, text, 'completed')] : []),
    ...toolCalls.map((call) => callItem(call, 'completed')),
  ];
}

const isCut = ({ reason }: End): boolean => reason === 'length' || reason === 'content_filter';

function response({ id, created, model }: Head, output: readonly object[], end: End | null): object {
  const status = end === null ? 'in_progress' : isCut(end) ? 'incomplete' : 'completed';
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: created,
    model,
    status,
    incomplete_details: end && isCut(end) ? { reason: end.reason === 'length' ? 'max_output_tokens' : 'content_filter' } : null,
    output,
    error: null,
    usage: end && {
      input_tokens: end.receipt.usage.inputTokens,
      input_tokens_details: { cached_tokens: end.receipt.usage.cachedInputTokens },
      output_tokens: end.receipt.usage.outputTokens,
      output_tokens_details: { reasoning_tokens: end.receipt.usage.reasoningTokens },
      total_tokens: end.receipt.usage.inputTokens + end.receipt.usage.outputTokens,
    },
  };
}
