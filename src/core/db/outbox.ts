import type { Bus, Events } from '../bus.ts';
import type { Clock } from '../clock.ts';
import type { NewId } from '../ids.ts';
import type { Service } from '../service.ts';
import type { Migration } from './migration.ts';
import type { Db, Store } from './store.ts';

declare module './store.ts' {
  interface Tables {
    core_outbox: { id: string; name: string; payload: string; at: number };
  }
}

export const outboxMigrations: readonly Migration[] = [
  {
    name: 'core-001-outbox',
    ddl: [
      'create table core_outbox (id text primary key, name text not null, payload text not null, at integer not null) strict, without rowid',
    ],
  },
];

/** Events that must survive a crash: written with the change they tell of, published once it is durable, at least once. */
export interface Outbox {
  /** Inside `store.write`, with its `tx`. */
  add<K extends keyof Events>(tx: Db, name: K, event: Events[K]): Promise<void>;
  /** At start publishes what a crash left behind. */
  readonly service: Service;
}

export interface OutboxDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly newId: NewId;
}

export function createOutbox({ store, bus, clock, newId }: OutboxDeps): Outbox {
  async function publish(id: string, name: keyof Events, event: never): Promise<void> {
    await bus.publishAndWait(name, event);
    await store.write(async (tx) => void (await tx.deleteFrom('core_outbox').where('id', '=', id).execute()));
  }

  return {
    async add(tx, name, event) {
      const id = newId();
      await tx
        .insertInto('core_outbox')
        .values({ id, name, payload: JSON.stringify(event), at: clock.now() })
        .execute();
      store.onCommit(() => void publish(id, name, event as never).catch(() => {})); // stays in the table: the next start tells it again
    },
    service: {
      name: 'outbox',
      async start() {
        const left = await store.db.selectFrom('core_outbox').selectAll().orderBy('id').execute();
        for (const row of left) await publish(row.id, row.name as keyof Events, JSON.parse(row.payload) as never);
        return { stop: async () => {} };
      },
    },
  };
}
