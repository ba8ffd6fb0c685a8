import { AppError } from '#core/errors';
import type { Decision, PolicyRequest } from './decision.ts';

/** `policy.denied`, or `policy.ask` where the owner may say yes; its details are what the question and the grant are made of. */
export function refusalOf(decision: Decision, { principal, capability, resource = '*', context = {} }: PolicyRequest): AppError {
  const { effect, rule, reason, link, beyond } = decision;
  const chain = context.chain ?? [];
  const details = {
    principal,
    chain,
    capability,
    resource,
    rule,
    reason,
    link,
    beyond,
    labels: context.labels ?? [],
    step: context.step ?? null,
  };
  if (effect === 'ask')
    return new AppError('forbidden', 'policy.ask', `${capability} on ${resource} needs the owner’s yes. ${reason}`, details);
  const who = link ?? principal;
  const hint = rule === null ? ` Grant it with: castellan policy allow ${who} ${capability} ${resource}` : '';
  return new AppError('forbidden', 'policy.denied', `${principal} may not use ${capability} on ${resource}. ${reason}${hint}`, details);
}
