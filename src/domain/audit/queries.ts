import { sql } from 'kysely';
import type { Db, Tables } from '#core/db/store';
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

export type CheckpointRow = Tables['audit_checkpoint'];

/** The newest checkpoint: the chain goes on after it. */
export async function lastCheckpoint(db: Db): Promise<CheckpointRow | undefined> {
  return db.selectFrom('audit_checkpoint').selectAll().orderBy('seq', 'desc').limit(1).executeTakeFirst();
}

export async function insertCheckpoint(tx: Db, row: CheckpointRow): Promise<void> {
  await tx.insertInto('audit_checkpoint').values(row).execute();
}

export async function entryAt(db: Db, seq: number): Promise<EntryRow | undefined> {
  return db.selectFrom('audit_entry').selectAll().where('seq', '=', seq).executeTakeFirst();
}

/** The newest entry before a time, or undefined. */
export async function lastBefore(db: Db, at: number): Promise<EntryRow | undefined> {
  return db.selectFrom('audit_entry').selectAll().where('at', '<', at).orderBy('seq', 'desc').limit(1).executeTakeFirst();
}

export async function countUntil(db: Db, seq: number): Promise<number> {
  const { count } = await db
    .selectFrom('audit_entry')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('seq', '<=', seq)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Deletes up to `limit` of the entries that a checkpoint covers; how many there were. */
export async function deleteUntil(tx: Db, seq: number, limit: number): Promise<number> {
  const rows = await tx.selectFrom('audit_entry').select('seq').where('seq', '<=', seq).orderBy('seq').limit(limit).execute();
  const last = rows.at(-1);
  if (last) await tx.deleteFrom('audit_entry').where('seq', '<=', last.seq).execute();
  return rows.length;
}

/** Newest first, before `cursor` (a seq). */
export async function findEntries(db: Db, filter: AuditFilter, limit: number, cursor: number | undefined): Promise<EntryRow[]> {
  const query = matching(db, filter).orderBy('seq', 'desc').limit(limit);
  return (cursor === undefined ? query : query.where('seq', '<', cursor)).execute();
}

/** Those of a filter after `seq` up to `until`, oldest first. */
export async function findAfter(db: Db, filter: AuditFilter, seq: number, until: number, limit: number): Promise<EntryRow[]> {
  return matching(db, filter).where('seq', '>', seq).where('seq', '<=', until).orderBy('seq').limit(limit).execute();
}

function matching(db: Db, { actor, action, resource, decision, from, to, q }: AuditFilter) {
  let query = db.selectFrom('audit_entry').selectAll();
  if (actor?.endsWith(':*')) query = query.where(sql<string>`substr(actor, 1, ${sql.lit(actor.length - 1)})`, '=', actor.slice(0, -1));
  else if (actor) query = query.where('actor', '=', actor);
  if (action?.endsWith('.*')) query = query.where(sql<string>`substr(action, 1, ${sql.lit(action.length - 1)})`, '=', action.slice(0, -1));
  else if (action) query = query.where('action', '=', action);
  if (resource?.endsWith(':*'))
    query = query.where(sql<string>`substr(resource, 1, ${sql.lit(resource.length - 1)})`, '=', resource.slice(0, -1));
  else if (resource) query = query.where('resource', '=', resource);
  if (decision) query = query.where('decision', '=', decision);
  if (from) query = query.where('at', '>=', Date.parse(from));
  if (to) query = query.where('at', '<', Date.parse(to));
  for (const word of q?.toLowerCase().split(/\s+/).filter(Boolean) ?? []) {
    const like = `%${word.replaceAll(/[\\%_]/g, '\\$&')}%`;
    query = query.where(sql<boolean>`lower(actor || ' ' || action || ' ' || resource || ' ' || details) like ${like} escape '\\'`);
  }
  return query;
}
