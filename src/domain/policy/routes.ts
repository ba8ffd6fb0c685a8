import { assertFactor, route, type Route } from '#core/endpoint';
import type { Approvals } from './approvals.ts';
import {
  answerApproval,
  createPolicyGrant,
  explainPolicy,
  getApproval,
  getPolicyGrant,
  listApprovals,
  listGrants,
  listPolicyGrants,
  listStarterGrants,
  replacePolicyGrant,
  revokePolicyGrant,
} from './contract.ts';
import { assertAllowed, type KnownGrant } from './grants.ts';
import { typedResource } from './patterns.ts';
import type { Policy } from './policy.ts';

export interface PolicyRoutesDeps {
  readonly approvals: Approvals;
  readonly policy: Pick<Policy, 'explain' | 'get' | 'grant' | 'list' | 'replace' | 'revoke' | 'starters'>;
  /** What a principal's credential carries, for explaining: a token's grants. */
  readonly heldBy: (principal: string) => Promise<ReadonlySet<string> | undefined>;
  /** Asked at each call: the catalogue is made of all routes, these among them. */
  readonly catalogue: () => readonly KnownGrant[];
}

export function policyRoutes({ approvals, policy, heldBy, catalogue }: PolicyRoutesDeps): readonly Route[] {
  return [
    route(listApprovals, (query) => approvals.list(query)),
    route(getApproval, ({ id }) => approvals.get(id)),
    route(answerApproval, ({ id, option, note }, request) =>
      approvals.answer(id, option, {
        by: request.caller.id,
        via: wayOf(request.caller.id),
        note,
        verifyFactor: () => assertFactor(request),
      }),
    ),
    route(listPolicyGrants, (query) => policy.list(query)),
    route(listStarterGrants, async () => ({ items: [...policy.starters()] })),
    route(getPolicyGrant, ({ id }) => policy.get(id)),
    route(createPolicyGrant, (grant, { caller }) => {
      if (grant.effect === 'allow') assertAllowed(caller, grant.capability);
      return policy.grant(grant, { by: caller.id, origin: 'owner' });
    }),
    route(replacePolicyGrant, ({ id, grant }, { caller }) => {
      if (grant.effect === 'allow') assertAllowed(caller, grant.capability);
      return policy.replace(id, grant, caller.id);
    }),
    route(revokePolicyGrant, ({ id }, { caller }) => policy.revoke(id, caller.id)),
    route(explainPolicy, async ({ principal, capability, resource: typed, chain, labels, named, at }) => {
      const resource = typedResource(capability, typed);
      const held = await heldBy(chain[0] ?? principal);
      const context = { chain, labels, named, ...(held && { held }), ...(at !== undefined && { at: Date.parse(at) }) };
      const { effect, rule, reason, link, beyond, matching } = policy.explain({ principal, capability, resource, context });
      return { effect, rule, reason, link, beyond: [...beyond], resource, matching: [...matching] };
    }),
    route(listGrants, async () => ({ items: catalogue().map(({ grant, opens }) => ({ grant, opens: [...opens] })), next: null })),
  ];
}

function wayOf(callerId: string): string {
  if (callerId === 'owner') return 'web';
  return callerId === 'cli' ? 'cli' : 'api';
}
