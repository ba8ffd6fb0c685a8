import { z } from 'zod';
import type { ModelCall, ProviderKind } from '../contract.ts';
import { asLibraryFetch, createWireClient, getJson, numberOf, withVersion } from '../wire/client.ts';
import { createWireFetch } from '../wire/fetch.ts';
import type { CallOptions } from '../wire/prompt.ts';

const Models = z.object({ models: z.array(z.object({ name: z.string() })).default([]) });

/** Google's Gemini API (ai.google.dev/api/generate-content). */
export const google: ProviderKind = {
  id: 'google',
  title: 'Google Gemini',
  defaultBaseUrl: 'https://generativelanguage.googleapis.com',
  needsKey: true,
  local: false,
  canEmbed: true,
  canUseTools: true,

  async open(connection) {
    const { createGoogle } = await import('@ai-sdk/google');
    // The key goes in a header: Gemini also takes it in the URL, where logs and errors would show it.
    const fetch = await createWireFetch(connection, (key) => ({ 'x-goog-api-key': key }));
    const baseURL = withVersion(connection.baseUrl, 'v1beta');
    const provider = createGoogle({ baseURL, apiKey: 'set-by-fetch', fetch: asLibraryFetch(fetch) });
    return createWireClient({
      languageModel: (id) => provider.languageModel(id),
      embeddingModel: (id) => provider.embeddingModel(id),
      settings,
      async models(signal) {
        const { models } = await getJson(fetch, `${baseURL}/models?pageSize=1000`, Models, signal);
        return models.map(({ name }) => name.replace(/^models\//, ''));
      },
    });
  },
};

/** `thinking`: a number is the budget in tokens (Gemini 2.5), a word the level (Gemini 3); false or true let the library choose for the model. */
function settings({ options = {} }: ModelCall): Partial<CallOptions> {
  const { thinking } = options;
  const thinkingBudget = numberOf(thinking);
  return {
    ...(thinking === false && { reasoning: 'none' as const }),
    ...(thinking === true && { reasoning: 'medium' as const }),
    providerOptions: {
      google: {
        ...(thinkingBudget !== undefined && { thinkingConfig: { thinkingBudget, includeThoughts: thinkingBudget > 0 } }),
        ...(typeof thinking === 'string' && { thinkingConfig: { thinkingLevel: thinking, includeThoughts: true } }),
      },
    },
  };
}
