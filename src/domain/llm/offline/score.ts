import type { OfflineTask } from '../contract.ts';
import type { Pace } from './pace.ts';
import { centroidOf, countWords, similarity, weigh } from './vectors.ts';
import { wordsOf } from './words.ts';

type Item = Extract<OfflineTask, { kind: 'score' }>['items'][number];

export interface Score {
  readonly index: number;
  /** In [0, 1]; half is one good match in the body of an item. */
  readonly score: number;
  readonly reason: string;
}

/** BM25 (Robertson and Zaragoza, 2009), with the usual constants. */
const K1 = 1.2;
const B = 0.75;
/** Items are few, so each word is held against a corpus that is larger by so many items without it. */
const UNSEEN_ITEMS = 50;
/** The raw score that is squashed to one half. */
const HALF = 3;
const TITLE_WEIGHT = 2;

/** How well each item meets the owner's interests: phrases divided by commas, semicolons or lines; "no …" and "not …" count against. */
export async function score(items: readonly Item[], interests: string, pace: Pace): Promise<Score[]> {
  const wanted = readInterests(interests);
  if (wanted.length === 0) return scoreByCentrality(items, pace);
  const documents: { counts: Map<string, number>; length: number }[] = [];
  const spread = new Map<string, number>();
  for (const { title, text } of items) {
    const counts = await countWords(text, pace);
    for (const word of wordsOf(title)) counts.set(word, (counts.get(word) ?? 0) + TITLE_WEIGHT);
    for (const word of counts.keys()) spread.set(word, (spread.get(word) ?? 0) + 1);
    documents.push({ counts, length: [...counts.values()].reduce((sum, it) => sum + it, 0) });
  }
  const meanLength = documents.reduce((sum, it) => sum + it.length, 0) / Math.max(1, documents.length) || 1;
  const rarity = (word: string): number => {
    const seen = spread.get(word) ?? 0;
    return Math.log(1 + (items.length + UNSEEN_ITEMS - seen + 0.5) / (seen + 0.5));
  };
  return documents.map(({ counts, length }, index) => {
    let raw = 0;
    const matched: string[] = [];
    const against: string[] = [];
    for (const { phrase, words, sign } of wanted) {
      const found = words.filter((word) => counts.has(word));
      if (found.length === 0) continue;
      (sign > 0 ? matched : against).push(found.length === words.length ? phrase : found.join(' '));
      const weight = sign * (found.length / words.length);
      for (const word of found) {
        const times = counts.get(word) ?? 0;
        raw += (weight * rarity(word) * times * (K1 + 1)) / (times + K1 * (1 - B + (B * length) / meanLength));
      }
    }
    const reasons = [
      ...(matched.length > 0 ? [`matches ${matched.join(', ')}`] : []),
      ...(against.length > 0 ? [`unwanted: ${against.join(', ')}`] : []),
    ];
    return { index, score: round(raw > 0 ? raw / (raw + HALF) : 0), reason: reasons.join('; ') || 'no interest matched' };
  });
}

interface Interest {
  readonly phrase: string;
  readonly words: readonly string[];
  readonly sign: 1 | -1;
}

const UNWANTED = /^(?:no|not|nothing about|without|except|never|-|!)\s*/i;

function readInterests(interests: string): Interest[] {
  return interests
    .split(/[,;\n•|]|\band\b|\. /i)
    .map((phrase) => phrase.trim())
    .map((phrase): Interest => ({
      phrase: phrase.replace(UNWANTED, ''),
      words: [...new Set(wordsOf(phrase.replace(UNWANTED, '')))],
      sign: UNWANTED.test(phrase) ? -1 : 1,
    }))
    .filter(({ words }) => words.length > 0);
}

/** Without interests: what most of the items are about comes first, and of equals the earlier, for feeds list the newest first. */
async function scoreByCentrality(items: readonly Item[], pace: Pace): Promise<Score[]> {
  const vectors = await weigh(
    items.map(({ title, text }) => `${title}\n${text}`),
    pace,
  );
  const centre = await centroidOf(vectors, pace);
  return vectors.map((vector, index) => ({
    index,
    score: round(0.3 + 0.5 * Math.min(1, similarity(vector, centre)) + 0.2 * (1 - index / Math.max(1, items.length))),
    reason: 'no interests given; ranked by how much it shares with the others, and by place',
  }));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
