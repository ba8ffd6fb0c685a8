import type { AnswerPart } from '#agents/contract';

/** Adds what came to an answer: words go on where words were. */
export function addPart(parts: readonly AnswerPart[], part: AnswerPart): readonly AnswerPart[] {
  const last = parts.at(-1);
  const isWords = part.type === 'text' || part.type === 'reasoning';
  if (isWords && last?.type === part.type) return [...parts.slice(0, -1), { ...part, text: last.text + part.text }];
  return [...parts, part];
}
