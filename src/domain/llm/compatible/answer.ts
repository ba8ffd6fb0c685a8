import { ProviderFailure } from '../contract.ts';
import type { ModelEvent } from '../contract.ts';

const OPEN = '<think>';
const CLOSE = '</think>';

/**
 * Puts right what local servers do to reasoning models: a leading `<think>…</think>` in the text is reasoning; an answer
 * that came as reasoning only (Qwen and DeepSeek on LM Studio) is the text. Throws `protocol` when nothing came at all.
 */
export async function* mendAnswer(events: AsyncIterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  const split = createThinkSplitter();
  let reasoning = '';
  let answered = false;
  for await (const event of events) {
    const mended = event.type === 'text' ? split(event.text) : event.type === 'end' ? [...split(null), event] : [event];
    for (const it of mended) {
      if (it.type === 'reasoning') reasoning += it.text;
      if (it.type === 'text' || it.type === 'tool_call') answered = true;
      if (it.type === 'end' && it.reason === 'stop' && !answered) {
        if (!reasoning.trim()) throw new ProviderFailure('protocol', 'The answer is empty');
        yield { type: 'text', text: reasoning };
      }
      yield it;
    }
  }
}

/** Holds text back only while it may still be the beginning of a tag; `null` says that no more will come. */
function createThinkSplitter(): (text: string | null) => ModelEvent[] {
  let state: 'start' | 'thinking' | 'answer' = 'start';
  let held = '';
  return function split(text) {
    if (state === 'answer') return text ? [{ type: 'text', text }] : [];
    held += text ?? '';
    const ended = text === null;
    if (state === 'start') {
      const begin = held.trimStart();
      if (!ended && OPEN.startsWith(begin)) return [];
      if (!begin.startsWith(OPEN)) return release('answer', held, 'text');
      state = 'thinking';
      held = begin.slice(OPEN.length);
    }
    const close = held.indexOf(CLOSE);
    if (close >= 0) {
      const thought = held.slice(0, close);
      const rest = held.slice(close + CLOSE.length).trimStart();
      return [...(thought ? [{ type: 'reasoning' as const, text: thought }] : []), ...release('answer', rest, 'text')];
    }
    const safe = ended ? held.length : held.length - partialTagLength(held);
    const thought = held.slice(0, safe);
    held = held.slice(safe);
    return thought ? [{ type: 'reasoning', text: thought }] : [];
  };

  function release(next: typeof state, text: string, type: 'text'): ModelEvent[] {
    state = next;
    held = '';
    return text ? [{ type, text }] : [];
  }
}

/** How many characters at the end may begin the closing tag. */
function partialTagLength(text: string): number {
  for (let length = Math.min(CLOSE.length - 1, text.length); length > 0; length -= 1) {
    if (CLOSE.startsWith(text.slice(-length))) return length;
  }
  return 0;
}
