import type { Clock } from '#core/clock';
import type { AppError } from '#core/errors';
import type { DenialRecord, Log } from './ports.ts';

const QUIET_MS = 60_000;
const MOST_REMEMBERED = 500;

/** One refused request; `resource` is method and route pattern. */
export interface Denial {
  readonly actor: string;
  readonly resource: string;
  readonly error: AppError;
  /** Name in the client's certificate, where one is asked for. */
  readonly certificate?: string | undefined;
}

/** Records refusals, the same one at most once a minute: a hostile page may knock as often as it likes without filling the audit. */
export function createDenials({ audit, clock, log }: { audit: DenialRecord; clock: Clock; log: Log }): (denial: Denial) => void {
  const last = new Map<string, { at: number; since: number }>();

  return ({ actor, resource, error, certificate }) => {
    const key = `${actor} ${resource} ${error.code}`;
    const now = clock.now();
    const before = last.get(key);
    if (before && now - before.at < QUIET_MS) {
      before.since += 1;
      return;
    }
    last.delete(key);
    if (last.size >= MOST_REMEMBERED) last.delete(last.keys().next().value!);
    last.set(key, { at: now, since: 0 });
    const details = {
      code: error.code,
      ...error.details,
      ...(certificate !== undefined && { certificate }),
      ...(before?.since && { alsoSince: before.since }),
    };
    audit
      .record({ actor, action: 'http.refused', resource, decision: 'deny', details })
      .catch((cause: unknown) => log.error('a refusal could not be recorded', { cause }));
  };
}
