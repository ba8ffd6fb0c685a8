import type { ExpressionBuilder } from 'kysely';
import type { Db, Tables } from '#core/db/store';
import type { MemoryRow } from './tables.ts';

export interface ListFilter {
  readonly scope: string;
  readonly kind?: string | undefined;
  readonly pinned?: boolean | undefined;
  /** Those thrown away instead of those that are there. */
  readonly trash?: boolean | undefined;
}

/** Neither thrown away nor expired: what every read sees. */
function isAlive(now: number) {
  return (eb: ExpressionBuilder<Tables, 'memory_item'>) =>
    eb.and([eb('deleted_at', 'is', null), eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)])]);
}

/** False when the scope has the identity already. */
export async function insertItem(tx: Db, row: MemoryRow): Promise<boolean> {
  const made = await tx
    .insertInto('memory_item')
    .values(row)
    .onConflict((on) => on.columns(['scope', 'identity']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return made !== undefined;
}

/** Whatever its state: alive, expired or in the trash. */
export async function findByIdentity(db: Db, scope: string, identity: string): Promise<MemoryRow | undefined> {
  return db.selectFrom('memory_item').selectAll().where('scope', '=', scope).where('identity', '=', identity).executeTakeFirst();
}

/** Of these identities the known ones. What was thrown away is known still: it is not to be learnt again. */
export async function knownIdentities(db: Db, scope: string, identities: readonly string[], now: number): Promise<string[]> {
  const rows = await db
    .selectFrom('memory_item')
    .select('identity')
    .where('scope', '=', scope)
    .where('identity', 'in', identities)
    .where((eb) => eb.or([eb('deleted_at', 'is not', null), eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .execute();
  return rows.map(({ identity }) => identity);
}

export async function findItem(db: Db, scope: string, id: string, now: number): Promise<MemoryRow | undefined> {
  return db.selectFrom('memory_item').selectAll().where('id', '=', id).where('scope', '=', scope).where(isAlive(now)).executeTakeFirst();
}

/** In the trash too. */
export async function findAny(db: Db, scope: string, id: string): Promise<MemoryRow | undefined> {
  return db.selectFrom('memory_item').selectAll().where('id', '=', id).where('scope', '=', scope).executeTakeFirst();
}

export async function findItems(db: Db, ids: readonly string[], now: number): Promise<MemoryRow[]> {
  if (ids.length === 0) return [];
  return db.selectFrom('memory_item').selectAll().where('id', 'in', ids).where(isAlive(now)).execute();
}

/** Newest first, before `cursor` (an id). */
export async function listItems(
  db: Db,
  { scope, kind, pinned, trash }: ListFilter,
  now: number,
  limit: number,
  cursor: string | undefined,
): Promise<MemoryRow[]> {
  let query = db.selectFrom('memory_item').selectAll().where('scope', '=', scope).orderBy('id', 'desc').limit(limit);
  query = trash ? query.where('deleted_at', 'is not', null) : query.where(isAlive(now));
  if (kind) query = query.where('kind', '=', kind);
  if (pinned) query = query.where('pinned', '=', 1);
  if (cursor) query = query.where('id', '<', cursor);
  return query.execute();
}

export async function updateItem(tx: Db, id: string, change: Partial<MemoryRow>): Promise<void> {
  await tx.updateTable('memory_item').set(change).where('id', '=', id).execute();
}

export async function setEmbeddingModel(tx: Db, ids: readonly string[], model: string): Promise<void> {
  await tx.updateTable('memory_item').set({ embedding_model: model }).where('id', 'in', ids).execute();
}

export async function deleteItem(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('memory_item').where('id', '=', id).execute();
}

/** Expired before `now`, or thrown away before `trashedBefore`. */
export async function findSpent(db: Db, now: number, trashedBefore: number, limit: number): Promise<MemoryRow[]> {
  return db
    .selectFrom('memory_item')
    .selectAll()
    .where((eb) => eb.or([eb('expires_at', '<=', now), eb('deleted_at', '<=', trashedBefore)]))
    .limit(limit)
    .execute();
}

export async function countKinds(db: Db, now: number): Promise<{ scope: string; kind: string; count: number }[]> {
  const rows = await db
    .selectFrom('memory_item')
    .select(({ fn }) => ['scope', 'kind', fn.countAll<number>().as('count')])
    .where(isAlive(now))
    .groupBy(['scope', 'kind'])
    .orderBy('scope')
    .orderBy('kind')
    .execute();
  return rows.map((row) => ({ ...row, count: Number(row.count) }));
}

export async function countTrash(db: Db): Promise<number> {
  const row = await db
    .selectFrom('memory_item')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .where('deleted_at', 'is not', null)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}
