import type { Db } from '#core/db/store';
import type { ScheduleRow } from './tables.ts';

export const schedulesOf = (db: Db, workflowId: string | undefined) => {
  const query = db.selectFrom('schedule_schedule').selectAll().orderBy('id');
  return (workflowId === undefined ? query : query.where('workflow_id', '=', workflowId)).execute();
};
export const findSchedule = (db: Db, id: string) => db.selectFrom('schedule_schedule').selectAll().where('id', '=', id).executeTakeFirst();
export const insertSchedule = (db: Db, row: ScheduleRow) => db.insertInto('schedule_schedule').values(row).execute();
export const updateSchedule = (db: Db, id: string, set: Partial<ScheduleRow>) =>
  db.updateTable('schedule_schedule').set(set).where('id', '=', id).execute();
export const deleteSchedules = (db: Db, ids: readonly string[]) => db.deleteFrom('schedule_schedule').where('id', 'in', ids).execute();
export const dueSchedules = (db: Db, now: number) =>
  db.selectFrom('schedule_schedule').selectAll().where('enabled', '=', 1).where('next_at', '<=', now).orderBy('next_at').execute();
export async function earliestDue(db: Db): Promise<number | null> {
  const row = await db
    .selectFrom('schedule_schedule')
    .select(({ fn }) => fn.min('next_at').as('at'))
    .where('enabled', '=', 1)
    .executeTakeFirst();
  return row?.at ?? null;
}

/** False when somebody has decided this occurrence already. */
export async function claimOccurrence(
  db: Db,
  row: {
    id: string;
    schedule_id: string;
    due_at: number;
    status: 'started' | 'late' | 'missed_skipped' | 'missed_merged';
    reason: string;
    decided_at: number;
  },
): Promise<boolean> {
  const inserted = await db
    .insertInto('schedule_occurrence')
    .values({ ...row, run_id: null })
    .onConflict((on) => on.columns(['schedule_id', 'due_at']).doNothing())
    .returning('id')
    .execute();
  return inserted.length > 0;
}
export const setRun = (db: Db, id: string, runId: string) =>
  db.updateTable('schedule_occurrence').set({ run_id: runId }).where('id', '=', id).execute();
export const occurrencesOf = (db: Db, scheduleId: string, limit: number) =>
  db.selectFrom('schedule_occurrence').selectAll().where('schedule_id', '=', scheduleId).orderBy('due_at', 'desc').limit(limit).execute();
export const findOccurrence = (db: Db, id: string) =>
  db.selectFrom('schedule_occurrence').selectAll().where('id', '=', id).executeTakeFirst();
export const pruneOccurrences = (db: Db, before: number) => db.deleteFrom('schedule_occurrence').where('due_at', '<', before).execute();
