import { z } from 'zod';
import type { Db } from '#core/db/store';
import type { Approval } from './contract.ts';
import { ContentLabel } from './grant-shapes.ts';
import { canonicalPattern } from './patterns.ts';
import type { Policy } from './policy.ts';

/** An answer to a run holds so long, if the run is so slow. */
const ANSWER_HOLDS_MS = 7 * 86_400_000;

/** What `refusal.ts` says of a question, read back from its approval. */
const Asked = z.object({
  principal: z.string(),
  capability: z.string(),
  resource: z.string(),
  link: z.string().nullable(),
  beyond: z.array(ContentLabel),
  labels: z.array(ContentLabel),
  /** Where it was asked, when that is deeper than the step that waits: a skill that was called by a skill. */
  step: z.string().nullable(),
});

/**
 * Makes the grants that a yes to a question of policy means: one for this run and step alone; with "always" also one for exactly this
 * principal, capability and resource, with the labels that were at hand. Answers the name of the lasting one.
 */
export function settleAnswers(
  policy: Pick<Policy, 'grant' | 'answerOnce'>,
  now: () => number,
): (tx: Db, approval: Approval, by: string) => Promise<string | null> {
  return async (tx, { id, kind, answer, runId, step, details }, by) => {
    if (kind !== 'policy' || (answer !== 'yes' && answer !== 'always') || runId === null || step === null) return null;
    const { principal, capability, resource, link, beyond, labels, step: deeper } = Asked.parse(details);
    const expiresAt = new Date(now() + ANSWER_HOLDS_MS).toISOString();
    await policy.answerOnce(
      { capability, resource, principal: link ?? principal, expiresAt },
      { run: runId, step: deeper ?? step, approvalId: id, by },
      tx,
    );
    if (answer === 'yes' || resource.includes('*') || canonicalPattern(resource) !== resource) return null;
    const taken = labels.filter((label) => label === 'untrusted' || label === 'private');
    const grant = await policy.grant(
      {
        principal: link ?? principal,
        capability,
        resource,
        effect: 'allow',
        conditions: beyond.length > 0 ? { labels: taken } : {},
        reason: 'Answered "always allow this"',
      },
      { by, origin: 'approval', approvalId: id },
      tx,
    );
    return `grant:${grant.id}`;
  };
}
