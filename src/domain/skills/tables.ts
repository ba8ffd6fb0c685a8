import type { Migration } from '#core/db/migration';

export type BreakerState = 'closed' | 'open' | 'half_open';

/** A skill that was installed; a removed one is remembered, so that who asks for it hears why it is not there. */
export interface InstalledRow {
  name: string;
  version: string;
  state: 'enabled' | 'disabled' | 'removed';
  reason: string | null;
  /** Over all files, pinned at the install. */
  checksum: string;
  /** JSON, as the owner approved it. */
  manifest: string;
  size_bytes: number;
  source: string;
  installed_by: string;
  installed_at: number;
  changed_at: number;
}

/** A feed that some workflow reads: how it does, and what to ask it by. */
export interface FeedRow {
  url: string;
  etag: string | null;
  last_modified: string | null;
  /** How far back its items had been looked at when the validators were kept; 0 is all of them. */
  window_hours: number | null;
  last_ok_at: number | null;
  /** In a row. */
  failures: number;
  last_error: string | null;
  changed_at: number;
}

declare module '#core/db/store' {
  interface Tables {
    skill_breaker: {
      key: string;
      state: BreakerState;
      failures: number;
      until: number | null;
      last_error: string | null;
      changed_at: number;
    };
    skill_feed: FeedRow;
    skill_installed: InstalledRow;
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
  {
    name: 'skill-002-feed',
    ddl: [
      `create table skill_feed (
        url text primary key, etag text, last_modified text, window_hours integer, last_ok_at integer,
        failures integer not null, last_error text, changed_at integer not null) strict, without rowid`,
    ],
  },
  {
    name: 'skill-003-installed',
    ddl: [
      `create table skill_installed (
        name text primary key, version text not null, state text not null check (state in ('enabled', 'disabled', 'removed')), reason text,
        checksum text not null, manifest text not null, size_bytes integer not null, source text not null, installed_by text not null,
        installed_at integer not null, changed_at integer not null) strict, without rowid`,
    ],
  },
];
