import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { homeFault } from './fault.ts';

/** The right to be the only process on a home. */
export interface HomeLock extends AsyncDisposable {
  release(): Promise<void>;
}

const Holder = z.object({ pid: z.int().positive(), startedAt: z.iso.datetime() });
const SQLITE_BUSY = 5;

/**
 * Takes the home for this process; throws `home.in_use` with the pid of the one that has it.
 *
 * The lock is one of the operating system, held by an open SQLite transaction on a file of its own (fcntl on POSIX, LockFileEx on
 * Windows): it ends with the process, whatever ended that, so there is no stale lock to judge and no takeover to race for. On POSIX
 * it would also end when this process opened and closed `run/home.lock` by another way: nobody may. `run/holder.json` only tells a person who it is.
 */
export async function lockHome(home: string): Promise<HomeLock> {
  const path = join(home, 'run', 'home.lock');
  const holder = join(home, 'run', 'holder.json');
  const release = await holdSoon(path, home);
  if (!release) {
    const pid = await readHolder(holder);
    const who = pid === null ? 'another process' : `process ${pid}`;
    throw new AppError(
      'conflict',
      'home.in_use',
      `Castellan already runs on ${home}, as ${who}: stop that one, or choose another folder with --home`,
      { home, pid },
    );
  }
  try {
    await writeFile(holder, JSON.stringify({ pid: process.pid, startedAt: new Date().toISOString() }), { mode: 0o600 });
  } catch (error) {
    release();
    throw homeFault(error, home);
  }
  let held = true;
  const end = async (): Promise<void> => {
    if (!held) return;
    held = false;
    await rm(holder, { force: true });
    release();
  };
  return { release: end, [Symbol.asyncDispose]: end };
}

/** The pid of the agent that runs on a home, or null when none does. */
export async function runningAgent(home: string): Promise<number | null> {
  const pid = await readHolder(join(home, 'run', 'holder.json'));
  if (pid === null) return null;
  const release = await holdLock(join(home, 'run', 'home.lock'), home);
  release?.();
  return release ? null : pid;
}

/** Tries for a moment: `runningAgent` of another process may just be looking, and who just took it has yet to write its pid. */
async function holdSoon(path: string, home: string): ReturnType<typeof holdLock> {
  for (let attempt = 1; ; attempt += 1) {
    const release = await holdLock(path, home);
    if (release || attempt === 6) return release;
    await sleep(50);
  }
}

/** Holds the lock and returns how to let go of it, or null when another has it. */
async function holdLock(path: string, home: string): Promise<(() => void) | null> {
  // oxlint-disable-next-line house/rings -- not as a store: it brings the operating system's file locks, which Node has not
  const { DatabaseSync } = await import('node:sqlite');
  let database: InstanceType<typeof DatabaseSync> | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('begin exclusive');
    const held = database;
    return () => held.close();
  } catch (error) {
    database?.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null;
    throw homeFault(error, home);
  }
}

async function readHolder(path: string): Promise<number | null> {
  try {
    return Holder.parse(JSON.parse(await readFile(path, 'utf8'))).pid;
  } catch {
    return null;
  }
}
