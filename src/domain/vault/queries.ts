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

export async function markUsed(tx: Db, name: string, at: number, uses: number): Promise<void> {
  await tx
    .updateTable('vault_secret')
    .set((eb) => ({ last_used_at: at, uses: eb('uses', '+', uses) }))
    .where('name', '=', name)
    .where('retires_at', 'is', null)
    .execute();
}

/** Gives a row another seal. */
export async function resealRow(
  tx: Db,
  { name, version }: SecretRow,
  sealed: Pick<SecretRow, 'key_id' | 'nonce' | 'sealed'>,
): Promise<void> {
  await tx.updateTable('vault_secret').set(sealed).where('name', '=', name).where('version', '=', version).execute();
}

/** Changes what is said of a secret, not its value. */
export async function describeSecret(
  tx: Db,
  name: string,
  set: Partial<Pick<SecretRow, 'scope' | 'hosts' | 'description' | 'expires_at'>>,
): Promise<void> {
  await tx.updateTable('vault_secret').set(set).where('name', '=', name).execute();
}

export type MasterRow = Tables['vault_master'];
export type RootRow = Tables['vault_root'];

export async function readMaster(db: Db): Promise<MasterRow | undefined> {
  return db.selectFrom('vault_master').selectAll().where('id', '=', 1).executeTakeFirst();
}

/** The first one wins. */
export async function putFirstMaster(tx: Db, row: MasterRow): Promise<void> {
  await tx
    .insertInto('vault_master')
    .values(row)
    .onConflict((on) => on.column('id').doNothing())
    .execute();
}

export async function updateMaster(tx: Db, set: Partial<MasterRow>): Promise<void> {
  await tx.updateTable('vault_master').set(set).where('id', '=', 1).execute();
}

/** Newest first. */
export async function allRoots(db: Db): Promise<RootRow[]> {
  return db.selectFrom('vault_root').selectAll().orderBy('generation', 'desc').execute();
}

export async function insertRoot(tx: Db, row: RootRow): Promise<void> {
  await tx
    .insertInto('vault_root')
    .values(row)
    .onConflict((on) => on.column('generation').doNothing())
    .execute();
}

export async function resealRoot(tx: Db, generation: number, sealed: Pick<RootRow, 'key_id' | 'nonce' | 'sealed'>): Promise<void> {
  await tx.updateTable('vault_root').set(sealed).where('generation', '=', generation).execute();
}
