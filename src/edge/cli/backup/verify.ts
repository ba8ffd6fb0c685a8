import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#core/clock';
import type { Store } from '#core/db/store';
import { auditMigrations, createAudit } from '#audit';
import { readBackup, sha256, unpack, type Manifest } from './archive.ts';
import { sum } from './create.ts';
import { appliedMigrations, countRows, filePaths, fullCheck, readFileRow } from './queries.ts';

/** What a look at every page, row and file of a backup found. */
export interface Verified {
  readonly ok: boolean;
  readonly createdAt: string;
  readonly version: string;
  readonly withKey: boolean;
  readonly rows: number;
  readonly files: number;
  /** In words; empty when it is whole. */
  readonly problems: readonly string[];
}

/** Reads a backup whole. Throws `backup.unreadable` and `backup.not_a_backup` where there is nothing to look at. */
export async function verifyBackup(file: string): Promise<Verified> {
  const folder = await mkdtemp(join(tmpdir(), 'castellan-backup-'));
  try {
    return await readBackup(file, await unpack(file, folder), inspect);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Looks at a backup that is open. */
export async function inspect(store: Store, { createdAt, version, withKey, rows }: Manifest): Promise<Verified> {
  const problems: string[] = [];
  const found = await fullCheck(store.db);
  if (found !== 'ok') problems.push(`The database is damaged: ${found}`);
  const counts = await countRows(store.db);
  for (const [table, count] of Object.entries(rows))
    if (counts[table] !== count) problems.push(`The table ${table} has ${counts[table] ?? 'no'} rows instead of ${count}`);
  const paths = await filePaths(store.db);
  for (const path of paths) {
    const row = await readFileRow(store.db, path);
    if (sha256(row.bytes) !== row.sha256) problems.push(`The file ${path} was altered`);
  }
  const migrations = await appliedMigrations(store.db);
  if (auditMigrations.every(({ name }) => migrations.includes(name))) {
    const report = await createAudit({ store, clock: systemClock, redact: (text) => text }).verify();
    problems.push(...report.problems.map(({ message }) => `Audit: ${message}`));
  }
  return { ok: problems.length === 0, createdAt, version, withKey, rows: sum(rows), files: paths.length, problems };
}
