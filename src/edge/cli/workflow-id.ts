import type { Client } from '#core/client';
import { getWorkflow } from '#workflows/contract';

/** The id of a workflow by its name; an id is taken as it is, for the runs of a deleted one are still there. Throws `workflow.not_found`. */
export async function workflowId(client: Client, nameOrId: string): Promise<string> {
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(nameOrId)) return nameOrId;
  return (await client.call(getWorkflow, { id: nameOrId })).id;
}
