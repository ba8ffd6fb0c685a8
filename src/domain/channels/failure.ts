import { AppError } from '#core/errors';

/**
 * How sending may fail, as codes of AppError. `channel.outcome_unknown` alone leaves open whether the message arrived;
 * after any other it surely did not.
 * - `channel.limited`: the platform asks to wait `details.retryAfterMs`
 * - `channel.unreachable`: no connection was made
 * - `channel.blocked`: this chat does not take our messages any more
 * - `channel.refused`: the platform does not take this message
 * - `channel.unauthorized`: the credentials are not good
 */
export const outcomeUnknown = 'channel.outcome_unknown';

export function failureCode(error: unknown): string {
  return error instanceof AppError ? error.code : 'internal';
}

/** How long the platform wants us to wait, or null when it did not say so. */
export function retryAfterMs(error: unknown): number | null {
  if (!(error instanceof AppError) || error.code !== 'channel.limited') return null;
  const wait = error.details['retryAfterMs'];
  return typeof wait === 'number' ? wait : 1_000;
}

/** Trying the same again later may help. */
export function isPassing(error: unknown): boolean {
  const code = failureCode(error);
  return code === 'channel.limited' || code === 'channel.unreachable' || code === 'channel.not_running';
}

/** An error after which the message surely did not arrive, named as the effects of a run want it. */
export class NotSent extends AppError {
  override readonly name = 'EffectNotDone';

  constructor({ kind, code, message, details }: AppError) {
    super(kind, code, message, details);
  }
}
