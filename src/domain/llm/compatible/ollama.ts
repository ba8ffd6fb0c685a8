import { z } from 'zod';
import type { Json } from '#core/json';
import { ProviderFailure } from '../contract.ts';
import type { Message, ModelCall, ModelEvent } from '../contract.ts';
import { failureOf, toFailure } from '../failure.ts';
import { outputLimit } from '../wire/client.ts';
import type { WireFetch } from '../wire/fetch.ts';

/** Options that Ollama's Chat Completions drop without a word (docs.ollama.com/api/openai-compatibility): only its own API has them. */
const NATIVE_ONLY = ['num_ctx', 'num_thread', 'num_gpu', 'top_k', 'repeat_penalty', 'thinking'];

export function needsNativeApi({ options = {} }: ModelCall): boolean {
  return NATIVE_ONLY.some((name) => (options[name] ?? null) !== null);
}

/** Whether the server is Ollama, asked once. A server that cannot be reached throws, and is asked again next time. */
export function createOllamaCheck(wireFetch: WireFetch, root: string): (signal: AbortSignal) => Promise<boolean> {
  let known: boolean | undefined;
  return async function isOllama(signal) {
    if (known !== undefined) return known;
    try {
      const response = await wireFetch(`${root}/api/version`, { headers: {}, signal });
      known = z.object({ version: z.string() }).safeParse(await response.json()).success;
    } catch (thrown) {
      const failure = toFailure(thrown);
      if (['refused', 'timeout', 'cancelled'].includes(failure.reason)) throw failure;
      known = failure.reason === 'server' ? undefined : false;
    }
    return known ?? false;
  };
}

const Line = z.object({
  model: z.string().optional(),
  error: z.string().optional(),
  message: z
    .object({
      content: z.string().default(''),
      thinking: z.string().default(''),
      tool_calls: z.array(z.object({ function: z.object({ name: z.string(), arguments: z.custom<Json>() }) })).default([]),
    })
    .optional(),
  done: z.boolean().default(false),
  done_reason: z.string().optional(),
  prompt_eval_count: z.number().default(0),
  eval_count: z.number().default(0),
});

/** Ollama's own chat, as lines of JSON (docs.ollama.com/api/chat). */
export async function* streamOllama(wireFetch: WireFetch, root: string, call: ModelCall): AsyncGenerator<ModelEvent> {
  try {
    const response = await wireFetch(`${root}/api/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(requestOf(call)),
      signal: call.signal,
    });
    yield* readLines(response);
  } catch (thrown) {
    throw call.signal.aborted ? new ProviderFailure('cancelled', 'Cancelled') : toFailure(thrown);
  }
}

async function* readLines(response: Response): AsyncGenerator<ModelEvent> {
  let calls = 0;
  for await (const text of linesOf(response)) {
    const line = Line.parse(JSON.parse(text));
    if (line.error !== undefined) throw failureOf(500, {}, text);
    if (line.message?.thinking) yield { type: 'reasoning', text: line.message.thinking };
    if (line.message?.content) yield { type: 'text', text: line.message.content };
    for (const { function: it } of line.message?.tool_calls ?? [])
      yield { type: 'tool_call', id: `call_${(calls += 1)}`, name: it.name, input: it.arguments };
    if (!line.done) continue;
    const reason = calls > 0 ? 'tool_calls' : line.done_reason === 'length' ? 'length' : 'stop';
    const usage = { inputTokens: line.prompt_eval_count, outputTokens: line.eval_count, cachedInputTokens: 0, reasoningTokens: 0 };
    yield { type: 'end', reason, usage, ...(line.model !== undefined && { model: line.model }) };
    return;
  }
  throw new ProviderFailure('protocol', 'The answer ended before it was complete');
}

async function* linesOf(response: Response): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim()) yield line;
  }
  if (rest.trim()) yield rest;
}

function requestOf(call: ModelCall): object {
  const { model, system, messages, tools, schema, options = {}, temperature, topP } = call;
  const { thinking, ...inference } = options;
  return {
    model,
    stream: true,
    messages: [...(system ? [{ role: 'system', content: system }] : []), ...messages.flatMap(toOllamaMessages)],
    ...(tools?.length && {
      tools: tools.map(({ name, description, inputSchema }) => ({
        type: 'function',
        function: { name, description, parameters: inputSchema },
      })),
    }),
    ...(schema && { format: schema.jsonSchema }),
    ...((typeof thinking === 'boolean' || typeof thinking === 'string') && { think: thinking }),
    options: {
      ...inference,
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && { top_p: topP }),
      num_predict: outputLimit(call),
    },
  };
}

function toOllamaMessages({ role, parts }: Message): object[] {
  const content = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
  const images = parts.flatMap((part) => (part.type === 'image' ? [part.base64] : []));
  const calls = parts.flatMap((part) => (part.type === 'tool_call' ? [{ function: { name: part.name, arguments: part.input } }] : []));
  const results = parts.flatMap((part) =>
    part.type === 'tool_result' ? [{ role: 'tool', tool_name: part.name, content: part.output }] : [],
  );
  const said =
    content || images.length > 0 || calls.length > 0
      ? [{ role, content, ...(images.length > 0 && { images }), ...(calls.length > 0 && { tool_calls: calls }) }]
      : [];
  return [...results, ...said];
}
