import type { AnswerPart } from './contract.ts';

/**
 * An answer as it grows. A place in it is counted in UTF-16 units of its texts and one for every other part, so that a reader that
 * left can go on from its place in the stored parts as in those in memory.
 */
export interface Transcript {
  readonly parts: readonly AnswerPart[];
  /** The place of its end. */
  readonly end: number;
  append(part: AnswerPart): void;
  /** The words alone. */
  text(): string;
}

export function createTranscript(): Transcript {
  const parts: AnswerPart[] = [];
  let end = 0;
  return {
    parts,
    get end() {
      return end;
    },
    append(part) {
      const size = sizeOf(part);
      if (size === 0) return;
      end += size;
      const last = parts.at(-1);
      if (last && 'text' in last && 'text' in part && last.type === part.type)
        parts[parts.length - 1] = { ...last, text: last.text + part.text };
      else parts.push(part);
    },
    text: () => textOf(parts),
  };
}

export function textOf(parts: readonly AnswerPart[]): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** What comes after a place, each with the place behind it. */
export function partsAfter(parts: readonly AnswerPart[], place: number): { readonly part: AnswerPart; readonly end: number }[] {
  const after: { part: AnswerPart; end: number }[] = [];
  let start = 0;
  for (const part of parts) {
    const end = start + sizeOf(part);
    if (end > place) after.push({ part: 'text' in part ? { ...part, text: part.text.slice(Math.max(0, place - start)) } : part, end });
    start = end;
  }
  return after;
}

function sizeOf(part: AnswerPart): number {
  return 'text' in part ? part.text.length : 1;
}
