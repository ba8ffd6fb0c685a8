import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, createGzip } from 'node:zlib';
import { z } from 'zod';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import { parseJson } from '#core/json';
import { readManifest } from './queries.ts';

/** The one there is: SQLite, gzipped; the agent's tables, `backup_manifest` and `backup_file`. */
export const FORMAT = 'castellan.backup/1';

/** What a backup says of itself. */
export const Manifest = z.object({
  format: z.literal(FORMAT, 'it was made by a newer Castellan'),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  /** Of the program that made it. */
  version: z.string(),
  /** The master key of the vault is in it: keep it as you would keep your secrets. */
  withKey: z.enum(['true', 'false']).transform((text) => text === 'true'),
  /** Rows by table, at the moment of the copy. */
  rows: z.string().transform((text) => parseJson(text, z.record(z.string(), z.number()), 'rows')),
});
export type Manifest = z.output<typeof Manifest>;

/** Compresses; the file appears whole or not at all, for its owner's eyes only. */
export async function pack(database: string, out: string): Promise<void> {
  const draft = `${out}.${process.pid}.part`;
  try {
    await pipeline(
      createReadStream(database),
      createGzip({ level: constants.Z_BEST_SPEED }),
      createWriteStream(draft, { mode: 0o600, flags: 'wx', flush: true }),
    );
    await rename(draft, out);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Unpacks a backup into a folder; answers where its database is. Throws `backup.unreadable`. */
export async function unpack(file: string, folder: string): Promise<string> {
  const path = join(folder, 'castellan.db');
  try {
    await pipeline(createReadStream(file), createGunzip(), createWriteStream(path, { mode: 0o600 }));
    return path;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'there is no such file' : code?.startsWith('Z_') ? 'it is damaged, cut off or no backup' : (code ?? 'error');
    throw new AppError(
      code === 'ENOENT' ? 'not_found' : 'unavailable',
      'backup.unreadable',
      `Cannot read ${file}: ${why}`,
      { file },
      cause,
    );
  }
}

/** Opens the database of an unpacked backup for as long as `use` takes. Throws `backup.not_a_backup`. */
export async function readBackup<T>(file: string, path: string, use: (store: Store, manifest: Manifest) => Promise<T>): Promise<T> {
  const { openSqlite } = await import('#core/db/sqlite');
  const store = opened(file, () => openSqlite(path));
  try {
    return await use(store, await manifestOf(store, file));
  } finally {
    await store.close();
  }
}

function opened(file: string, open: () => Store): Store {
  try {
    return open();
  } catch (cause) {
    throw new AppError(
      'invalid',
      'backup.not_a_backup',
      `${file} is not a backup of Castellan: there is no database in it`,
      { file },
      cause,
    );
  }
}

async function manifestOf(store: Store, file: string): Promise<Manifest> {
  const entries = await readManifest(store.db).catch(() => null);
  const read = Manifest.safeParse(entries);
  if (read.success) return read.data;
  const why = entries === null ? 'it has no manifest' : read.error.issues[0]?.message;
  throw new AppError('unavailable', 'backup.not_a_backup', `${file} is not a backup that can be read here: ${why}`, { file });
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
