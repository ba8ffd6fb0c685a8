import { AppError } from '#core/errors';
import type { Approvals } from './approvals.ts';
import type { Approval, Grant } from './contract.ts';
import type { Policy } from './policy.ts';

type Line = { readonly at: string | null; readonly text: string };

/** Why something was asked, allowed or refused: by the id of a question or a grant; null for any other id. */
export function explainDecision(deps: {
  readonly approvals: Pick<Approvals, 'get'>;
  readonly policy: Pick<Policy, 'get'>;
}): (id: string) => Promise<{ readonly title: string; readonly lines: readonly Line[] } | null> {
  return async (id) => {
    const approval = await deps.approvals.get(id).catch(nothing);
    if (approval) return { title: approval.title, lines: ofApproval(approval) };
    const grant = await deps.policy.get(id).catch(nothing);
    return grant && { title: `${grant.effect}: ${grant.principal}, ${grant.capability} on ${grant.resource}`, lines: ofGrant(grant) };
  };
}

function nothing(error: unknown): null {
  if (error instanceof AppError && error.kind === 'not_found') return null;
  throw error;
}

function ofApproval({ question, status, options, answer, answeredBy, via, createdAt, endedAt, runId, step }: Approval): Line[] {
  const asker = runId === null ? '' : ` by run ${runId}${step === null ? '' : `, step ${step}`}`;
  const ends: Readonly<Record<Approval['status'], string>> = {
    pending: 'It waits for an answer.',
    answered: `${answeredBy} answered "${options.find(({ id }) => id === answer)?.label ?? answer}" via ${via}.`,
    expired: 'Nobody answered in time, which counts as a no.',
    withdrawn: 'It was withdrawn: nobody needed the answer any more.',
  };
  return [
    { at: createdAt, text: `It was asked${asker}: ${question}` },
    { at: endedAt, text: ends[status] },
  ];
}

function ofGrant({ madeBy, createdAt, reason, approvalId, expiresAt, usedAt, revokedAt, revokedBy }: Grant): Line[] {
  return [
    {
      at: createdAt,
      text: `${madeBy} made it${approvalId === null ? '' : `, as the answer to question ${approvalId}`}${reason === '' ? '.' : `: ${reason}`}`,
    },
    ...(expiresAt === null ? [] : [{ at: expiresAt, text: 'Its time is over then.' }]),
    ...(usedAt === null ? [] : [{ at: usedAt, text: 'It was used, and was good for one use.' }]),
    ...(revokedAt === null ? [] : [{ at: revokedAt, text: `${revokedBy} revoked it.` }]),
  ];
}
