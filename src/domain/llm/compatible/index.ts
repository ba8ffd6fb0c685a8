import { z } from 'zod';
import type { Json } from '#core/json';
import type { ModelCall, ProviderKind } from '../contract.ts';
import { asLibraryFetch, createWireClient, getJson, withVersion } from '../wire/client.ts';
import { createWireFetch } from '../wire/fetch.ts';
import type { CallOptions } from '../wire/prompt.ts';
import { isStrictSchema } from '../wire/strict-schema.ts';
import { mendAnswer } from './answer.ts';
import { createOllamaCheck, needsNativeApi, streamOllama } from './ollama.ts';
import { createSchemaFallback } from './schema-fallback.ts';

const Models = z.object({ data: z.array(z.object({ id: z.string() })).nullable() });

/** Any server of OpenAI's Chat Completions: Ollama, LM Studio, llama.cpp, vLLM, OpenRouter, Groq. Needs no key on loopback. */
export const compatible: ProviderKind = {
  id: 'compatible',
  title: 'OpenAI-compatible',
  defaultBaseUrl: null,
  needsKey: false,
  local: false,
  canEmbed: true,
  canUseTools: true,

  async open(connection) {
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
    const fetch = await createWireFetch(connection, (key) => ({ authorization: `Bearer ${key}` }));
    const baseURL = withVersion(connection.baseUrl, 'v1');
    const provider = createOpenAICompatible({
      name: 'compatible',
      baseURL,
      fetch: asLibraryFetch(fetch),
      includeUsage: true,
      supportsStructuredOutputs: true,
    });
    const client = createWireClient({
      languageModel: (id) => provider.chatModel(id),
      embeddingModel: (id) => provider.embeddingModel(id),
      settings,
      async models(signal) {
        const { data } = await getJson(fetch, `${baseURL}/models`, Models, signal);
        return (data ?? []).map(({ id }) => id);
      },
    });
    const root = baseURL.replace(/\/v1$/, '');
    const isOllama = createOllamaCheck(fetch, root);
    const stream = createSchemaFallback(async function* route(call) {
      const native = needsNativeApi(call) && (await isOllama(call.signal));
      yield* mendAnswer(native ? streamOllama(fetch, root, call) : client.stream(call));
    });
    return { ...client, stream };
  },
};

/** The options whose meaning is common to all kinds; `createWireClient` reads them. */
const COMMON = new Set(['temperature', 'top_p', 'num_predict']);

/** Options go into the request as they are (`top_k`, `repeat_penalty`, `reasoning_effort`, …); servers ignore what they do not know. `thinking` becomes the chat template's switch. Ollama, which drops most of them here, is then asked by its own API. */
function settings({ options = {}, schema }: ModelCall): Partial<CallOptions> {
  const { thinking, ...rest } = options;
  const body: Record<string, Json> = Object.fromEntries(
    Object.entries(rest).filter(([name, value]) => !COMMON.has(name) && value !== null),
  );
  if (typeof thinking === 'boolean')
    body['chat_template_kwargs'] = { ...(body['chat_template_kwargs'] as object | undefined), enable_thinking: thinking };
  if (typeof thinking === 'string') body['reasoning_effort'] = thinking;
  if (schema) body['strictJsonSchema'] = isStrictSchema(schema.jsonSchema);
  return { providerOptions: { compatible: body } } as Partial<CallOptions>;
}
