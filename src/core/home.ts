import { access, chmod, constants, mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from './errors.ts';
import { homeFault } from './home/fault.ts';

export { lockHome, runningAgent } from './home/lock.ts';

/** The folders of a home. */
export const homeFolders = ['logs', 'skills', 'workspaces', 'backups', 'run'] as const;

/** The folder that holds everything of one agent, ready to be used. */
export interface Home {
  /** Absolute. */
  readonly path: string;
  /** The path of one of its folders, or of a file in it. */
  at(folder: (typeof homeFolders)[number], ...rest: readonly string[]): string;
  /** Others could look into it before; now they cannot. Worth a line in the log. */
  readonly wasOpen: boolean;
}

const FOR_OWNER = 0o700;

/**
 * Makes the home (0700) and its folders where they are missing, and proves that it can be written.
 * Throws `home.not_a_folder`, `home.wrong_owner`, `home.not_allowed`, `home.read_only`, `home.disk_full` or `home.unusable`.
 */
export async function prepareHome(path: string): Promise<Home> {
  try {
    await mkdir(path, { recursive: true, mode: FOR_OWNER });
    const wasOpen = await claim(path);
    for (const folder of homeFolders) await mkdir(join(path, folder), { recursive: true, mode: FOR_OWNER });
    await proveWritable(join(path, 'run', '.probe'));
    return { path, wasOpen, at: (folder, ...rest) => join(path, folder, ...rest) };
  } catch (error) {
    throw error instanceof AppError ? error : homeFault(await whatForbids(path, error), path);
  }
}

/** `mkdir` says ENOENT of a folder that it may not make: the nearest one there is says why. */
async function whatForbids(path: string, error: unknown): Promise<unknown> {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return error;
  for (let at = dirname(path); ; at = dirname(at)) {
    const why = await access(at, constants.W_OK).then(
      () => null,
      (thrown: NodeJS.ErrnoException) => thrown,
    );
    if (why === null || at === dirname(at)) return error;
    if (why.code !== 'ENOENT') return why;
  }
}

/** Refuses another's folder and closes ours to everybody else; whether it was open. Windows has no such modes: there the profile folder is private. */
async function claim(path: string): Promise<boolean> {
  const { uid, mode } = await stat(path);
  const me = process.getuid?.();
  if (me === undefined) return false;
  if (uid !== me) {
    const message = `${path} belongs to the user with id ${uid}, and this is ${me}: run Castellan as that user, or give it another folder with --home`;
    throw new AppError('invalid', 'home.wrong_owner', message, { home: path, owner: uid, user: me });
  }
  const wasOpen = (mode & 0o077) !== 0;
  if (wasOpen) await chmod(path, FOR_OWNER);
  return wasOpen;
}

/** Writes a block through to the disk and takes it away again: full, read-only and forbidden disks show here, not at the first message. */
async function proveWritable(probe: string): Promise<void> {
  const file = await open(probe, 'w', 0o600);
  try {
    await file.writeFile(Buffer.alloc(4096));
    await file.sync();
  } finally {
    await file.close();
    await rm(probe, { force: true });
  }
}
