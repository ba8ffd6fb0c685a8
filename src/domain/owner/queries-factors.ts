import type { Db, Tables } from '#core/db/store';

export type TotpRow = Tables['owner_totp'];
export type PasskeyRow = Tables['owner_passkey'];
export type ChallengeRow = Tables['owner_challenge'];

export async function findTotp(db: Db, state: TotpRow['state']): Promise<TotpRow | undefined> {
  return db.selectFrom('owner_totp').selectAll().where('state', '=', state).executeTakeFirst();
}

export async function putTotp(tx: Db, row: TotpRow): Promise<void> {
  await deleteTotp(tx, row.state);
  await tx.insertInto('owner_totp').values(row).execute();
}

export async function deleteTotp(tx: Db, state: TotpRow['state']): Promise<void> {
  await tx.deleteFrom('owner_totp').where('state', '=', state).execute();
}

/** Marks a time step as used; false when it, or a later one, was used before. */
export async function useStep(tx: Db, step: number, now: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('owner_totp')
    .set({ last_step: step, last_used_at: now })
    .where('state', '=', 'active')
    .where('last_step', '<', step)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function allPasskeys(db: Db): Promise<PasskeyRow[]> {
  return db.selectFrom('owner_passkey').selectAll().orderBy('created_at').orderBy('id').execute();
}

export async function findPasskey(db: Db, credentialId: string): Promise<PasskeyRow | undefined> {
  return db.selectFrom('owner_passkey').selectAll().where('credential_id', '=', credentialId).executeTakeFirst();
}

export async function insertPasskey(tx: Db, row: PasskeyRow): Promise<void> {
  await tx.insertInto('owner_passkey').values(row).execute();
}

/** Moves the counter on; false when another use came between that counted as far. */
export async function usePasskey(tx: Db, id: string, before: number, counter: number, now: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('owner_passkey')
    .set({ counter, last_used_at: now })
    .where('id', '=', id)
    .where('counter', '=', before)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function renamePasskey(tx: Db, id: string, name: string): Promise<PasskeyRow | undefined> {
  return tx.updateTable('owner_passkey').set({ name }).where('id', '=', id).returningAll().executeTakeFirst();
}

export async function deletePasskey(tx: Db, id: string): Promise<PasskeyRow | undefined> {
  return tx.deleteFrom('owner_passkey').where('id', '=', id).returningAll().executeTakeFirst();
}

export async function replaceRecoveryCodes(tx: Db, hashes: readonly string[], now: number): Promise<void> {
  await tx.deleteFrom('owner_recovery_code').execute();
  if (hashes.length > 0)
    await tx
      .insertInto('owner_recovery_code')
      .values(hashes.map((code_hash) => ({ code_hash, created_at: now, used_at: null })))
      .execute();
}

export async function recoveryCodes(db: Db): Promise<{ left: number; createdAt: number | null }> {
  const rows = await db.selectFrom('owner_recovery_code').select(['created_at', 'used_at']).execute();
  return { left: rows.filter(({ used_at }) => used_at === null).length, createdAt: rows[0]?.created_at ?? null };
}

/** Uses a recovery code up; false for one that is unknown or used. */
export async function useRecoveryCode(tx: Db, hash: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('owner_recovery_code')
    .set({ used_at: now })
    .where('code_hash', '=', hash)
    .where('used_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function insertChallenge(tx: Db, row: ChallengeRow): Promise<void> {
  await tx.deleteFrom('owner_challenge').where('expires_at', '<=', row.created_at).execute();
  await tx.insertInto('owner_challenge').values(row).execute();
}

/** Counts an attempt before it is judged, and gives the challenge as it is then. */
export async function attemptChallenge(tx: Db, idHash: string): Promise<ChallengeRow | undefined> {
  return tx
    .updateTable('owner_challenge')
    .set((eb) => ({ attempts: eb('attempts', '+', 1) }))
    .where('id_hash', '=', idHash)
    .returningAll()
    .executeTakeFirst();
}

/** Takes a challenge away; undefined when it was taken before. */
export async function takeChallenge(tx: Db, idHash: string): Promise<ChallengeRow | undefined> {
  return tx.deleteFrom('owner_challenge').where('id_hash', '=', idHash).returningAll().executeTakeFirst();
}

export async function deleteAllFactors(tx: Db): Promise<void> {
  await tx.deleteFrom('owner_totp').execute();
  await tx.deleteFrom('owner_passkey').execute();
  await tx.deleteFrom('owner_recovery_code').execute();
  await tx.deleteFrom('owner_challenge').execute();
}
