import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize, sep } from 'node:path';
import { readConfig } from '#core/config';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import { lockHome, prepareHome } from '#core/home';
import type { Cli } from '../context.ts';
import { databaseFile } from '../offline.ts';
import { readBackup, unpack, type Manifest } from './archive.ts';
import { dropBackupTables, filePaths, readFileRow } from './queries.ts';
import { inspect } from './verify.ts';

/** What was put back. */
export interface Restored {
  readonly createdAt: string;
  readonly rows: number;
  readonly files: number;
  /** Where what was there before is now, or null when there was nothing. */
  readonly aside: string | null;
  /** The vault opens only with the master key that it was sealed with, and that is not here. */
  readonly keyMissing: boolean;
}

/**
 * Puts a backup in the place of the home's database. Nothing is changed before the backup has been read whole and found sound; what
 * was there is kept aside. Throws `home.in_use` when an agent runs, `backup.damaged`, `backup.unreadable`, `backup.not_a_backup`.
 */
export async function restoreBackup(io: Cli, file: string): Promise<Restored> {
  const { databaseUrl, masterKey, masterKeyFile } = await readConfig(io.env, { home: io.home });
  if (databaseUrl) throw new AppError('invalid', 'backup.postgres', 'The database is a PostgreSQL server: restore it with pg_restore');
  await prepareHome(io.home);
  await using _lock = await lockHome(io.home);
  const aside = join(io.home, 'backups', `replaced-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}`);
  const fresh = await mkdtemp(join(io.home, '.restore-'));
  try {
    const path = await unpack(file, fresh);
    const taken = await readBackup(file, path, async (store, manifest) => {
      const { ok, problems, rows } = await inspect(store, manifest);
      if (!ok)
        throw new AppError('unavailable', 'backup.damaged', `${file} is damaged, so nothing was changed: ${problems[0]}`, {
          file,
          problems,
        });
      const files = await takeOutFiles(store, join(fresh, 'files'));
      await store.write(dropBackupTables);
      return { manifest, rows, files };
    });
    const { manifest, rows, files } = taken;
    const had = await putAside(io.home, aside, files);
    for (const each of files) await moveInto(join(fresh, 'files', each), join(io.home, each));
    await rename(path, databaseFile(io.home));
    const isKeyGiven = masterKey !== undefined || masterKeyFile !== undefined;
    return {
      createdAt: manifest.createdAt,
      rows,
      files: files.length,
      aside: had ? aside : null,
      keyMissing: !isKeyGiven && isKeyMissing(io.home, manifest),
    };
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function takeOutFiles(store: Store, folder: string): Promise<readonly string[]> {
  const paths = await filePaths(store.db);
  for (const path of paths) {
    assertInside(path);
    const { bytes, mode } = await readFileRow(store.db, path);
    await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, path), bytes, { mode: 0o600 });
    await chmod(join(folder, path), mode);
  }
  return paths;
}

/** A backup is a file from elsewhere: its paths lead nowhere but into the home. */
function assertInside(path: string): void {
  const normal = normalize(path);
  if (
    isAbsolute(path) ||
    path.includes('\\') ||
    path.includes(':') ||
    normal.split(sep).includes('..') ||
    !/^(castellan\.json|master\.key|skills[\\/]|workspaces[\\/]|tls[\\/]|audit[\\/])/.test(normal)
  ) {
    throw new AppError('unavailable', 'backup.damaged', `The backup holds a file that belongs nowhere: ${path}`, { path });
  }
}

/** Moves what the backup replaces out of the way; whether there was anything. */
async function putAside(home: string, aside: string, files: readonly string[]): Promise<boolean> {
  let had = false;
  // the anchor of the audit log goes with its database: the one put back ends earlier
  for (const path of ['castellan.db', 'castellan.db-wal', 'castellan.db-shm', 'audit.anchor', ...files]) {
    if (!existsSync(join(home, path))) continue;
    had = true;
    await moveInto(join(home, path), join(aside, path));
  }
  return had;
}

async function moveInto(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await rename(from, to);
}

function isKeyMissing(home: string, { withKey, rows }: Manifest): boolean {
  const isSealed = Object.entries(rows).some(([table, count]) => table.startsWith('vault_') && count > 0);
  return isSealed && !withKey && !existsSync(join(home, 'master.key'));
}
