import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** What of the home is worth keeping besides the database: the boot configuration, installed skills, the workspaces, audit entries that left the database. */
const KEPT = ['castellan.json', 'skills', 'workspaces', 'audit'] as const;
/** Made anew by whoever made it. */
const LEFT_OUT = new Set(['node_modules', '.git']);
/** A row holds no more; larger files are named, not kept. */
const LARGEST_BYTES = 256 * 1024 * 1024;

/** A file of the home, by its path in it with forward slashes. */
export interface HomeFile {
  readonly path: string;
  readonly mode: number;
  read(): Promise<Buffer>;
}

/** The files of a home that a backup keeps, and those that were too large. Links are not followed: a backup holds what is in the home. */
export async function homeFiles(
  home: string,
  { withKey }: { readonly withKey: boolean },
): Promise<{ readonly kept: readonly HomeFile[]; readonly tooLarge: readonly string[] }> {
  const kept: HomeFile[] = [];
  const tooLarge: string[] = [];
  for (const name of [...KEPT, ...(withKey ? ['master.key', 'tls'] : [])]) {
    for await (const path of filesBelow(join(home, name))) {
      const { size, mode } = await stat(path);
      const inHome = relative(home, path).split(sep).join('/');
      if (size > LARGEST_BYTES) tooLarge.push(inHome);
      else kept.push({ path: inHome, mode: mode & 0o777, read: () => readFile(path) });
    }
  }
  return { kept, tooLarge };
}

async function* filesBelow(path: string): AsyncIterable<string> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') return null;
    throw error;
  });
  if (entries === null) return yield path;
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.isDirectory() && !LEFT_OUT.has(entry.name)) yield* filesBelow(join(path, entry.name));
    else if (entry.isFile()) yield join(path, entry.name);
  }
}
