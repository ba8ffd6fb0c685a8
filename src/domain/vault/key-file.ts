import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '#core/errors';
import { keyId } from './seal.ts';
import { KEY_BYTES, strongKey } from './strong-key.ts';

/** What becomes of the key file before, once everything is sealed anew. */
export type OldKey = 'keep' | 'destroy';

/**
 * `master.key` of the home, and `master.key.next` while the key is being changed:
 * prepare (next is written) → the database is sealed anew → settle (next takes the place). Which of the two opens the
 * vault is for the database to say, so that a crash at any moment leaves a key that fits.
 */
export interface KeyFile {
  readonly path: string;
  /** The one of that id, or without an id the one in place; null when there is none. */
  read(id?: string): Promise<Buffer | null>;
  /** Makes a random one; one that another process just made wins. */
  create(): Promise<Buffer>;
  prepare(): Promise<Buffer>;
  /** Puts the key of that id in its place. `old` says what becomes of another one there. A next one that never came to be is left for `prepare`. */
  settle(id: string, old: OldKey | null): Promise<void>;
}

export function keyFile(path: string): KeyFile {
  const next = `${path}.next`;

  async function readOne(file: string): Promise<Buffer | null> {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
      const message = `Cannot read the master key ${file}: check that it belongs to you`;
      throw new AppError('unavailable', 'vault.key_missing', message, { path: file }, cause);
    }
    const { mode } = await stat(file);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new AppError(
        'unavailable',
        'vault.key_exposed',
        `Others on this machine can read the master key: run "chmod 600 ${file}", and "castellan secret rotate-key" if they may have`,
        { path: file },
      );
    return strongKey(text, file);
  }

  async function idOf(file: string): Promise<string | null> {
    const key = await readOne(file);
    return key && keyId(key);
  }

  async function writeKey(file: string): Promise<void> {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(`${randomBytes(KEY_BYTES).toString('base64')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async function read(id?: string): Promise<Buffer | null> {
    const inPlace = await readOne(path);
    if (id === undefined || (inPlace && keyId(inPlace) === id)) return inPlace;
    const coming = await readOne(next);
    return coming && keyId(coming) === id ? coming : inPlace;
  }

  return {
    path,
    read,

    /** Written whole, then linked into place: a crash leaves no half a key, and of two processes one wins. */
    async create() {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
      await writeKey(draft);
      try {
        await link(draft, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      } finally {
        await rm(draft, { force: true });
      }
      return (await readOne(path))!;
    },

    async prepare() {
      await rm(next, { force: true });
      const draft = `${next}.${process.pid}`;
      await rm(draft, { force: true });
      await writeKey(draft);
      await rename(draft, next);
      await syncFolder(dirname(next));
      return (await readOne(next))!;
    },

    async settle(id, old) {
      const [inPlace, coming] = [await idOf(path), await idOf(next)];
      if (old !== null && inPlace !== null && inPlace !== id) {
        if (old === 'keep') await rename(path, `${path}.old-${inPlace}`);
        else await destroy(path);
      }
      if (coming === id) await rename(next, path);
      if (coming !== null || old !== null) await syncFolder(dirname(path));
    },
  };
}

/** Written over before it is taken away; a disk that wears its blocks evenly may keep a copy all the same. */
async function destroy(path: string): Promise<void> {
  const { size } = await stat(path);
  const handle = await open(path, 'r+');
  try {
    await handle.write(randomBytes(size), 0, size, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rm(path, { force: true });
}

/** What was renamed is there after a power cut too. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
