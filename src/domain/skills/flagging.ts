import { scoreInjection } from '#content';
import type { Json } from '#core/json';
import type { SkillContext } from './contract.ts';

/** About one ordinary text in a hundred scores as much. */
const WORTH_TELLING = 0.9;
const SHORTEST = 20;
/** What is longer in all is judged by its beginning: this is a hint for people, and decides nothing. */
const MOST_CHARS = 200_000;
const SAMPLE_CHARS = 200;

/** Writes into the journal that something which was read looks like orders to a model, with why: the worst of its texts. */
export async function flagOrders(output: Json, note: SkillContext['note']): Promise<void> {
  let left = MOST_CHARS;
  let worst = { score: 0, reasons: [] as readonly string[], text: '' };
  for (const text of textsIn(output)) {
    if (text.length < SHORTEST) continue;
    if (left <= 0) break;
    const piece = text.slice(0, left);
    left -= piece.length;
    const { score, reasons } = await scoreInjection(piece);
    if (score > worst.score) worst = { score, reasons, text: piece };
  }
  if (worst.score >= WORTH_TELLING)
    note('content.flagged', { score: worst.score, reasons: [...worst.reasons], text: worst.text.slice(0, SAMPLE_CHARS).toWellFormed() });
}

function textsIn(value: Json): string[] {
  if (typeof value === 'string') return [value];
  if (value === null || typeof value !== 'object') return [];
  return Object.values(value).flatMap((each) => textsIn(each as Json));
}
