import { constants } from 'node:fs';
import { access, chmod, mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from './errors.ts';

const FOLDERS = ['logs', 'skills', 'workspaces', 'backups', 'run'] as const;

/** Makes the home and its folders, for the owner's eyes only. Throws `home.*` with one clear sentence each. */
export async function prepareHome(home: string): Promise<void> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    const { mode, uid } = await stat(home);
    if (process.getuid && uid !== process.getuid()) throw new AppError('forbidden', 'home.not_yours', `The home ${home} belongs to another user; choose another with CASTELLAN_HOME`, { home });
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) await chmod(home, 0o700);
    for (const folder of FOLDERS) await mkdir(join(home, folder), { recursive: true, mode: 0o700 });
    await access(home, constants.W_OK);
    const probe = join(home, 'run', `.probe-${process.pid}`);
    await writeFile(probe, 'x', { mode: 0o600 });
    await rm(probe);
  } catch (error) {
    throw explain(home, error);
  }
}

function explain(home: string, error: unknown): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOSPC':
      return new AppError('unavailable', 'home.disk_full', `The disk that holds ${home} is full; free some space and start again. Nothing was lost.`, { home }, error);
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new AppError('forbidden', 'home.read_only', `Cannot write to the home ${home}; check its permissions, or choose another with CASTELLAN_HOME`, { home }, error);
    case 'ENOTDIR':
    case 'EEXIST':
      return new AppError('invalid', 'home.not_a_folder', `${home} is not a folder; choose another home with CASTELLAN_HOME`, { home }, error);
    default:
      return error;
  }
}

/** A home held by this process. */
export interface HomeLock extends AsyncDisposable {
  release(): Promise<void>;
}

/**
 * One process per home. The lock names the process and when it began, so that one left behind by `kill -9` is known from
 * a living one even when its number was given to another program. Throws `home.in_use`.
 */
export async function lockHome(home: string): Promise<HomeLock> {
  const path = join(home, 'run', 'lock');
  const mine = JSON.stringify({ pid: process.pid, startedAt: await startOf(process.pid) });
  for (let attempt = 0; ; attempt += 1) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(mine);
      await file.close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 5) throw explain(home, error);
      const holder = await holderOf(path);
      if (holder !== null) throw new AppError('conflict', 'home.in_use', `Castellan already runs on ${home} (process ${holder}). Stop it first, or choose another home with --home.`, { home, pid: holder });
      await rm(path, { force: true });
    }
  }
  const release = async (): Promise<void> => {
    if ((await readFile(path, 'utf8').catch(() => '')) === mine) await rm(path, { force: true });
  };
  return { release, [Symbol.asyncDispose]: release };
}

/** The living process that holds the lock, or null. */
export async function holderOf(path: string): Promise<number | null> {
  try {
    const { pid, startedAt } = JSON.parse(await readFile(path, 'utf8')) as { pid: number; startedAt: string | null };
    process.kill(pid, 0);
    const now = await startOf(pid);
    return startedAt === null || now === null || now === startedAt ? pid : null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? -1 : null;
  }
}

/** When a process began, in ticks since the boot (proc(5), field 22 of stat); null where there is no /proc. */
async function startOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return text?.split(') ').at(-1)?.split(' ')[19] ?? null;
}
