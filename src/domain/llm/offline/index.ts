import { ProviderFailure } from '../contract.ts';
import type { ModelCall, ModelEvent, ProviderKind } from '../contract.ts';
import { estimateTokens } from '../wire/client.ts';
import type { answer as Answer } from './answer.ts';
import { createPace } from './pace.ts';

/** Answers without any model, from the material alone, and says so. Costs nothing, needs no network, never leaves the machine. */
export const offline: ProviderKind = {
  id: 'offline',
  title: 'Offline (no model)',
  defaultBaseUrl: null,
  needsKey: false,
  local: true,
  canEmbed: true,
  canUseTools: false,

  async open() {
    const [{ answer }, { DEFAULT_DIMENSIONS, embedText }] = await Promise.all([import('./answer.ts'), import('./embed.ts')]);
    return {
      stream: (call) => stream(call, answer),
      async embed({ texts, dimensions = DEFAULT_DIMENSIONS, signal }) {
        const pace = createPace(signal);
        const vectors: Float32Array[] = [];
        for (const text of texts) {
          vectors.push(await embedText(text, dimensions, pace));
          await pace();
        }
        return { vectors, tokens: texts.reduce((sum, text) => sum + estimateTokens(text), 0) };
      },
      models: async () => ['extractive'],
    };
  },
};

async function* stream(call: ModelCall, answer: typeof Answer): AsyncGenerator<ModelEvent> {
  const pace = createPace(call.signal);
  await pace();
  const whole = await answer(call, pace);
  // JSON that is cut is worth nothing; words are.
  const room = call.maxOutputTokens * 4;
  const cut = !whole.isJson && whole.text.length > room;
  const text = cut ? whole.text.slice(0, room).toWellFormed() : whole.text;
  for (const [piece] of text.matchAll(/\S{1,200}\s*(?:\S{1,200}\s*){0,7}|\s+/gu)) {
    await pace();
    yield { type: 'text', text: piece };
  }
  if (call.signal.aborted) throw new ProviderFailure('cancelled', 'Cancelled');
  const usage = { inputTokens: inputTokens(call), outputTokens: estimateTokens(text), cachedInputTokens: 0, reasoningTokens: 0 };
  yield { type: 'end', reason: cut ? 'length' : 'stop', usage, model: 'extractive' };
}

function inputTokens({ system = '', messages }: ModelCall): number {
  const said = messages.flatMap(({ parts }) =>
    parts.map((part) => (part.type === 'text' ? part.text : part.type === 'tool_result' ? part.output : '')),
  );
  return estimateTokens(system + said.join(''));
}
