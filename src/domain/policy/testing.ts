import { createCapabilityTokens } from './capability-tokens.ts';
import { createDecider } from './decide.ts';
import type { PolicyRequest } from './decision.ts';
import type { Policy } from './policy.ts';
import { refusalOf } from './refusal.ts';
import { compileRule, type Rule } from './rules.ts';

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

/** The real decisions over a table that a test gives, with no store behind; keeps what it was asked. */
export function rulesOnly(
  ...rules: readonly Rule[]
): Pick<Policy, 'countsMoney' | 'decide' | 'enforce' | 'tokens'> & { readonly asked: PolicyRequest[] } {
  const decider = createDecider({ now: () => 0, node: 'test', usesOf: () => 0 });
  decider.load(rules.map(compileRule), []);
  const asked: PolicyRequest[] = [];
  return {
    asked,
    countsMoney: () => rules.some(({ conditions }) => conditions.budgetUsd !== undefined),
    tokens: createCapabilityTokens({ key: async () => new Uint8Array(32), now: () => 0 }),
    decide: decider.decide,
    async enforce(request) {
      asked.push(request);
      const decision = decider.decide(request);
      if (decision.effect !== 'allow') throw refusalOf(decision, request);
    },
  };
}

/** Lets everything through, for tests that are about something else. */
export const allowAll = (): ReturnType<typeof rulesOnly> =>
  rulesOnly(testRule('allow', '*', '*', { conditions: { labels: ['untrusted', 'private'] } }));
