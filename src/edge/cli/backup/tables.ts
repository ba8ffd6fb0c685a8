import type { Generated } from 'kysely';

/** What a backup file holds besides the tables of the agent's own database. */
export interface BackupTables {
  readonly backup_manifest: { readonly key: string; readonly value: string };
  /** Files of the home, by their path in it. */
  readonly backup_file: { readonly path: string; readonly mode: number; readonly bytes: Uint8Array; readonly sha256: string };
  readonly core_migration: { readonly name: string; readonly at: Generated<number> };
}

export const backupTables = [
  'create table backup_manifest (key text primary key, value text not null) strict, without rowid',
  'create table backup_file (path text primary key, mode integer not null, bytes blob not null, sha256 text not null) strict',
] as const;
