import type { Migration } from '#core/db/migration';

export type BreakerState = 'closed' | 'open' | 'half_open';

declare module '#core/db/store' {
  interface Tables {
    skill_breaker: { key: string; state: BreakerState; failures: number; until: number | null; last_error: string | null; changed_at: number };
  }
}

export const skillMigrations: readonly Migration[] = [
  {
    name: 'skill-001-breaker',
    ddl: [
      `create table skill_breaker (
        key text primary key, state text not null check (state in ('closed', 'open', 'half_open')), failures integer not null,
        until integer, last_error text, changed_at integer not null) strict, without rowid`,
    ],
  },
];
