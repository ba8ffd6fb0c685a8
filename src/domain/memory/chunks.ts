/** A stretch of a text, in UTF-16 units, end excluded. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
}

/** Longer texts are searched in parts of at most this length. */
export const LONGEST_CHUNK = 2_000;

/** How much of a part the next one repeats, so that a sentence at the seam is found whole. */
const OVERLAP = 200;

/** Where a part may end, the best place first: before a heading, after a blank line, a sentence, a line, a word. */
const BREAKS = [/\n(?=#{1,6} )/g, /\n\s*\n/g, /[.!?…。！？]["')\]”»]?\s+|[。！？]/g, /\n/g, /\s+/g] as const;

/** Divides a text for search. Every character is in a part, and parts come in order; a short text is one part. */
export function chunksOf(text: string): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let start = 0;
  while (text.length - start > LONGEST_CHUNK) {
    const end = breakIn(text, start + LONGEST_CHUNK / 2, start + LONGEST_CHUNK);
    chunks.push({ start, end });
    start = wordAfter(text, end - OVERLAP, end);
  }
  return [...chunks, { start, end: text.length }];
}

/** The last break of the best sort in the window; without any, its end, but never within a character. */
function breakIn(text: string, from: number, to: number): number {
  const window = text.slice(from, to);
  for (const pattern of BREAKS) {
    const last = [...window.matchAll(pattern)].at(-1);
    if (last) return from + last.index + last[0].length;
  }
  return isHalf(text, to) ? to - 1 : to;
}

/** The beginning of the first word after `from`; where there is none, `from` itself. */
function wordAfter(text: string, from: number, to: number): number {
  const space = text.slice(from, to - 1).search(/\s\S/);
  if (space >= 0) return from + space + 1;
  return isHalf(text, from) ? from + 1 : from;
}

/** Between the two halves of one character. */
function isHalf(text: string, at: number): boolean {
  return /[\uDC00-\uDFFF]/.test(text[at] ?? '');
}
