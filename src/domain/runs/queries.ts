import { prepared, preparedUpdate } from '#core/db/prepared';
import type { Db } from '#core/db/store';
import type { RunKind, RunStatus } from './contract.ts';
import type { EffectRow, RunRow, StepRow } from './tables.ts';

const RUN_COLUMNS = [
  'id',
  'kind',
  'status',
  'title',
  'workflow_id',
  'workflow_version',
  'parent_run_id',
  'trigger_json',
  'idempotency_key',
  'dry_run',
  'input',
  'output',
  'outcome',
  'error',
  'labels',
  'cost_usd',
  'created_at',
  'started_at',
  'ended_at',
  'wake_at',
] as const satisfies readonly (keyof RunRow)[];
export const insertRun = prepared<RunRow, unknown>(RUN_COLUMNS, (db, row) => db.insertInto('run_run').values(row));
const runById = prepared<{ id: string }, RunRow>(['id'], (db, { id }) => db.selectFrom('run_run').selectAll().where('id', '=', id));
export const findRun = async (db: Db, id: string): Promise<RunRow | undefined> => (await runById(db, { id }))[0];
export const findRunByKey = (db: Db, key: string) =>
  db.selectFrom('run_run').selectAll().where('idempotency_key', '=', key).executeTakeFirst();
const updateRunById = preparedUpdate<{ id: string }, Partial<RunRow>, RunRow>(['id'], (db, { id }, set) =>
  db.updateTable('run_run').set(set).where('id', '=', id).returningAll(),
);
/** The run as it is then; undefined when there is none. */
export const updateRun = async (db: Db, id: string, set: Partial<RunRow>): Promise<RunRow | undefined> =>
  (await updateRunById(db, { id }, set))[0];

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

/** One open run of a workflow beside `except`: one that is past the queue if there is any, else the oldest. */
const nextOpen = prepared<{ workflow: string; except: string }, Pick<RunRow, 'id' | 'status'>>(['workflow', 'except'], (db, it) =>
  db
    .selectFrom('run_run')
    .select(['id', 'status'])
    .where('workflow_id', '=', it.workflow)
    .where('ended_at', 'is', null)
    .where('id', '<>', it.except)
    .orderBy((eb) => eb.case().when('status', '=', 'queued').then(1).else(0).end())
    .orderBy('id')
    .limit(1),
);
export const nextOpenRun = async (db: Db, workflow: string, except: string) => (await nextOpen(db, { workflow, except }))[0];

const STEP_COLUMNS = [
  'run_id',
  'path',
  'seq',
  'name',
  'skill',
  'status',
  'attempt',
  'interruptions',
  'outcome',
  'next',
  'input',
  'output',
  'error',
  'labels',
  'taken',
  'cost_usd',
  'waits_for',
  'signal',
  'deferred',
  'started_at',
  'ended_at',
  'wake_at',
] as const satisfies readonly (keyof StepRow)[];
export const insertStep = prepared<StepRow, unknown>(STEP_COLUMNS, (db, row) => db.insertInto('run_step').values(row));
const updateStepAt = preparedUpdate<{ run: string; path: string }, Partial<StepRow>, unknown>(['run', 'path'], (db, of, set) =>
  db.updateTable('run_step').set(set).where('run_id', '=', of.run).where('path', '=', of.path),
);
export const updateStep = (db: Db, runId: string, path: string, set: Partial<StepRow>) => updateStepAt(db, { run: runId, path }, set);
const stepsByRun = prepared<{ run: string }, StepRow>(['run'], (db, { run }) =>
  db.selectFrom('run_step').selectAll().where('run_id', '=', run).orderBy('seq'),
);
export const stepsOf = (db: Db, run: string) => stepsByRun(db, { run });
/** The way through a run without what was carried along it. */
export type StepTrace = Pick<StepRow, 'path' | 'seq' | 'skill' | 'labels' | 'taken' | 'waits_for'>;
const traceByRun = prepared<{ run: string }, StepTrace>(['run'], (db, { run }) =>
  db.selectFrom('run_step').select(['path', 'seq', 'skill', 'labels', 'taken', 'waits_for']).where('run_id', '=', run).orderBy('seq'),
);
export const traceOf = (db: Db, run: string) => traceByRun(db, { run });
const outputAt = prepared<{ run: string; path: string }, Pick<StepRow, 'output'>>(['run', 'path'], (db, { run, path }) =>
  db.selectFrom('run_step').select('output').where('run_id', '=', run).where('path', '=', path),
);
export const outputOf = async (db: Db, run: string, path: string) => (await outputAt(db, { run, path }))[0]?.output ?? null;
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
