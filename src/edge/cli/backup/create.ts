import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readConfig } from '#core/config';
import { AppError } from '#core/errors';
import type { Cli } from '../context.ts';
import { databaseFile } from '../offline.ts';
import { FORMAT, pack, sha256 } from './archive.ts';
import { homeFiles } from './files.ts';
import { copyDatabase, countRows, insertFile, makeBackupTables, writeManifest } from './queries.ts';

/** What became a backup. */
export interface Created {
  /** Absolute. */
  readonly file: string;
  readonly bytes: number;
  readonly rows: number;
  readonly files: number;
  readonly withKey: boolean;
  /** Files of the workspaces that are too large to be kept. */
  readonly leftOut: readonly string[];
}

/** Copies the home into one file while the agent works on, or does not run. Throws `backup.exists`, `backup.postgres`, `cli.no_database`. */
export async function createBackup(
  io: Cli,
  { out, withKey }: { readonly out?: string | undefined; readonly withKey: boolean },
): Promise<Created> {
  const { databaseUrl } = await readConfig(io.env, { home: io.home });
  if (databaseUrl)
    throw new AppError(
      'invalid',
      'backup.postgres',
      'The database is a PostgreSQL server: back it up with pg_dump, and the home folder with it',
    );
  const source = databaseFile(io.home);
  if (!existsSync(source))
    throw new AppError('not_found', 'cli.no_database', `There is no database in ${io.home} yet: "castellan start" makes it`, {
      home: io.home,
    });
  const createdAt = new Date().toISOString();
  const file = resolve(out ?? join(io.home, 'backups', `${createdAt.slice(0, 19).replaceAll(':', '-')}.castellan.backup`));
  if (existsSync(file))
    throw new AppError('conflict', 'backup.exists', `${file} is there already: choose another name with --out`, { file });

  const { openSqlite } = await import('#core/db/sqlite');
  const folder = await mkdtemp(join(io.home, '.backup-'));
  try {
    const copy = join(folder, 'castellan.db');
    const live = openSqlite(source);
    try {
      await copyDatabase(live.db, copy);
    } finally {
      await live.close();
    }
    const store = openSqlite(copy);
    let told: Omit<Created, 'file' | 'bytes'>;
    try {
      const counts = await countRows(store.db);
      const { kept, tooLarge } = await homeFiles(io.home, { withKey });
      await store.write(async (tx) => {
        await makeBackupTables(tx);
        await writeManifest(tx, { format: FORMAT, createdAt, version: io.version, withKey: String(withKey), rows: JSON.stringify(counts) });
        for (const { path, mode, read } of kept) {
          const bytes = await read();
          await insertFile(tx, { path, mode, bytes, sha256: sha256(bytes) });
        }
      });
      told = { rows: sum(counts), files: kept.length, withKey, leftOut: tooLarge };
    } finally {
      await store.close();
    }
    await pack(copy, file);
    return { file, bytes: (await stat(file)).size, ...told };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
