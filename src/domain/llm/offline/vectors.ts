import type { Pace } from './pace.ts';
import { slicesOf, wordsOf } from './words.ts';

/** A sparse vector of length one: weight by word. */
export type Sparse = ReadonlyMap<string, number>;

/** Characters looked at between two turns of the event loop. */
export const SLICE_LENGTH = 4_000;

/** How often each meaningful word occurs. */
export async function countWords(text: string, pace: Pace): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const slice of slicesOf(text, SLICE_LENGTH)) {
    for (const word of wordsOf(slice)) counts.set(word, (counts.get(word) ?? 0) + 1);
    await pace();
  }
  return counts;
}

/** TF-IDF vectors of texts against each other, of length one each; a text without words is empty. */
export async function weigh(texts: readonly string[], pace: Pace): Promise<Sparse[]> {
  const counts: Map<string, number>[] = [];
  const spread = new Map<string, number>();
  for (const text of texts) {
    const count = await countWords(text, pace);
    for (const word of count.keys()) spread.set(word, (spread.get(word) ?? 0) + 1);
    counts.push(count);
  }
  const vectors: Sparse[] = [];
  for (const count of counts) {
    vectors.push(
      toUnit(
        new Map([...count].map(([word, times]) => [word, (1 + Math.log(times)) * Math.log(1 + texts.length / (spread.get(word) ?? 1))])),
      ),
    );
    await pace();
  }
  return vectors;
}

/** The direction all of them share. */
export async function centroidOf(vectors: readonly Sparse[], pace: Pace): Promise<Sparse> {
  const sum = new Map<string, number>();
  for (const vector of vectors) {
    for (const [word, weight] of vector) sum.set(word, (sum.get(word) ?? 0) + weight);
    await pace();
  }
  return toUnit(sum);
}

/** Cosine, for both are of length one. */
export function similarity(a: Sparse, b: Sparse): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let sum = 0;
  for (const [word, weight] of small) sum += weight * (large.get(word) ?? 0);
  return sum;
}

function toUnit(weights: Map<string, number>): Sparse {
  let squares = 0;
  for (const weight of weights.values()) squares += weight * weight;
  const norm = Math.sqrt(squares) || 1;
  for (const [word, weight] of weights) weights.set(word, weight / norm);
  return weights;
}
