import { createHash } from 'node:crypto';
import { AppError, errorInfo, type ErrorInfo } from '#core/errors';
import type { Json } from '#core/json';
import type { StepRow } from '#runs';
import type { Live, Question } from './walk.ts';

/** What a step cannot go on without: the question, and the error that its row keeps until the answer is there. */
export type StepQuestion = Question & { readonly error: ErrorInfo };

/** So long a question of policy stays open; after that it counts as refused. */
const POLICY_ANSWER_MS = 3 * 86_400_000;

/** What only the owner can decide becomes a question; null for every other error. */
export function questionFor(error: unknown, live: Live, row: StepRow, now: number): StepQuestion | null {
  if (!(error instanceof AppError)) return null;
  const base = {
    runId: row.run_id,
    step: row.path,
    title: live.run.title,
    details: JSON.parse(JSON.stringify(error.details)) as Json,
    expiresAt: null,
    error: errorInfo(error),
  };
  switch (error.code) {
    case 'llm.over_budget':
      return {
        ...base,
        kind: 'budget',
        question: `${error.message} Allow $${extraUsd(error.details).toFixed(2)} more?`,
        options: [
          { id: 'raise', label: 'Allow it' },
          { id: 'stop', label: 'Stop' },
        ],
      };
    case 'effect.unknown':
      return {
        ...base,
        kind: 'effect_unknown',
        question: error.message,
        options: [
          { id: 'done', label: 'It happened' },
          { id: 'retry', label: 'It did not: do it' },
          { id: 'stop', label: 'Stop' },
        ],
      };
    case 'policy.ask':
      return {
        ...base,
        id: policyQuestionId(row, error.details),
        kind: 'policy',
        question: policyQuestion(live.run.title, row, error.details),
        options: [
          { id: 'yes', label: 'Allow once' },
          ...(canBeAlways(error.details) ? [{ id: 'always', label: 'Always allow this' }] : []),
          { id: 'no', label: 'Refuse' },
        ],
        expiresAt: now + POLICY_ANSWER_MS,
      };
    default:
      return null;
  }
}

/** The same act of the same step is the same question, however often the step is run. */
function policyQuestionId(row: StepRow, { capability, resource }: AppError['details']): string {
  const act = JSON.stringify([row.run_id, row.path, capability, resource]);
  return `policy-${createHash('sha256').update(act).digest('hex').slice(0, 32)}`;
}

function policyQuestion(title: string, row: StepRow, { capability, resource, reason }: AppError['details']): string {
  return `The step "${row.name}" of ${title} wants to use ${String(capability)} on ${String(resource)}. ${String(reason)} Allow it?`;
}

/** A resource with a blank or a star in it cannot be named exactly by a grant. */
function canBeAlways({ resource }: AppError['details']): boolean {
  return typeof resource === 'string' && !/[\s*]/.test(resource);
}

/** As much again as the budget was, and at least what the call needs. */
export function extraUsd(details: Readonly<Record<string, unknown>> | undefined): number {
  return Math.max(Number(details?.['limitUsd'] ?? 0), Number(details?.['neededUsd'] ?? 0));
}
