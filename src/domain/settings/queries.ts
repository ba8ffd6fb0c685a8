import type { Db, Tables } from '#core/db/store';

export type ValueRow = Tables['settings_value'];
export type HistoryRow = Tables['settings_history'];

export async function allValues(db: Db): Promise<ValueRow[]> {
  return db.selectFrom('settings_value').selectAll().execute();
}

export async function putValue(tx: Db, row: ValueRow): Promise<void> {
  const { key: _, ...change } = row;
  await tx
    .insertInto('settings_value')
    .values(row)
    .onConflict((on) => on.column('key').doUpdateSet(change))
    .execute();
}

export async function deleteValue(tx: Db, key: string): Promise<void> {
  await tx.deleteFrom('settings_value').where('key', '=', key).execute();
}

export async function addHistory(tx: Db, row: HistoryRow): Promise<void> {
  await tx.insertInto('settings_history').values(row).execute();
}

/** Newest first. */
export async function historyOf(db: Db, key: string, limit: number): Promise<HistoryRow[]> {
  return db.selectFrom('settings_history').selectAll().where('key', '=', key).orderBy('id', 'desc').limit(limit).execute();
}

/** Keys that were ever changed: those are not seeded again. */
export async function keysWithHistory(db: Db): Promise<Set<string>> {
  const rows = await db.selectFrom('settings_history').select('key').distinct().execute();
  return new Set(rows.map((row) => row.key));
}
