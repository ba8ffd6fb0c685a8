import { createHash } from 'node:crypto';
import type { AppError } from '#core/errors';

/** So long a question of policy stays open; after that it counts as refused. */
const ANSWER_MS = 3 * 86_400_000;

/** Which act of which run is asked about, in words the owner knows. */
export interface AskedBy {
  readonly runId: string;
  readonly step: string;
  /** `The step "send" of Morning briefing`. */
  readonly who: string;
}

/** What a `policy.ask` asks the owner; the same act of the same step is the same question, however often it is tried. */
export function policyQuestion(
  { details: { step: deeper, capability, resource, reason } }: AppError,
  { runId, step, who }: AskedBy,
  now: number,
) {
  const act = JSON.stringify([runId, step, deeper, capability, resource]);
  return {
    id: `policy-${createHash('sha256').update(act).digest('hex').slice(0, 32)}`,
    kind: 'policy' as const,
    question: `${who} wants to use ${String(capability)} on ${String(resource)}. ${String(reason)} Allow it?`,
    options: [
      { id: 'yes', label: 'Allow once' },
      ...(canBeAlways(resource) ? [{ id: 'always', label: 'Always allow this' }] : []),
      { id: 'no', label: 'Refuse' },
    ],
    expiresAt: now + ANSWER_MS,
  };
}

/** A resource with a blank or a star in it cannot be named exactly by a grant. */
function canBeAlways(resource: unknown): boolean {
  return typeof resource === 'string' && !/[\s*]/.test(resource);
}
