import type { Db } from '#core/db/store';
import type { RunKind, RunStatus } from './contract.ts';
import type { EffectRow, RunRow, StepRow } from './tables.ts';

export const insertRun = (db: Db, row: RunRow) => db.insertInto('run_run').values(row).execute();
export const findRun = (db: Db, id: string) => db.selectFrom('run_run').selectAll().where('id', '=', id).executeTakeFirst();
export const findRunByKey = (db: Db, key: string) =>
  db.selectFrom('run_run').selectAll().where('idempotency_key', '=', key).executeTakeFirst();
export const updateRun = (db: Db, id: string, set: Partial<RunRow>) => db.updateTable('run_run').set(set).where('id', '=', id).execute();

export interface RunFilter {
  readonly workflowId?: string | undefined;
  readonly status?: RunStatus | undefined;
  readonly kind?: RunKind | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

export function listRunRows(db: Db, { workflowId, status, kind, before, limit }: RunFilter): Promise<RunRow[]> {
  let query = db.selectFrom('run_run').selectAll().orderBy('id', 'desc').limit(limit);
  if (workflowId) query = query.where('workflow_id', '=', workflowId);
  if (status) query = query.where('status', '=', status);
  if (kind) query = query.where('kind', '=', kind);
  if (before) query = query.where('id', '<', before);
  return query.execute();
}

/** Not over yet; by the partial index on exactly these. */
export const openRunsOf = (db: Db, workflowId: string) =>
  db.selectFrom('run_run').selectAll().where('workflow_id', '=', workflowId).where('ended_at', 'is', null).orderBy('id').execute();

export const insertStep = (db: Db, row: StepRow) => db.insertInto('run_step').values(row).execute();
export const updateStep = (db: Db, runId: string, path: string, set: Partial<StepRow>) =>
  db.updateTable('run_step').set(set).where('run_id', '=', runId).where('path', '=', path).execute();
export const stepsOf = (db: Db, runId: string) =>
  db.selectFrom('run_step').selectAll().where('run_id', '=', runId).orderBy('seq').execute();
export const waitingSteps = (db: Db, waitsFor: string) =>
  db
    .selectFrom('run_step')
    .selectAll()
    .where('waits_for', '=', waitsFor)
    .where('status', '=', 'waiting')
    .where('signal', 'is', null)
    .execute();
export const deleteSteps = (db: Db, runId: string, paths: readonly string[]) =>
  db.deleteFrom('run_step').where('run_id', '=', runId).where('path', 'in', paths).execute();

export const findEffect = (db: Db, key: string) => db.selectFrom('run_effect').selectAll().where('key', '=', key).executeTakeFirst();
export const insertEffect = (db: Db, row: EffectRow) => db.insertInto('run_effect').values(row).execute();
export const updateEffect = (db: Db, key: string, set: Partial<EffectRow>) =>
  db.updateTable('run_effect').set(set).where('key', '=', key).execute();
export const effectsOf = (db: Db, runId: string) =>
  db.selectFrom('run_effect').selectAll().where('run_id', '=', runId).orderBy('created_at').execute();

export const journalOf = (db: Db, runId: string) =>
  db.selectFrom('run_journal').selectAll().where('run_id', '=', runId).orderBy('seq').execute();

/** Appends one line; the sequence is the run's own. */
export async function appendJournal(db: Db, runId: string, at: number, type: string, step: string | null, data: string): Promise<void> {
  await db
    .insertInto('run_journal')
    .columns(['run_id', 'seq', 'at', 'type', 'step', 'data'])
    .expression((eb) =>
      eb
        .selectFrom('run_journal')
        .where('run_id', '=', runId)
        .select([
          eb.val(runId).as('run_id'),
          eb.fn.coalesce(eb(eb.fn.max('seq'), '+', 1), eb.lit(1)).as('seq'),
          eb.val(at).as('at'),
          eb.val(type).as('type'),
          eb.val(step).as('step'),
          eb.val(data).as('data'),
        ]),
    )
    .execute();
}

/** Runs that are over and older than the keep, or beyond the count of their workflow; oldest first. */
export async function expiredRuns(db: Db, endedBefore: number, keepPerWorkflow: number, limit: number): Promise<string[]> {
  const old = await db.selectFrom('run_run').select('id').where('ended_at', '<', endedBefore).orderBy('id').limit(limit).execute();
  const ranked = db
    .selectFrom('run_run')
    .select((eb) => [
      'id',
      eb.fn
        .agg<number>('row_number')
        .over((over) => over.partitionBy('workflow_id').orderBy('id', 'desc'))
        .as('place'),
    ])
    .where('ended_at', 'is not', null)
    .as('ranked');
  const surplus = await db.selectFrom(ranked).select('id').where('place', '>', keepPerWorkflow).orderBy('id').limit(limit).execute();
  return [...new Set([...old, ...surplus].map((row) => row.id))];
}

export async function deleteRuns(db: Db, ids: readonly string[]): Promise<void> {
  for (const table of ['run_step', 'run_effect', 'run_journal'] as const) await db.deleteFrom(table).where('run_id', 'in', ids).execute();
  await db.deleteFrom('run_run').where('id', 'in', ids).execute();
}
