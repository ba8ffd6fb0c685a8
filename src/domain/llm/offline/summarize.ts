import type { Pace } from './pace.ts';
import { centroidOf, similarity, weigh } from './vectors.ts';
import type { Sparse } from './vectors.ts';
import { sentencesOf } from './words.ts';

/** How much a sentence's own worth counts against what it repeats (maximal marginal relevance; Carbonell and Goldstein, 1998). */
const RELEVANCE = 0.7;
/** Longer texts are read up to here: some 300 pages. */
const MOST_SENTENCES = 10_000;

/** The sentences that say most about a text while repeating each other least, in the order of the text. */
export async function summarize(text: string, count: number, pace: Pace): Promise<string[]> {
  const sentences: string[] = [];
  for (const sentence of sentencesOf(text)) {
    if (sentences.push(sentence) >= MOST_SENTENCES) break;
    await pace();
  }
  if (sentences.length <= count) return sentences;
  const vectors = await weigh(sentences, pace);
  const centre = await centroidOf(vectors, pace);
  const worth: number[] = [];
  for (const [index, vector] of vectors.entries()) {
    worth.push(similarity(vector, centre) * lengthFactor(vector) + placeBonus(index, sentences.length));
    await pace();
  }
  const chosen = await choose(vectors, worth, count, pace);
  return chosen.toSorted((a, b) => a - b).map((index) => sentences[index] ?? '');
}

async function choose(vectors: readonly Sparse[], worth: readonly number[], count: number, pace: Pace): Promise<number[]> {
  const chosen: number[] = [];
  const repeats = vectors.map(() => 0);
  while (chosen.length < count) {
    let best = -1;
    let bestValue = -Infinity;
    for (const index of worth.keys()) {
      const value = RELEVANCE * (worth[index] ?? 0) - (1 - RELEVANCE) * (repeats[index] ?? 0);
      if (value > bestValue && !chosen.includes(index)) [best, bestValue] = [index, value];
    }
    const added = vectors[best];
    if (!added) break;
    chosen.push(best);
    for (const [index, vector] of vectors.entries()) {
      repeats[index] = Math.max(repeats[index] ?? 0, similarity(vector, added));
      if (index % 64 === 0) await pace();
    }
  }
  return chosen;
}

/** Headings and interjections make poor summaries. */
function lengthFactor(vector: Sparse): number {
  return Math.min(1, vector.size / 6);
}

/** News puts what matters first. */
function placeBonus(index: number, total: number): number {
  return index === 0 ? 0.1 : 0.05 * (1 - index / total);
}
