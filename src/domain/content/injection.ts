import type { InjectionScore } from './contract.ts';

/** From here a text is suspicious: about one in twenty of the look-alikes is, and one in a hundred items of real feeds. */
export const FLAGGED = 0.65;

/**
 * How much a text looks as if it gave orders to a model: the worst passage of it, hidden and encoded ones included. Linear in the length
 * of the text; deletes nothing and decides nothing. Its words and weights are loaded when first used.
 */
export async function scoreInjection(text: string): Promise<InjectionScore> {
  const { judge } = await import('./injection/judge.ts');
  return judge(text);
}
