import type { Migration } from '#core/db/migration';
import { searchMigrations } from '#core/db/search';

export interface MemoryRow {
  id: string;
  scope: string;
  kind: string;
  title: string | null;
  text: string;
  url: string | null;
  canonical_url: string | null;
  identity: string;
  metadata: string;
  labels: string;
  provenance: string;
  embedding_model: string | null;
  pinned: number;
  created_at: number;
  updated_at: number;
  expires_at: number | null;
  deleted_at: number | null;
}

declare module '#core/db/store' {
  interface Tables {
    memory_item: MemoryRow;
  }
}

/** The name of memory's search index: its tables begin so. */
export const MEMORY_INDEX = 'memory_search';

export const memoryMigrations: readonly Migration[] = [
  {
    name: 'memory-001-item',
    ddl: [
      `create table memory_item (
        id text primary key, scope text not null check (scope <> ''), kind text not null, title text, text text not null check (text <> ''),
        url text, canonical_url text, identity text not null, metadata text not null, labels text not null, provenance text not null,
        embedding_model text, pinned integer not null check (pinned in (0, 1)), created_at integer not null, updated_at integer not null,
        expires_at integer, deleted_at integer, check (pinned = 0 or expires_at is null)) strict`,
      `create unique index memory_item_identity on memory_item (scope, identity)`,
      `create index memory_item_list on memory_item (scope, kind, id)`,
      `create index memory_item_expiry on memory_item (expires_at) where expires_at is not null`,
      `create index memory_item_trash on memory_item (deleted_at) where deleted_at is not null`,
    ],
  },
  ...searchMigrations(MEMORY_INDEX),
];
