import { listRuns } from '#runs/contract';
import { listWorkflows, type WorkflowSummary } from '#workflows/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { chooseRuns, type Chosen } from './choose-runs.ts';

/** The workflow that ships as the first one; an owner who renames it keeps the word. */
const NAME = 'morning-briefing';

export interface Briefing extends Chosen {
  readonly workflow: WorkflowSummary;
}

/** The briefing and its runs; undefined while not known, null when there is no such workflow. */
export function useBriefing(): { readonly briefing: Briefing | null | undefined; readonly error: unknown; readonly retry: () => void } {
  const workflows = useEndpoint(listWorkflows, { limit: 500 });
  const workflow =
    workflows.data &&
    (workflows.data.items.find(({ name }) => name === NAME) ?? workflows.data.items.find(({ name }) => name.includes('briefing')) ?? null);
  const runs = useEndpoint(listRuns, { workflow: workflow?.id, limit: 20 }, { enabled: Boolean(workflow) });
  const retry = (): void => void (workflows.error ? workflows.refetch() : runs.refetch());
  const error = workflows.error ?? runs.error;
  if (workflow === null) return { briefing: null, error, retry };
  if (!workflow || !runs.data) return { briefing: undefined, error, retry };
  return { briefing: { workflow, ...chooseRuns(runs.data.items) }, error, retry };
}
