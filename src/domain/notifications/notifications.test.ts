import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createBus } from '#core/bus';
import { manualClock } from '#core/clock';
import { onEveryEngine } from '#core/db/testing';
import { AppError } from '#core/errors';
import { uuidv7 } from '#core/ids';
import type { NewMessage } from '#channels';
import type { Notification } from './contract.ts';
import { createNotifications } from './notifications.ts';
import { notificationMigrations } from './tables.ts';

onEveryEngine('Notifications', (open) => {
  async function setup(post?: () => Promise<number>) {
    const store = await open(notificationMigrations);
    const clock = manualClock(1_000_000_000_000);
    const bus = createBus((_, error) => assert.fail(error as Error));
    const told: Notification[] = [];
    const sent: NewMessage[] = [];
    const errors: unknown[] = [];
    const ending = new AbortController();
    bus.subscribe('notification.told', ({ notification }) => void told.push(notification), ending.signal);
    const notifications = createNotifications({
      store,
      bus,
      clock,
      newId: uuidv7(clock.now),
      delivery: { post: post ?? (async (_, message) => sent.push(message)) },
      onError: (error) => errors.push(error),
    });
    return { notifications, clock, told, sent, errors, store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  }
  const notice = { key: 'disk', severity: 'warning', title: 'The disk is full', body: 'Make room.' } as const;

  it('sends a key once an hour and counts it', async () => {
    await using it = await setup();
    await it.notifications.tell(notice);
    await it.notifications.tell(notice);
    await it.notifications.tell({ ...notice, key: 'other' });
    assert.deepEqual([it.sent.length, it.told.map(({ count }) => count)], [2, [1, 2, 1]]);
    it.clock.set(it.clock.now() + 3_600_001);
    await it.notifications.tell(notice);
    assert.equal(it.sent.length, 3);
  });

  it('sends no info', async () => {
    await using it = await setup();
    await it.notifications.tell({ ...notice, severity: 'info' });
    assert.deepEqual([it.sent.length, it.told.length], [0, 1]);
  });

  it('keeps what no channel takes, and never throws', async () => {
    await using it = await setup(async () => Promise.reject(new AppError('conflict', 'channel.no_recipient', 'nobody')));
    await it.notifications.tell(notice);
    assert.equal((await it.notifications.list({ limit: 10, isUnread: true })).items.length, 1);
    await using broken = await setup(async () => Promise.reject(new Error('a bug')));
    await broken.notifications.tell(notice);
    assert.equal(broken.errors.length, 1);
  });

  it('lists by page, and knows what was read', async () => {
    await using it = await setup();
    for (const key of ['a', 'b', 'c']) await it.notifications.tell({ ...notice, key });
    const page = await it.notifications.list({ limit: 2, isUnread: false });
    assert.deepEqual(
      page.items.map(({ key }) => key),
      ['c', 'b'],
    );
    assert.deepEqual(
      (await it.notifications.list({ limit: 2, cursor: page.next!, isUnread: false })).items.map(({ key }) => key),
      ['a'],
    );
    await it.notifications.read(page.items[0]!.id);
    assert.deepEqual(
      (await it.notifications.list({ limit: 5, isUnread: true })).items.map(({ key }) => key),
      ['b', 'a'],
    );
    await it.notifications.readAll();
    assert.equal((await it.notifications.list({ limit: 5, isUnread: true })).items.length, 0);
    await assert.rejects(it.notifications.read('nothing'), { code: 'notification.not_found' });
  });
});
