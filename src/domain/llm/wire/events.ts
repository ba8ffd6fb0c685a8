import type { Json } from '#core/json';
import { ProviderFailure } from '../contract.ts';
import type { ModelEvent, Usage } from '../contract.ts';
import { toFailure } from '../failure.ts';
import { toToolInput } from './prompt.ts';
import type { LanguageModel, ProviderData, ProviderMetadata } from './prompt.ts';

type StreamPart = Awaited<ReturnType<LanguageModel['doStream']>>['stream'] extends ReadableStream<infer P> ? P : never;
type Finish = Extract<StreamPart, { type: 'finish' }>;

/** Turns a vendor library's stream into our events. Throws `protocol` when it ends before the provider said it was done. */
export async function* toEvents(stream: ReadableStream<StreamPart>): AsyncGenerator<ModelEvent> {
  const reasoning = createReasoningRecord();
  let model: string | undefined;
  let finish: Finish | undefined;
  for await (const part of stream) {
    switch (part.type) {
      case 'text-delta':
        if (part.delta) yield { type: 'text', text: part.delta };
        break;
      case 'reasoning-start':
      case 'reasoning-end':
        reasoning.add(part.id, '', part.providerMetadata);
        break;
      case 'reasoning-delta':
        reasoning.add(part.id, part.delta, part.providerMetadata);
        if (part.delta) yield { type: 'reasoning', text: part.delta };
        break;
      case 'tool-call': {
        const data: ProviderData = { ...(part.providerMetadata && { call: part.providerMetadata }), ...reasoning.take() };
        yield {
          type: 'tool_call',
          id: part.toolCallId,
          name: part.toolName,
          input: toToolInput(part.input),
          ...(Object.keys(data).length > 0 && { providerData: data as Json }),
        };
        break;
      }
      case 'response-metadata':
        model = part.modelId ?? model;
        break;
      case 'error':
        throw toFailure(part.error);
      case 'finish':
        finish = part;
        break;
      default: // Sources, files and block borders carry nothing a caller asks for.
    }
  }
  if (!finish || isCutOff(finish)) throw new ProviderFailure('protocol', 'The answer ended before it was complete');
  if (finish.finishReason.unified === 'error')
    throw new ProviderFailure('server', `The provider stopped with an error (${finish.finishReason.raw ?? 'unnamed'})`);
  yield {
    type: 'end',
    reason: END_REASON[finish.finishReason.unified] ?? 'other',
    usage: toUsage(finish.usage),
    ...(model !== undefined && { model }),
  };
}

const END_REASON: Readonly<Record<string, Extract<ModelEvent, { type: 'end' }>['reason']>> = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
};

function isCutOff({ finishReason }: Finish): boolean {
  return finishReason.unified === 'interrupted' || (finishReason.unified === 'other' && finishReason.raw === undefined);
}

function toUsage({ inputTokens, outputTokens }: Finish['usage']): Usage | null {
  if (inputTokens.total === undefined && outputTokens.total === undefined) return null;
  return {
    inputTokens: inputTokens.total ?? 0,
    outputTokens: outputTokens.total ?? 0,
    cachedInputTokens: inputTokens.cacheRead ?? 0,
    reasoningTokens: outputTokens.reasoning ?? 0,
    ...(inputTokens.cacheWrite && { cacheWriteInputTokens: inputTokens.cacheWrite }),
  };
}

/** Reasoning blocks in their order, kept until the tool call they led to; only signed blocks matter to a provider. */
function createReasoningRecord() {
  let blocks = new Map<string, { text: string; metadata: ProviderMetadata | undefined }>();
  return {
    add(id: string, text: string, metadata: ProviderMetadata | undefined): void {
      const block = blocks.get(id) ?? { text: '', metadata: undefined };
      blocks.set(id, { text: block.text + text, metadata: metadata ?? block.metadata });
    },
    take(): Pick<ProviderData, 'reasoning'> {
      const signed = [...blocks.values()].flatMap(({ text, metadata }) => (metadata ? [{ text, metadata }] : []));
      blocks = new Map();
      return signed.length > 0 ? { reasoning: signed } : {};
    },
  };
}
