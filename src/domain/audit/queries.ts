import { sql } from 'kysely';
import type { Db } from '#core/db/store';
import type { AuditFilter } from './contract.ts';
import type { EntryRow } from './chain.ts';

/** Takes the next place in the chain; on a shared engine the row stays locked until the transaction ends. */
export async function takePlace(tx: Db): Promise<{ seq: number; hash: string }> {
  return tx
    .updateTable('audit_head')
    .set((eb) => ({ seq: eb('seq', '+', 1) }))
    .where('id', '=', 1)
    .returning(['seq', 'hash'])
    .executeTakeFirstOrThrow();
}

export async function insertEntry(tx: Db, row: EntryRow): Promise<void> {
  await tx.insertInto('audit_entry').values(row).execute();
  await tx.updateTable('audit_head').set({ hash: row.hash }).where('id', '=', 1).execute();
}

export async function readHead(db: Db): Promise<{ seq: number; hash: string } | undefined> {
  return db.selectFrom('audit_head').select(['seq', 'hash']).where('id', '=', 1).executeTakeFirst();
}

/** Entries after `seq` up to `until`, oldest first. */
export async function entriesAfter(db: Db, seq: number, until: number, limit: number): Promise<EntryRow[]> {
  return db.selectFrom('audit_entry').selectAll().where('seq', '>', seq).where('seq', '<=', until).orderBy('seq').limit(limit).execute();
}

/** Entries past the recorded end: there should be none. */
export async function entriesBeyond(db: Db, seq: number): Promise<EntryRow[]> {
  return db.selectFrom('audit_entry').selectAll().where('seq', '>', seq).orderBy('seq').limit(1).execute();
}

/** Newest first, before `cursor` (a seq). */
export async function findEntries(db: Db, filter: AuditFilter, limit: number, cursor: number | undefined): Promise<EntryRow[]> {
  const { actor, action, resource, decision, from, to } = filter;
  let query = db.selectFrom('audit_entry').selectAll().orderBy('seq', 'desc').limit(limit);
  if (cursor !== undefined) query = query.where('seq', '<', cursor);
  if (actor) query = query.where('actor', '=', actor);
  if (action?.endsWith('.*')) query = query.where(sql<string>`substr(action, 1, ${sql.lit(action.length - 1)})`, '=', action.slice(0, -1));
  else if (action) query = query.where('action', '=', action);
  if (resource) query = query.where('resource', '=', resource);
  if (decision) query = query.where('decision', '=', decision);
  if (from) query = query.where('at', '>=', Date.parse(from));
  if (to) query = query.where('at', '<', Date.parse(to));
  return query.execute();
}
