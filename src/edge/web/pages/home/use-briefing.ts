import { listRuns, type RunSummary } from '#runs/contract';
import { listWorkflows, type WorkflowSummary } from '#workflows/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';

/** The workflow that ships as the first one; an owner who renames it keeps the word. */
const NAME = 'morning-briefing';

export interface Briefing {
  readonly workflow: WorkflowSummary;
  /** The newest that succeeded. */
  readonly latest: RunSummary | null;
  /** The newest of all, when it is not `latest`: under way, failed or stopped. */
  readonly newest: RunSummary | null;
}

/** The briefing and its runs; undefined while not known, null when there is no such workflow. */
export function useBriefing(): { readonly briefing: Briefing | null | undefined; readonly error: unknown; readonly retry: () => void } {
  const workflows = useEndpoint(listWorkflows, { limit: 500 });
  const workflow = workflows.data && (workflows.data.items.find(({ name }) => name === NAME) ?? workflows.data.items.find(({ name }) => name.includes('briefing')) ?? null);
  const runs = useEndpoint(listRuns, { workflow: workflow?.id, limit: 20 }, { enabled: Boolean(workflow) });
  const retry = (): void => void (workflows.error ? workflows.refetch() : runs.refetch());
  const error = workflows.error ?? runs.error;
  if (workflow === null) return { briefing: null, error, retry };
  if (!workflow || !runs.data) return { briefing: undefined, error, retry };
  return { briefing: { workflow, ...chooseRuns(runs.data.items) }, error, retry };
}

/** Of runs, newest first: the one to show, and the one to tell of. Dry runs are neither. */
export function chooseRuns(runs: readonly RunSummary[]): Pick<Briefing, 'latest' | 'newest'> {
  const real = runs.filter(({ dryRun }) => !dryRun);
  const latest = real.find(({ status }) => status === 'succeeded') ?? null;
  const newest = real.find(({ status }) => status !== 'cancelled' || real.length === 1) ?? null;
  return { latest, newest: newest?.id === latest?.id ? null : newest };
}

/** `07:00` of a daily cron such as `0 7 * * *`; null for another rhythm. */
export function dailyTime({ triggers }: Pick<WorkflowSummary, 'triggers'>): string | null {
  for (const trigger of triggers) {
    const [, minute, hour] = (trigger.kind === 'cron' && /^(?:0\s+)?(\d{1,2})\s+(\d{1,2})\s+\*\s+\*\s+\S+$/.exec(trigger.expression.trim())) || [];
    if (minute !== undefined && hour !== undefined) return `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  }
  return null;
}

