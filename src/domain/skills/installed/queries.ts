import type { Db } from '#core/db/store';
import type { InstalledRow } from '../tables.ts';

export function allInstalled(db: Db): Promise<InstalledRow[]> {
  return db.selectFrom('skill_installed').selectAll().orderBy('name').execute();
}

/** A row of that name, whatever its state. */
export function findInstalled(db: Db, name: string): Promise<InstalledRow | undefined> {
  return db.selectFrom('skill_installed').selectAll().where('name', '=', name).executeTakeFirst();
}

export async function putInstalled(db: Db, row: InstalledRow): Promise<void> {
  const { name: _, ...rest } = row;
  await db
    .insertInto('skill_installed')
    .values(row)
    .onConflict((on) => on.column('name').doUpdateSet(rest))
    .execute();
}

export async function setInstalledState(db: Db, name: string, set: Pick<InstalledRow, 'state' | 'reason' | 'changed_at'>): Promise<void> {
  await db.updateTable('skill_installed').set(set).where('name', '=', name).execute();
}
