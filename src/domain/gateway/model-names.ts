import { Tier } from '#llm/contract';
import type { CallDefaults } from '#llm/contract';

/** What vendors call their small models. */
const SMALL = /haiku|flash|mini|nano|lite|small|fast/i;

/**
 * What the name of a model means to the router: a tier is itself (`medium`, `castellan/heavy`); any other name goes to the provider that has such a
 * model, else to the tier of its size. `heavy` is never chosen by a name alone: programs ask for their vendor's largest model without asking anybody.
 */
export function wishOf(model: string): CallDefaults {
  const tier = Tier.safeParse(model.replace(/^castellan[/-]/, '').toLowerCase()).data;
  return tier ? { tier } : { tier: SMALL.test(model) ? 'light' : 'medium', model };
}
