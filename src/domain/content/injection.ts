import type { InjectionScore } from './contract.ts';

/** From here a text is flagged: about one ordinary text in twenty is. */
export const FLAGGED = 0.5;

/**
 * How much a text looks as if it gave orders to a model: the worst passage of it, hidden and encoded ones included. Linear in the length
 * of the text; deletes nothing and decides nothing. Its words and weights are loaded when first used.
 */
export async function scoreInjection(text: string): Promise<InjectionScore> {
  const { judge } = await import('./injection/judge.ts');
  return judge(text);
}
