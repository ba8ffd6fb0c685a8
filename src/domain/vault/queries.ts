import type { Db, Tables } from '#core/db/store';

export type SecretRow = Tables['vault_secret'];

/** Every version of every secret, newest first within a name. */
export async function allRows(db: Db): Promise<SecretRow[]> {
  return db.selectFrom('vault_secret').selectAll().orderBy('name').orderBy('version', 'desc').execute();
}

/** The versions of one secret, newest first. */
export async function rowsOf(db: Db, name: string): Promise<SecretRow[]> {
  return db.selectFrom('vault_secret').selectAll().where('name', '=', name).orderBy('version', 'desc').execute();
}

export async function insertRow(tx: Db, row: SecretRow): Promise<void> {
  await tx.insertInto('vault_secret').values(row).execute();
}

/** Lets the current version of a name go on until `retiresAt`. */
export async function retireCurrent(tx: Db, name: string, retiresAt: number): Promise<void> {
  await tx.updateTable('vault_secret').set({ retires_at: retiresAt }).where('name', '=', name).where('retires_at', 'is', null).execute();
}

export async function deleteRetired(tx: Db, now: number): Promise<void> {
  await tx.deleteFrom('vault_secret').where('retires_at', '<=', now).execute();
}

export async function deleteSecret(tx: Db, name: string): Promise<void> {
  await tx.deleteFrom('vault_secret').where('name', '=', name).execute();
}

export async function markUsed(tx: Db, name: string, at: number): Promise<void> {
  await tx.updateTable('vault_secret').set({ last_used_at: at }).where('name', '=', name).where('retires_at', 'is', null).execute();
}
