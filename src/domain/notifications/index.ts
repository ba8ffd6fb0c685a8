export { createNotifications, type Notice, type Notifications, type NotificationsDeps } from './notifications.ts';
export { notificationRoutes } from './routes.ts';
export { notificationMigrations } from './tables.ts';
