import { z } from 'zod';
import { ENVELOPE_RULE } from '#content';
import { shorten } from '#feeds';
import type { SkillContext } from '../contract.ts';
import { wrapMaterial } from '../material.ts';
import type { Item } from './items.ts';

/** What every step that scores may be told about it. */
export const scoreOptions = {
  interests: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('What the reader cares about, in words; "no …" counts against. The setting owner.interests when left out'),
  threshold: z.number().min(0).max(1).default(0.3).describe('Items that score less are left out'),
  maxItems: z.int().min(1).max(500).default(10).describe('The best so many are handed on'),
  keepAtLeast: z.int().min(0).max(500).default(0).describe('So many of the best are handed on even below the threshold'),
};

const ScoreOptions = z.strictObject(scoreOptions);
export type ScoreOptions = z.infer<typeof ScoreOptions>;

const Scores = z.object({
  scores: z.array(
    z.object({
      index: z.int().min(0).describe('The number in brackets before the item'),
      score: z.number().min(0).max(1).describe('0: of no interest; 0.5: somewhat; 1: exactly what the reader wants'),
      reason: z.string().describe('At most ten words'),
    }),
  ),
});
type Score = z.infer<typeof Scores>['scores'][number];

/** So many items share one call. */
const BATCH = 40;
const TOKENS_PER_SCORE = 60;
const LONGEST_TEXT = 400;
const MOST_NOTED = 100;

const SYSTEM = `You rate news items for one reader by the reader's interests. Judge each item by what it is about, not by how it praises itself. Use the whole range from 0 to 1. Give every item exactly one score.\n${ENVELOPE_RULE}`;

/** The best items by interest, the best first, each with its score and the reason. What the model forgot twice is kept, without a score, at the end. */
export async function scoreItems(items: readonly Item[], options: ScoreOptions, context: SkillContext): Promise<Item[]> {
  const interests = interestsOf(options, context);
  const scores = new Map<Item, Score>();
  for (let at = 0; at < items.length; at += BATCH) {
    const batch = items.slice(at, at + BATCH);
    await scoreBatch(batch, interests, scores, context);
    const forgotten = batch.filter((item) => !scores.has(item));
    if (forgotten.length > 0) await scoreBatch(forgotten, interests, scores, context);
  }
  const ranked = items
    .flatMap((item): (Item & { score: number })[] => {
      const found = scores.get(item);
      return found ? [{ ...item, score: found.score, reason: found.reason }] : [];
    })
    .toSorted((a, b) => b.score - a.score);
  const unscored = items.filter((item) => !scores.has(item)).map((item): Item => ({ ...item, reason: 'The model gave it no score' }));
  const wanted = ranked.filter(({ score }, place) => score >= options.threshold || place < options.keepAtLeast);
  const kept = [...wanted, ...unscored].slice(0, options.maxItems);
  const dropped = ranked.slice(wanted.length < options.maxItems ? wanted.length : options.maxItems);
  context.note('items.scored', {
    scored: ranked.length,
    unscored: unscored.length,
    kept: kept.length,
    threshold: options.threshold,
    leftOut: dropped.slice(0, MOST_NOTED).map(({ title, score, reason }) => ({ title, score, reason: reason ?? '' })),
  });
  return kept;
}

async function scoreBatch(batch: readonly Item[], interests: string, scores: Map<Item, Score>, context: SkillContext): Promise<void> {
  const texts = batch.map(({ title, summary }) => ({ title, text: shorten(summary ?? '', LONGEST_TEXT) }));
  const list = batch
    .map(({ title, feed }, index) => [`[${index}] ${title}${feed ? ` (${feed})` : ''}`, texts[index]!.text].filter(Boolean).join('\n'))
    .join('\n');
  const { value } = await context.llm.object({
    system: SYSTEM,
    prompt: `The reader's interests:\n${interests || '(none given: score by general importance)'}\n\nScore these ${batch.length} items:\n${wrapMaterial(list, 'feeds', context)}`,
    schema: Scores,
    schemaName: 'scores',
    maxOutputTokens: 500 + batch.length * TOKENS_PER_SCORE,
    task: { kind: 'score', items: texts, interests },
    signal: context.signal,
  });
  for (const score of value.scores) {
    const item = batch[score.index];
    if (item && !scores.has(item)) scores.set(item, score);
  }
}

function interestsOf({ interests }: ScoreOptions, context: SkillContext): string {
  const given = interests ?? context.setting<string | readonly string[]>('owner.interests');
  return typeof given === 'string' ? given.trim() : given.join(', ');
}
