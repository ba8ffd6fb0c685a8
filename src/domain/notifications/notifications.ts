import type { Delivery } from '#channels';
import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import type { Notification, Severity } from './contract.ts';
import {
  deleteBefore,
  findNotifications,
  findRecent,
  insertNotification,
  markAllRead,
  updateNotification,
  type NotificationRow,
} from './queries.ts';

const SAME_WITHIN_MS = 3_600_000;
const KEEP_MS = 90 * 86_400_000;

/** Something the owner should know. */
export interface Notice {
  /** What it is about, e.g. `llm.key_refused:openai`: told again within the hour it only counts. */
  readonly key: string;
  readonly severity: Severity;
  readonly title: string;
  /** Markdown; no secret in it. */
  readonly body: string;
  /** A page of the admin interface. */
  readonly link?: string | undefined;
}

/** What the program tells its owner without being asked. */
export interface Notifications {
  /** Stores, publishes and, from `warning` up, sends by the default channel. Never throws. Inside a `store.write` it joins that one. */
  tell(notice: Notice): Promise<void>;
  list(page: {
    readonly limit: number;
    readonly cursor?: string | undefined;
    readonly isUnread: boolean;
  }): Promise<{ items: Notification[]; next: string | null }>;
  /** Throws `notification.not_found`. */
  read(id: string): Promise<void>;
  readAll(): Promise<void>;
}

export interface NotificationsDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly delivery: Pick<Delivery, 'post'>;
  readonly onError: (error: unknown) => void;
}

export function createNotifications({ store, bus, clock, newId, delivery, onError }: NotificationsDeps): Notifications {
  async function keep(tx: Db, { key, severity, title, body, link: given }: Notice): Promise<NotificationRow> {
    const now = clock.now();
    const link = given ?? null;
    const before = await findRecent(tx, key, now - SAME_WITHIN_MS);
    if (before) {
      const set = { severity, title, body, link, count: before.count + 1, last_at: now, read_at: null };
      await updateNotification(tx, before.id, set);
      return { ...before, ...set };
    }
    const row: NotificationRow = { id: newId(), key, severity, title, body, link, count: 1, created_at: now, last_at: now, read_at: null };
    await insertNotification(tx, row);
    await deleteBefore(tx, now - KEEP_MS);
    return row;
  }

  /** A channel without a recipient must not keep the notification from being stored. */
  async function send(tx: Db, row: NotificationRow): Promise<void> {
    const mark = row.severity === 'critical' ? '🔴' : '🟠';
    try {
      await delivery.post(tx, {
        key: `notification:${row.id}`,
        text: `${mark} **${row.title}**\n${row.body}`,
        repeatable: true,
        isAwayOnly: true,
      });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
  }

  return {
    async tell(notice) {
      try {
        await store.write(async (tx) => {
          const row = await keep(tx, notice);
          if (row.severity !== 'info' && row.count === 1) await send(tx, row);
          store.onCommit(() => bus.publish('notification.told', { notification: toNotification(row) }));
        });
      } catch (error) {
        onError(error);
      }
    },

    async list({ limit, cursor, isUnread }) {
      const rows = await findNotifications(store.db, isUnread, limit + 1, cursor);
      return { items: rows.slice(0, limit).map(toNotification), next: rows.length > limit ? rows[limit - 1]!.id : null };
    },

    async read(id) {
      const found = await store.write((tx) => updateNotification(tx, id, { read_at: clock.now() }));
      if (!found)
        throw new AppError('not_found', 'notification.not_found', 'There is no such notification; it may have been too old', { id });
      bus.publish('notification.read', { id });
    },

    async readAll() {
      await store.write((tx) => markAllRead(tx, clock.now()));
      bus.publish('notification.read', { id: null });
    },
  };
}

function toNotification({
  id,
  key,
  severity,
  title,
  body,
  link,
  count,
  created_at: createdAt,
  last_at: lastAt,
  read_at: readAt,
}: NotificationRow): Notification {
  const iso = (ms: number): string => new Date(ms).toISOString();
  return {
    id,
    key,
    severity,
    title,
    body,
    link,
    count,
    createdAt: iso(createdAt),
    lastAt: iso(lastAt),
    readAt: readAt === null ? null : iso(readAt),
  };
}
