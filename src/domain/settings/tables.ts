import type { Migration } from '#core/db/migration';

declare module '#core/db/store' {
  interface Tables {
    /** `value` is JSON; a key without a row has its default. */
    settings_value: { key: string; value: string; changed_at: number; changed_by: string };
    /** Every value a key ever had, in order of `id`; null is a return to the default. */
    settings_history: { id: string; key: string; value: string | null; changed_at: number; changed_by: string };
  }
}

export const settingsMigrations: readonly Migration[] = [
  {
    name: 'settings-001-value',
    ddl: [
      'create table settings_value (key text primary key, value text not null, changed_at integer not null, changed_by text not null) strict, without rowid',
      'create table settings_history (id text primary key, key text not null, value text, changed_at integer not null, changed_by text not null) strict',
      'create index settings_history_key on settings_history (key, id)',
    ],
  },
];
