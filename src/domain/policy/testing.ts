import type { Rule } from './rules.ts';

/** Rules as the decider takes them, from the three words that matter. */
export function testRule(effect: Rule['effect'], principal: string, capability: string, more: Partial<Rule> = {}): Rule {
  return {
    id: `${effect}:${principal}:${capability}:${more.resource ?? '*'}`,
    principal,
    capability,
    resource: '*',
    effect,
    conditions: {},
    expiresAt: null,
    once: false,
    isStarter: false,
    createdAt: 0,
    ...more,
  };
}
