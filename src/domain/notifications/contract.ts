import { z } from 'zod';
import { Done, endpoint, listOf, Page } from '#core/endpoint';

/** `info` is shown when the owner looks; `warning` and `critical` also go out by the default channel. */
export const Severity = z.enum(['info', 'warning', 'critical']);
export type Severity = z.infer<typeof Severity>;

export const Notification = z.object({
  id: z.string(),
  /** What it is about: the same key again within an hour is the same notification. */
  key: z.string(),
  severity: Severity,
  title: z.string(),
  body: z.string(),
  /** A page of the admin interface: `/runs/…`. */
  link: z.string().nullable(),
  /** How often it was told. */
  count: z.number(),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  lastAt: z.string(),
  readAt: z.string().nullable(),
});
export type Notification = z.infer<typeof Notification>;

export const listNotifications = endpoint({
  method: 'GET',
  path: '/api/notifications',
  grant: 'notifications:read',
  summary: 'What the program had to tell, newest first.',
  input: Page.extend({ unread: z.enum(['true', 'false']).optional() }),
  output: listOf(Notification),
});
export const readNotification = endpoint({
  method: 'POST',
  path: '/api/notifications/{id}/read',
  grant: 'notifications:write',
  summary: 'Marks a notification as read; `all` marks all.',
  input: z.strictObject({ id: z.string() }),
  output: Done,
});

declare module '#core/bus' {
  interface Events {
    /** New, or told again: then `count` is above 1. */
    'notification.told': { readonly notification: Notification };
    /** Null when all were. */
    'notification.read': { readonly id: string | null };
  }
}
