import { route, type Route } from '#core/endpoint';
import { listNotifications, readNotification } from './contract.ts';
import type { Notifications } from './notifications.ts';

export function notificationRoutes(notifications: Notifications): readonly Route[] {
  return [
    route(listNotifications, ({ limit, cursor, unread }) => notifications.list({ limit, cursor, isUnread: unread === 'true' })),
    route(readNotification, async ({ id }) => {
      await (id === 'all' ? notifications.readAll() : notifications.read(id));
      return { ok: true as const };
    }),
  ];
}
