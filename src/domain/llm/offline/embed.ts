import type { Pace } from './pace.ts';
import { SLICE_LENGTH } from './vectors.ts';
import { slicesOf, wordsOf } from './words.ts';

export const DEFAULT_DIMENSIONS = 384;

/** What a feature counts: a word, two in a row, three or four letters of one (which forgives endings and typing errors). */
const WORD_WEIGHT = 1;
const PAIR_WEIGHT = 0.5;
const LETTERS_WEIGHT = 0.25;

/** Feature hashing (Weinberger et al., 2009): the same text gives the same vector on every machine; near texts near ones. Of length one. */
export async function embedText(text: string, dimensions: number, pace: Pace): Promise<Float32Array> {
  const counts = new Map<string, number>();
  const add = (feature: string, weight: number): void => void counts.set(feature, (counts.get(feature) ?? 0) + weight);
  let before = '';
  for (const slice of slicesOf(text, SLICE_LENGTH)) {
    for (const word of wordsOf(slice)) {
      add(word, WORD_WEIGHT);
      if (before) add(`${before} ${word}`, PAIR_WEIGHT);
      const edged = `^${word}$`;
      for (const size of [3, 4]) for (let at = 0; at + size <= edged.length; at += 1) add(`#${edged.slice(at, at + size)}`, LETTERS_WEIGHT);
      before = word;
    }
    await pace();
  }
  const vector = new Float32Array(dimensions);
  let seen = 0;
  for (const [feature, count] of counts) {
    const hash = hashOf(feature);
    const slot = (hash >>> 1) % dimensions;
    vector[slot] = (vector[slot] ?? 0) + (hash & 1 ? 1 : -1) * Math.log1p(count);
    if ((seen += 1) % 2048 === 0) await pace();
  }
  const norm = Math.hypot(...vector);
  if (norm === 0) vector[0] = 1;
  return norm === 0 ? vector : vector.map((value) => value / norm);
}

/** FNV-1a with the finish of MurmurHash3, so that the low bits are good too. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
