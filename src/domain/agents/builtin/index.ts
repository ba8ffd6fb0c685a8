import type { LlmEvent } from '#llm/contract';
import type { Backend, BackendEvent } from '../backend.ts';

/** Our own: the model router, asked once. */
export const builtin: Backend = {
  id: 'builtin',
  title: 'Castellan',
  async *run({ llm, system, messages, callerOptions, signal }) {
    for await (const event of llm.stream({ system, messages, ...callerOptions, signal })) yield toBackendEvent(event);
  },
};

function toBackendEvent(event: LlmEvent): BackendEvent {
  if (event.type === 'tool_call') return { type: 'tool_call', id: event.id, name: event.name, input: event.input };
  if (event.type !== 'end') return event;
  const { provider, model, usage, costUsd, offline, hops } = event.receipt;
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage;
  return {
    type: 'end',
    reason: event.reason,
    receipt: {
      provider,
      model,
      usage: { inputTokens, outputTokens, cachedInputTokens, reasoningTokens },
      costUsd,
      offline,
      hops: [...hops],
    },
  };
}
