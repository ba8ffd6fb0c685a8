import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { secret, type Secret } from '#core/secret';

const FORM = /^castellan_local_[A-Za-z0-9_-]{43}$/;

/** The token by which the command line on this machine speaks to the running agent: whoever may read the home is the owner. */
export async function ensureControlToken(home: string): Promise<Secret> {
  const there = await readControlToken(home);
  if (there) return there;
  const folder = join(home, 'run');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const token = `castellan_local_${randomBytes(32).toString('base64url')}`;
  const draft = join(folder, `cli.token.${process.pid}.${randomBytes(4).toString('hex')}`);
  await writeFile(draft, `${token}\n`, { mode: 0o600, flag: 'wx' });
  await rename(draft, join(folder, 'cli.token'));
  return secret(token);
}

/** Null when there is none, it is damaged, or others can read it (it is then made anew by the next start). */
export async function readControlToken(home: string): Promise<Secret | null> {
  const path = join(home, 'run', 'cli.token');
  try {
    const { mode } = await stat(path);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) return null;
    const token = (await readFile(path, 'utf8')).trim();
    return FORM.test(token) ? secret(token) : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
