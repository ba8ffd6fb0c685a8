import type { Db, Tables } from '#core/db/store';
import type { ApprovalStatus } from './contract.ts';

export type ApprovalRow = Tables['policy_approval'];
type Ending = Pick<ApprovalRow, 'status' | 'ended_at'> & Partial<Pick<ApprovalRow, 'answer' | 'note' | 'answered_by' | 'via'>>;

export async function insertApproval(tx: Db, row: ApprovalRow): Promise<void> {
  await tx.insertInto('policy_approval').values(row).execute();
}

export async function findApproval(db: Db, id: string): Promise<ApprovalRow | undefined> {
  return db.selectFrom('policy_approval').selectAll().where('id', '=', id).executeTakeFirst();
}

/** The pending one with this code, else the last that had it. */
export async function findByCode(db: Db, code: string): Promise<ApprovalRow | undefined> {
  const rows = await db.selectFrom('policy_approval').selectAll().where('code', '=', code).orderBy('created_at', 'desc').execute();
  return rows.find((row) => row.status === 'pending') ?? rows[0];
}

export async function isCodeTaken(db: Db, code: string): Promise<boolean> {
  return (
    (await db.selectFrom('policy_approval').select('id').where('code', '=', code).where('status', '=', 'pending').executeTakeFirst()) !==
    undefined
  );
}

/** Ends it if it is still pending, and, when a time is given, had not expired by then; says whether it did. */
export async function endApproval(tx: Db, id: string, ending: Ending, notExpiredAt?: number): Promise<boolean> {
  let update = tx.updateTable('policy_approval').set(ending).where('id', '=', id).where('status', '=', 'pending');
  if (notExpiredAt !== undefined) update = update.where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', notExpiredAt)]));
  return (await update.executeTakeFirst()).numUpdatedRows > 0n;
}

export async function pendingOfRun(db: Db, runId: string): Promise<ApprovalRow[]> {
  return db.selectFrom('policy_approval').selectAll().where('run_id', '=', runId).where('status', '=', 'pending').orderBy('id').execute();
}

/** Newest first, before `cursor` (an id). */
export async function findApprovals(
  db: Db,
  filter: { status?: ApprovalStatus | undefined; run?: string | undefined },
  limit: number,
  cursor: string | undefined,
): Promise<ApprovalRow[]> {
  let query = db.selectFrom('policy_approval').selectAll().orderBy('id', 'desc').limit(limit);
  if (filter.status) query = query.where('status', '=', filter.status);
  if (filter.run) query = query.where('run_id', '=', filter.run);
  if (cursor !== undefined) query = query.where('id', '<', cursor);
  return query.execute();
}
