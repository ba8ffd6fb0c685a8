import type { RunSummary } from '#runs/contract';
import type { WorkflowSummary } from '#workflows/contract';

export interface Chosen {
  /** The newest that succeeded. */
  readonly latest: RunSummary | null;
  /** The newest of all, when it is not `latest`: under way, failed or stopped. */
  readonly newest: RunSummary | null;
}

/** Of runs, newest first: the one to show, and the one to tell of. Dry runs are neither. */
export function chooseRuns(runs: readonly RunSummary[]): Chosen {
  const real = runs.filter(({ dryRun }) => !dryRun);
  const latest = real.find(({ status }) => status === 'succeeded') ?? null;
  const newest = real.find(({ status }) => status !== 'cancelled' || real.length === 1) ?? null;
  return { latest, newest: newest?.id === latest?.id ? null : newest };
}

/** `07:00` of a daily cron such as `0 7 * * *`; null for another rhythm. */
export function dailyTime({ triggers }: Pick<WorkflowSummary, 'triggers'>): string | null {
  for (const trigger of triggers) {
    const [, minute, hour] =
      (trigger.kind === 'cron' && /^(?:0\s+)?(\d{1,2})\s+(\d{1,2})\s+\*\s+\*\s+\S+$/.exec(trigger.expression.trim())) || [];
    if (minute !== undefined && hour !== undefined) return `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  }
  return null;
}
