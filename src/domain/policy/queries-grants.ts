import type { Db, Tables } from '#core/db/store';

export type GrantRow = Tables['policy_grant'];

export async function insertGrant(tx: Db, row: GrantRow): Promise<void> {
  await tx.insertInto('policy_grant').values(row).execute();
}

export async function findGrant(db: Db, id: string): Promise<GrantRow | undefined> {
  return db.selectFrom('policy_grant').selectAll().where('id', '=', id).executeTakeFirst();
}

/** What may be in force at a moment, answers to single questions among them. */
export async function grantsInForce(db: Db, at: number): Promise<GrantRow[]> {
  return db
    .selectFrom('policy_grant')
    .selectAll()
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', at)]))
    .where((eb) => eb.or([eb('once', '=', 0), eb('used_at', 'is', null)]))
    .orderBy('id')
    .execute();
}

/** Newest first, before `cursor` (an id); answers to single questions left out. */
export async function findGrants(
  db: Db,
  filter: { readonly principal?: string | undefined; readonly all?: boolean | undefined },
  at: number,
  limit: number,
  cursor: string | undefined,
): Promise<GrantRow[]> {
  let query = db.selectFrom('policy_grant').selectAll().where('run_id', 'is', null).orderBy('id', 'desc').limit(limit);
  if (filter.principal !== undefined) query = query.where('principal', '=', filter.principal);
  if (!filter.all)
    query = query
      .where('revoked_at', 'is', null)
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', at)]))
      .where((eb) => eb.or([eb('once', '=', 0), eb('used_at', 'is', null)]));
  if (cursor !== undefined) query = query.where('id', '<', cursor);
  return query.execute();
}

/** Takes it out of force; false when it already was. */
export async function revokeGrant(tx: Db, id: string, at: number, by: string): Promise<boolean> {
  const done = await tx
    .updateTable('policy_grant')
    .set({ revoked_at: at, revoked_by: by })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

/** The first use of a grant that is good for one; false when somebody else had it. */
export async function useOnce(tx: Db, id: string, at: number): Promise<boolean> {
  const done = await tx
    .updateTable('policy_grant')
    .set({ used_at: at })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

export async function insertUse(tx: Db, id: string, grantId: string, at: number): Promise<void> {
  await tx.insertInto('policy_use').values({ id, grant_id: grantId, at }).execute();
}

export async function usesOf(db: Db, grantIds: readonly string[]): Promise<{ grant_id: string; at: number }[]> {
  if (grantIds.length === 0) return [];
  return db.selectFrom('policy_use').select(['grant_id', 'at']).where('grant_id', 'in', grantIds).orderBy('at').execute();
}

/** Uses that count no more, and answers to single questions whose time was over. */
export async function deleteStale(tx: Db, at: number): Promise<void> {
  await tx.deleteFrom('policy_use').where('at', '<', at).execute();
  await tx.deleteFrom('policy_grant').where('run_id', 'is not', null).where('expires_at', '<', at).execute();
}

/** Changes with every grant made, used up or revoked, whichever process did it. */
export async function tableState(db: Db): Promise<string> {
  const { count, created, revoked, used } = await db
    .selectFrom('policy_grant')
    .select((eb) => [
      eb.fn.countAll().as('count'),
      eb.fn.max('created_at').as('created'),
      eb.fn.max('revoked_at').as('revoked'),
      eb.fn.max('used_at').as('used'),
    ])
    .executeTakeFirstOrThrow();
  return [count, created, revoked, used].join();
}
