import { z } from 'zod';
import type { ModelCall, ProviderKind } from '../contract.ts';
import { asLibraryFetch, createWireClient, getJson, withVersion } from '../wire/client.ts';
import { createWireFetch } from '../wire/fetch.ts';
import type { CallOptions } from '../wire/prompt.ts';
import { isStrictSchema } from '../wire/strict-schema.ts';

const Models = z.object({ data: z.array(z.object({ id: z.string() })) });

/** OpenAI's Responses API (platform.openai.com/docs/api-reference/responses); other servers of that family are `compatible`. */
export const openai: ProviderKind = {
  id: 'openai',
  title: 'OpenAI',
  defaultBaseUrl: 'https://api.openai.com',
  needsKey: true,
  local: false,
  canEmbed: true,
  canUseTools: true,

  async open(connection) {
    const { createOpenAI } = await import('@ai-sdk/openai');
    const fetch = await createWireFetch(connection, (key) => ({ authorization: `Bearer ${key}` }));
    const baseURL = withVersion(connection.baseUrl, 'v1');
    const provider = createOpenAI({ baseURL, apiKey: 'set-by-fetch', fetch: asLibraryFetch(fetch) });
    return createWireClient({
      languageModel: (id) => provider.responses(id),
      embeddingModel: (id) => provider.embeddingModel(id),
      settings,
      async models(signal) {
        const { data } = await getJson(fetch, `${baseURL}/models`, Models, signal);
        return data.map(({ id }) => id);
      },
    });
  },
};

/** `thinking`: false is no reasoning, true medium, a word that effort. Nothing is stored at OpenAI: each call carries its whole conversation. */
function settings({ options = {}, schema }: ModelCall): Partial<CallOptions> {
  const { thinking } = options;
  const reasoningEffort = thinking === false ? 'none' : thinking === true ? 'medium' : typeof thinking === 'string' ? thinking : undefined;
  return {
    providerOptions: {
      openai: {
        store: false,
        ...(schema && { strictJsonSchema: isStrictSchema(schema.jsonSchema) }),
        ...(reasoningEffort !== undefined && { reasoningEffort, ...(reasoningEffort !== 'none' && { reasoningSummary: 'auto' }) }),
      },
    },
  };
}
