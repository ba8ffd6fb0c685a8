import { AppError } from '#core/errors';
import { t } from '../strings.ts';

/** What to tell a person about an error. */
export function messageOf(error: unknown): string {
  if (error instanceof AppError) return error.code === 'agent.unreachable' ? t.error.unreachable : error.message;
  return t.error.unexpected;
}

/** The id of a bug report, when the agent gave one. */
export function reportId(error: unknown): string | null {
  const id = error instanceof AppError ? error.details['errorId'] : undefined;
  return typeof id === 'string' ? id : null;
}
