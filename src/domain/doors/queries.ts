import type { Db, Tables } from '#core/db/store';

export type CertificateRow = Tables['doors_certificate'];

export async function insertCertificate(tx: Db, row: CertificateRow): Promise<void> {
  await tx
    .insertInto('doors_certificate')
    .values(row)
    .onConflict((on) => on.column('serial').doNothing())
    .execute();
}

export async function allCertificates(db: Db): Promise<CertificateRow[]> {
  return db.selectFrom('doors_certificate').selectAll().orderBy('issued_at', 'desc').orderBy('serial').execute();
}

/** By its serial number or its fingerprint. */
export async function findCertificate(db: Db, id: string): Promise<CertificateRow | undefined> {
  return db
    .selectFrom('doors_certificate')
    .selectAll()
    .where((where) => where.or([where('serial', '=', id), where('fingerprint', '=', id)]))
    .executeTakeFirst();
}

/** False when it was revoked before. */
export async function markRevoked(tx: Db, serial: string, at: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('doors_certificate')
    .set({ revoked_at: at })
    .where('serial', '=', serial)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function markTold(tx: Db, serials: readonly string[], at: number): Promise<void> {
  await tx
    .updateTable('doors_certificate')
    .set({ told_at: at })
    .where('serial', 'in', [...serials])
    .execute();
}
