import { listWorkflows } from '#workflows/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { policyWords } from '../../strings/policy.ts';

/** Principals by names that the owner knows: a workflow by its title, all of a kind in words. */
export function useNames(): (principal: string) => string {
  const workflows = useEndpoint(listWorkflows, { limit: 500 });
  return (principal) => {
    const every = /^(?:([a-z]+):)?\*$/.exec(principal);
    if (every) return (policyWords.every as Readonly<Record<string, string>>)[every[1] ?? 'all'] ?? principal;
    const id = /^workflow:(.+)$/.exec(principal)?.[1];
    const workflow = workflows.data?.items.find((each) => each.id === id);
    return workflow ? workflow.title : principal;
  };
}
