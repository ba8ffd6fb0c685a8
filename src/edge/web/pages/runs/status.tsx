import type { RunStatus, RunSummary } from '#runs/contract';
import { runsWords } from '../../strings/runs.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';

export const STATUS_TONES: Readonly<Record<RunStatus, Tone>> = {
  queued: 'neutral',
  running: 'accent',
  waiting: 'warn',
  paused: 'neutral',
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'neutral',
};

export function StatusBadge({ status }: { readonly status: RunStatus }) {
  return (
    <Badge tone={STATUS_TONES[status]} live={status === 'running'}>
      {runsWords.status[status]}
    </Badge>
  );
}

/** What started a run, in a word or two; who by only where that is a name and no id. */
export function triggerWords({ trigger: { kind, by } }: Pick<RunSummary, 'trigger'>): string {
  const isName = by !== undefined && by !== 'owner' && by !== 'system' && !by.includes(':') && by.length <= 30;
  return isName ? `${runsWords.trigger[kind]} (${by})` : runsWords.trigger[kind];
}

/** How long a run took, or has been at it until `now`; null before it began. */
export function tookMs({ startedAt, endedAt }: Pick<RunSummary, 'startedAt' | 'endedAt'>, now: number): number | null {
  return startedAt === null ? null : (endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt);
}
