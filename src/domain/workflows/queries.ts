import type { Db } from '#core/db/store';

const present = (db: Db) =>
  db
    .selectFrom('workflow_workflow as w')
    .innerJoin('workflow_version as v', (join) => join.onRef('v.workflow_id', '=', 'w.id').onRef('v.version', '=', 'w.version'))
    .select(['w.id', 'w.name', 'w.title', 'w.enabled', 'w.version', 'w.created_at', 'w.updated_at', 'v.definition'])
    .where('w.deleted_at', 'is', null);

export type WorkflowRow = Awaited<ReturnType<typeof listWorkflowRows>>[number];

export const listWorkflowRows = (db: Db, after: string | undefined, limit: number) => {
  const query = present(db).orderBy('w.name').limit(limit);
  return (after ? query.where('w.name', '>', after) : query).execute();
};
export const findWorkflow = (db: Db, idOrName: string) =>
  present(db)
    .where((eb) => eb.or([eb('w.id', '=', idOrName), eb('w.name', '=', idOrName)]))
    .executeTakeFirst();
/** The latest is kept when a workflow is deleted, for its runs speak of it. */
export const findEvenDeleted = (db: Db, id: string) =>
  db.selectFrom('workflow_workflow').select('id').where('id', '=', id).executeTakeFirst();
export const findVersion = (db: Db, workflowId: string, version: number) =>
  db.selectFrom('workflow_version').selectAll().where('workflow_id', '=', workflowId).where('version', '=', version).executeTakeFirst();
export const versionsOf = (db: Db, workflowId: string) =>
  db
    .selectFrom('workflow_version')
    .select(['version', 'saved_at', 'saved_by'])
    .where('workflow_id', '=', workflowId)
    .orderBy('version', 'desc')
    .execute();
export const insertVersion = (
  db: Db,
  row: { workflow_id: string; version: number; definition: string; saved_at: number; saved_by: string },
) => db.insertInto('workflow_version').values(row).execute();

/** Deleted ones too. */
export async function anyWorkflow(db: Db): Promise<boolean> {
  return (await db.selectFrom('workflow_workflow').select('id').limit(1).executeTakeFirst()) !== undefined;
}
