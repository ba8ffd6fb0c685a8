import type { Db, Tables } from '#core/db/store';

export type NotificationRow = Tables['notification_notification'];

/** The newest of this key that was told first after `since`. */
export async function findRecent(db: Db, key: string, since: number): Promise<NotificationRow | undefined> {
  return db
    .selectFrom('notification_notification')
    .selectAll()
    .where('key', '=', key)
    .where('created_at', '>', since)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
}

export async function insertNotification(tx: Db, row: NotificationRow): Promise<void> {
  await tx.insertInto('notification_notification').values(row).execute();
}

export async function updateNotification(tx: Db, id: string, set: Partial<NotificationRow>): Promise<boolean> {
  const { numUpdatedRows } = await tx.updateTable('notification_notification').set(set).where('id', '=', id).executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function markAllRead(tx: Db, at: number): Promise<void> {
  await tx.updateTable('notification_notification').set({ read_at: at }).where('read_at', 'is', null).execute();
}

export async function deleteBefore(tx: Db, at: number): Promise<void> {
  await tx.deleteFrom('notification_notification').where('last_at', '<', at).execute();
}

/** Newest first, before `cursor` (an id). */
export async function findNotifications(db: Db, isUnread: boolean, limit: number, cursor: string | undefined): Promise<NotificationRow[]> {
  let query = db.selectFrom('notification_notification').selectAll().orderBy('id', 'desc').limit(limit);
  if (isUnread) query = query.where('read_at', 'is', null);
  if (cursor !== undefined) query = query.where('id', '<', cursor);
  return query.execute();
}
