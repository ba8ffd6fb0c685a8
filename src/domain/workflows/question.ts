import { AppError, errorInfo, type ErrorInfo } from '#core/errors';
import type { Json } from '#core/json';
import { policyQuestion } from '#policy';
import type { StepRow } from '#runs';
import type { Live, Question } from './walk.ts';

/** What a step cannot go on without: the question, and the error that its row keeps until the answer is there. */
export type StepQuestion = Question & { readonly error: ErrorInfo };

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
        ...policyQuestion(error, { runId: row.run_id, step: row.path, who: `The step "${row.name}" of ${live.run.title}` }, now),
      };
    default:
      return null;
  }
}

/** As much again as the budget was, and at least what the call needs. */
export function extraUsd(details: Readonly<Record<string, unknown>> | undefined): number {
  return Math.max(Number(details?.['limitUsd'] ?? 0), Number(details?.['neededUsd'] ?? 0));
}
