import type { OpenAIProvider } from '@ai-sdk/openai';
import type { z } from 'zod';
import type { Json } from '#core/json';
import { ProviderFailure } from '../contract.ts';
import type { ModelCall, ModelEvent, ProviderClient } from '../contract.ts';
import { toFailure } from '../failure.ts';
import { toEvents } from './events.ts';
import type { WireFetch } from './fetch.ts';
import { toPrompt } from './prompt.ts';
import type { CallOptions, LanguageModel } from './prompt.ts';

type EmbeddingModel = ReturnType<OpenAIProvider['embeddingModel']>;

/** What a wire adapter adds to the common road: its vendor's models, and its vendor's meaning of the row's options. */
export interface Wire {
  languageModel(id: string): LanguageModel;
  embeddingModel?(id: string): EmbeddingModel;
  /** Laid over the common settings of a call. */
  settings(call: ModelCall): Partial<CallOptions>;
  models(signal: AbortSignal): Promise<readonly string[]>;
}

export function createWireClient(wire: Wire): ProviderClient {
  return {
    async *stream(call): AsyncGenerator<ModelEvent> {
      // A consumer that stops reading ends the upstream request too, whether or not it aborts its own signal.
      const left = new AbortController();
      try {
        const abortSignal = AbortSignal.any([call.signal, left.signal]);
        const { stream } = await wire.languageModel(call.model).doStream({ ...commonSettings(call), ...wire.settings(call), abortSignal });
        yield* toEvents(stream);
      } catch (thrown) {
        throw call.signal.aborted ? new ProviderFailure('cancelled', 'Cancelled') : toFailure(thrown);
      } finally {
        left.abort();
      }
    },

    async embed({ model: id, texts, dimensions, signal }) {
      const model = wire.embeddingModel?.(id);
      if (!model) throw new ProviderFailure('bad_request', 'This provider has no embeddings');
      const vectors: Float32Array[] = [];
      let tokens = 0;
      const batchSize = (await model.maxEmbeddingsPerCall) ?? 100;
      try {
        for (let from = 0; from < texts.length; from += batchSize) {
          const values = texts.slice(from, from + batchSize);
          const answer = await model.doEmbed({ values, abortSignal: signal, ...(dimensions !== undefined && { dimensions }) });
          vectors.push(...answer.embeddings.map(toUnitVector));
          tokens += answer.usage?.tokens ?? estimateTokens(values.join(''));
        }
      } catch (thrown) {
        throw signal.aborted ? new ProviderFailure('cancelled', 'Cancelled') : toFailure(thrown);
      }
      if (vectors.length !== texts.length || vectors.some((it) => it.length === 0 || it.length !== vectors[0]?.length)) {
        throw new ProviderFailure('protocol', `${vectors.length} vectors of uneven length came back for ${texts.length} texts`);
      }
      return { vectors, tokens };
    },

    models: (signal) => wire.models(signal),
  };
}

/** A rough count, for who does not say: four characters to a token. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** Gemini's shortened vectors and some local servers' are not of length one; the store compares by dot product. */
function toUnitVector(values: readonly number[]): Float32Array {
  const norm = Math.hypot(...values) || 1;
  return Float32Array.from(values, (value) => value / norm);
}

function commonSettings(call: ModelCall): CallOptions {
  const options = call.options ?? {};
  const temperature = call.temperature ?? numberOf(options['temperature']);
  const topP = call.topP ?? numberOf(options['top_p']);
  const topK = numberOf(options['top_k']);
  return {
    prompt: toPrompt(call),
    maxOutputTokens: outputLimit(call),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(topK !== undefined && { topK }),
    ...(call.tools?.length && {
      tools: call.tools.map(({ name, description, inputSchema }) => ({ type: 'function' as const, name, description, inputSchema })),
    }),
    ...(call.schema && { responseFormat: { type: 'json' as const, name: call.schema.name, schema: call.schema.jsonSchema } }),
  };
}

/** The smaller of what the call reserved and what its provider row allows. */
export function outputLimit({ maxOutputTokens, options = {} }: ModelCall): number {
  return Math.min(maxOutputTokens, numberOf(options['num_predict']) ?? Infinity);
}

/** A positive number of the options; -1 is Ollama's word for "no limit". */
export function numberOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined;
}

/** The base address with its version path, which a configured address may already end in. */
export function withVersion(baseUrl: string, version: string): string {
  const bare = baseUrl.replace(/\/+$/, '');
  if (!URL.canParse(bare)) throw new ProviderFailure('bad_request', 'The base address is not a URL; it begins with https:// or http://');
  return /\/v\d+(alpha|beta)?\d*(\/|$)/.test(new URL(bare).pathname) ? bare : `${bare}/${version}`;
}

/** Our fetch in the shape the vendor libraries call. */
export function asLibraryFetch(wireFetch: WireFetch): typeof fetch {
  return (input, init) =>
    wireFetch(input instanceof Request ? input.url : input.toString(), {
      method: init?.method ?? 'GET',
      headers: Object.fromEntries(new Headers(init?.headers)),
      ...(typeof init?.body === 'string' && { body: init.body }),
      signal: init?.signal ?? new AbortController().signal,
    });
}

/** GETs a JSON document and reads it with a schema. */
export async function getJson<S extends z.ZodType>(
  wireFetch: WireFetch,
  url: string,
  schema: S,
  signal: AbortSignal,
  headers: Record<string, string> = {},
): Promise<z.output<S>> {
  try {
    const response = await wireFetch(url, { headers: { accept: 'application/json', ...headers }, signal });
    return schema.parse(await response.json());
  } catch (thrown) {
    const failure = toFailure(thrown);
    throw failure.reason === 'protocol' && !(thrown instanceof ProviderFailure)
      ? new ProviderFailure('protocol', 'The answer is not what this kind of provider gives; check the base address')
      : failure;
  }
}
