import type { Db, Tables } from '#core/db/store';

export type ConnectionRow = Tables['vault_connection'];
export type AttemptRow = Tables['vault_attempt'];

export async function allConnections(db: Db): Promise<ConnectionRow[]> {
  return db.selectFrom('vault_connection').selectAll().orderBy('name').execute();
}

export async function findConnection(db: Db, name: string): Promise<ConnectionRow | undefined> {
  return db.selectFrom('vault_connection').selectAll().where('name', '=', name).executeTakeFirst();
}

export async function insertConnection(tx: Db, row: ConnectionRow): Promise<void> {
  await tx.insertInto('vault_connection').values(row).execute();
}

export async function updateConnection(tx: Db, name: string, set: Partial<ConnectionRow>): Promise<void> {
  await tx.updateTable('vault_connection').set(set).where('name', '=', name).execute();
}

export async function deleteConnection(tx: Db, name: string): Promise<void> {
  await tx.deleteFrom('vault_attempt').where('connection', '=', name).execute();
  await tx.deleteFrom('vault_connection').where('name', '=', name).execute();
}

/** Takes the right to renew until a time; false when somebody has it. */
export async function takeRenewal(tx: Db, name: string, now: number, until: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('vault_connection')
    .set({ renewing_until: until })
    .where('name', '=', name)
    .where((eb) => eb.or([eb('renewing_until', 'is', null), eb('renewing_until', '<=', now)]))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function insertAttempt(tx: Db, row: AttemptRow): Promise<void> {
  await tx.insertInto('vault_attempt').values(row).execute();
}

/** Reads an attempt and takes it away: whoever comes second finds none. */
export async function takeAttempt(tx: Db, id: string): Promise<AttemptRow | undefined> {
  return tx.deleteFrom('vault_attempt').where('id', '=', id).returningAll().executeTakeFirst();
}

export async function allAttempts(db: Db): Promise<AttemptRow[]> {
  return db.selectFrom('vault_attempt').selectAll().orderBy('next_at').execute();
}

export async function updateAttempt(tx: Db, id: string, set: Partial<AttemptRow>): Promise<void> {
  await tx.updateTable('vault_attempt').set(set).where('id', '=', id).execute();
}

export async function deleteAttempts(tx: Db, now: number): Promise<void> {
  await tx.deleteFrom('vault_attempt').where('expires_at', '<=', now).execute();
}
