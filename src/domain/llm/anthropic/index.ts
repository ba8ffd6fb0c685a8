import { z } from 'zod';
import type { ModelCall, ProviderKind } from '../contract.ts';
import { asLibraryFetch, createWireClient, getJson, numberOf, outputLimit, withVersion } from '../wire/client.ts';
import { createWireFetch } from '../wire/fetch.ts';
import type { CallOptions } from '../wire/prompt.ts';

const API_VERSION = '2023-06-01';
const Models = z.object({ data: z.array(z.object({ id: z.string() })) });

/** Anthropic's Messages API (platform.claude.com/docs/en/api/messages). */
export const anthropic: ProviderKind = {
  id: 'anthropic',
  title: 'Anthropic',
  defaultBaseUrl: 'https://api.anthropic.com',
  needsKey: true,
  local: false,
  canEmbed: false,
  canUseTools: true,

  async open(connection) {
    const { createAnthropic } = await import('@ai-sdk/anthropic');
    const fetch = await createWireFetch(connection, (key) => ({ 'x-api-key': key }));
    const baseURL = withVersion(connection.baseUrl, 'v1');
    const provider = createAnthropic({ baseURL, apiKey: 'set-by-fetch', fetch: asLibraryFetch(fetch) });
    return createWireClient({
      languageModel: (id) => provider.languageModel(id),
      settings,
      async models(signal) {
        const { data } = await getJson(fetch, `${baseURL}/models?limit=1000`, Models, signal, { 'anthropic-version': API_VERSION });
        return data.map(({ id }) => id);
      },
    });
  },
};

/** Anthropic takes no smaller thinking budget; as much is left for the answer. */
const SMALLEST_BUDGET = 1024;

/**
 * `thinking`: a number is the budget in tokens of models up to Claude 4.5, taken out of the call's output limit so that the
 * reservation holds; true or an effort word is the adaptive thinking of later ones; false turns it off. `cache: true` marks
 * the prompt for Anthropic's cache.
 */
function settings(call: ModelCall): Partial<CallOptions> {
  const { thinking, cache } = call.options ?? {};
  const limit = outputLimit(call);
  const wanted = numberOf(thinking);
  // The library adds the budget to the limit it is given.
  const budgetTokens =
    wanted !== undefined && limit >= 2 * SMALLEST_BUDGET ? Math.max(SMALLEST_BUDGET, Math.min(wanted, limit - SMALLEST_BUDGET)) : undefined;
  const adaptive = thinking === true || typeof thinking === 'string';
  return {
    ...(budgetTokens !== undefined && { maxOutputTokens: limit - budgetTokens }),
    ...(thinking === false && { reasoning: 'none' as const }),
    providerOptions: {
      anthropic: {
        ...(budgetTokens !== undefined && { thinking: { type: 'enabled', budgetTokens } }),
        ...(adaptive && { thinking: { type: 'adaptive', display: 'summarized' } }),
        ...(typeof thinking === 'string' && { effort: thinking }),
        ...(cache === true && { cacheControl: { type: 'ephemeral' } }),
      },
    },
  };
}
