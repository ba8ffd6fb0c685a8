import type { Migration } from '#core/db/migration';
import type { Severity } from './contract.ts';

declare module '#core/db/store' {
  interface Tables {
    notification_notification: {
      id: string;
      key: string;
      severity: Severity;
      title: string;
      body: string;
      link: string | null;
      count: number;
      created_at: number;
      last_at: number;
      read_at: number | null;
    };
  }
}

export const notificationMigrations: readonly Migration[] = [
  {
    name: 'notifications-001-notification',
    ddl: [
      `create table notification_notification (
        id text primary key, key text not null, severity text not null check (severity in ('info', 'warning', 'critical')),
        title text not null, body text not null, link text, count integer not null check (count > 0),
        created_at integer not null, last_at integer not null, read_at integer) strict`,
      `create index notification_notification_key on notification_notification (key, created_at)`,
      `create index notification_notification_old on notification_notification (last_at)`,
    ],
  },
];
