import { assertFactor, route, type Route } from '#core/endpoint';
import type { Approvals } from './approvals.ts';
import { answerApproval, getApproval, listApprovals, listGrants } from './contract.ts';
import type { KnownGrant } from './grants.ts';

export interface PolicyRoutesDeps {
  readonly approvals: Approvals;
  /** Asked at each call: the catalogue is made of all routes, these among them. */
  readonly catalogue: () => readonly KnownGrant[];
}

export function policyRoutes({ approvals, catalogue }: PolicyRoutesDeps): readonly Route[] {
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
    route(listGrants, async () => ({ items: catalogue().map(({ grant, opens }) => ({ grant, opens: [...opens] })), next: null })),
  ];
}

function wayOf(callerId: string): string {
  if (callerId === 'owner') return 'web';
  return callerId === 'cli' ? 'cli' : 'api';
}
