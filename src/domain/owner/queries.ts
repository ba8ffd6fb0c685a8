import type { Db, Tables } from '#core/db/store';

export type SessionRow = Tables['owner_session'];
export type TokenRow = Tables['owner_token'];

export async function readPasswordHash(db: Db): Promise<string | undefined> {
  return (await db.selectFrom('owner_password').select('hash').executeTakeFirst())?.hash;
}

export async function putPasswordHash(tx: Db, hash: string, at: number): Promise<void> {
  await tx
    .insertInto('owner_password')
    .values({ id: 1, hash, set_at: at })
    .onConflict((on) => on.column('id').doUpdateSet({ hash, set_at: at }))
    .execute();
}

export async function insertLink(tx: Db, row: Tables['owner_login_link']): Promise<void> {
  await tx.deleteFrom('owner_login_link').where('expires_at', '<=', row.created_at).execute();
  await tx.insertInto('owner_login_link').values(row).execute();
}

/** Uses a link up; says whether there was one. */
export async function takeLink(tx: Db, codeHash: string, now: number): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('owner_login_link')
    .where('code_hash', '=', codeHash)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

export async function insertSession(tx: Db, row: SessionRow): Promise<void> {
  await tx.insertInto('owner_session').values(row).execute();
}

export async function findSession(db: Db, tokenHash: string): Promise<SessionRow | undefined> {
  return db.selectFrom('owner_session').selectAll().where('token_hash', '=', tokenHash).executeTakeFirst();
}

export async function allSessions(db: Db): Promise<SessionRow[]> {
  return db.selectFrom('owner_session').selectAll().orderBy('last_seen_at', 'desc').execute();
}

export async function touchSession(tx: Db, id: string, at: number): Promise<void> {
  await tx.updateTable('owner_session').set({ last_seen_at: at }).where('id', '=', id).execute();
}

export async function deleteSession(tx: Db, id: string): Promise<boolean> {
  return (await tx.deleteFrom('owner_session').where('id', '=', id).executeTakeFirst()).numDeletedRows > 0n;
}

export async function deleteOtherSessions(tx: Db, keepId: string | null): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('owner_session')
    .where('id', '<>', keepId ?? '')
    .executeTakeFirst();
  return Number(numDeletedRows);
}

export async function deleteOldSessions(tx: Db, now: number, idleBefore: number): Promise<void> {
  await tx
    .deleteFrom('owner_session')
    .where((eb) => eb.or([eb('expires_at', '<=', now), eb('last_seen_at', '<=', idleBefore)]))
    .execute();
}

export async function insertToken(tx: Db, row: TokenRow): Promise<void> {
  await tx.insertInto('owner_token').values(row).execute();
}

export async function findToken(db: Db, tokenHash: string): Promise<TokenRow | undefined> {
  return db.selectFrom('owner_token').selectAll().where('token_hash', '=', tokenHash).executeTakeFirst();
}

export async function allTokens(db: Db): Promise<TokenRow[]> {
  return db.selectFrom('owner_token').selectAll().orderBy('id').execute();
}

export async function touchToken(tx: Db, id: string, at: number): Promise<void> {
  await tx.updateTable('owner_token').set({ last_used_at: at }).where('id', '=', id).execute();
}

/** Those that end before a moment and of which the owner was not told. */
export async function endingTokens(db: Db, now: number, before: number): Promise<TokenRow[]> {
  return db
    .selectFrom('owner_token')
    .selectAll()
    .where('expires_at', '>', now)
    .where('expires_at', '<=', before)
    .where('warned_at', 'is', null)
    .execute();
}

export async function markWarned(tx: Db, id: string, at: number): Promise<void> {
  await tx.updateTable('owner_token').set({ warned_at: at }).where('id', '=', id).execute();
}

export async function deleteToken(tx: Db, id: string): Promise<TokenRow | undefined> {
  return tx.deleteFrom('owner_token').where('id', '=', id).returningAll().executeTakeFirst();
}

/** Counts one attempt and gives the window it fell into; a window that is over begins anew. */
export async function countAttempt(tx: Db, key: string, now: number, windowMs: number): Promise<{ attempts: number; since: number }> {
  return tx
    .insertInto('owner_throttle')
    .values({ key, attempts: 1, since: now })
    .onConflict((on) =>
      on.column('key').doUpdateSet((eb) => ({
        attempts: eb
          .case()
          .when('owner_throttle.since', '<=', now - windowMs)
          .then(1)
          .else(eb('owner_throttle.attempts', '+', 1))
          .end(),
        since: eb
          .case()
          .when('owner_throttle.since', '<=', now - windowMs)
          .then(now)
          .else(eb.ref('owner_throttle.since'))
          .end(),
      })),
    )
    .returning(['attempts', 'since'])
    .executeTakeFirstOrThrow();
}

export async function forgetAttempts(tx: Db, keys: readonly string[]): Promise<void> {
  await tx.deleteFrom('owner_throttle').where('key', 'in', keys).execute();
}

export async function forgetOldAttempts(tx: Db, before: number): Promise<void> {
  await tx.deleteFrom('owner_throttle').where('since', '<=', before).execute();
}
