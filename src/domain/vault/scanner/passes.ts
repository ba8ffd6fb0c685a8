import { entropyOf, isStandIn, looksDrawn } from './randomness.ts';
import type { NamedRule, TokenRule } from './rule.ts';
import { isSample } from './samples.ts';

/** What a value of the right form must pass to be taken for a secret. */
export function passes(rule: TokenRule | NamedRule, value: string): boolean {
  if (rule.entropy !== undefined && entropyOf(value) < rule.entropy) return false;
  if (rule.drawn !== false && !looksDrawn(value)) return false;
  if ('examples' in rule) return true;
  return !(isStandIn(value) || (rule.cased && value.endsWith('EXAMPLE')) || isSample(value));
}
