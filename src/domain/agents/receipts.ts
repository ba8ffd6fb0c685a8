import type { CallReceipt } from '#llm/contract';
import type { Receipt } from './contract.ts';

/** What all model calls of a turn used and cost together; provider and model are those of the last. */
export function addReceipt(sum: Receipt | null, { provider, model, usage, costUsd, offline, hops }: CallReceipt): Receipt {
  const of = (pick: keyof Receipt['usage']): number => (sum?.usage[pick] ?? 0) + (usage[pick] ?? 0);
  return {
    provider,
    model,
    usage: {
      inputTokens: of('inputTokens'),
      outputTokens: of('outputTokens'),
      cachedInputTokens: of('cachedInputTokens'),
      reasoningTokens: of('reasoningTokens'),
    },
    costUsd: (sum?.costUsd ?? 0) + costUsd,
    offline,
    hops: [...(sum?.hops ?? []), ...hops],
  };
}
