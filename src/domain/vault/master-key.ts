import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '#core/errors';
import type { Secret } from '#core/secret';
import { isPlaceholder } from './weak.ts';

const KEY_BYTES = 32;

/** Where the master key comes from: given outright, in a file of the owner's, or in a file of the home. */
export interface MasterKeyOptions {
  readonly home: string;
  /** `CASTELLAN_MASTER_KEY`. */
  readonly given?: Secret | undefined;
  /** `CASTELLAN_MASTER_KEY_FILE`. */
  readonly file?: string | undefined;
}

/** Reads the master key; `null` when there is none yet. Throws `vault.weak_key`, `vault.key_missing`, `vault.key_exposed`. */
export interface MasterKeySource {
  read(): Promise<Buffer | null>;
  /** Makes a random one in the home, mode 0600; one that another process just made wins. */
  create(): Promise<Buffer>;
  /** For messages: where a person finds it. */
  readonly where: string;
}

export function masterKeySource({ home, given, file }: MasterKeyOptions): MasterKeySource {
  if (given) return fixed('CASTELLAN_MASTER_KEY', async () => given.use((text) => strongKey(text, 'CASTELLAN_MASTER_KEY')));
  if (file) return fixed(file, async () => strongKey(await readGiven(file), file));
  return inHome(join(home, 'master.key'));
}

function fixed(where: string, read: () => Promise<Buffer>): MasterKeySource {
  return { where, read, create: read };
}

async function readGiven(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new AppError(
      'unavailable',
      'vault.key_missing',
      `Cannot read the master key file ${file} (CASTELLAN_MASTER_KEY_FILE): ${(cause as NodeJS.ErrnoException).code ?? 'error'}`,
      { file },
      cause,
    );
  }
}

function inHome(path: string): MasterKeySource {
  async function read(): Promise<Buffer | null> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw new AppError(
        'unavailable',
        'vault.key_missing',
        `Cannot read the master key ${path}: check that it belongs to you`,
        { path },
        cause,
      );
    }
    const { mode } = await stat(path);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw new AppError(
        'unavailable',
        'vault.key_exposed',
        `Others on this machine can read the master key: run "chmod 600 ${path}", and rotate your secrets if they may have`,
        { path },
      );
    return strongKey(text, path);
  }

  /** Written whole, then linked into place: a crash leaves no half a key, and of two processes one wins. */
  async function create(): Promise<Buffer> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(`${randomBytes(KEY_BYTES).toString('base64')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    try {
      await link(draft, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      await rm(draft, { force: true });
    }
    return (await read())!;
  }

  return { where: path, read, create };
}

/** Refuses a key that could be guessed: under 32 bytes (of hex, base64 or text), a placeholder, or a few characters over and over. */
export function strongKey(text: string, where: string): Buffer {
  const key = text.trim();
  const refuse = (why: string): never => {
    throw new AppError('invalid', 'vault.weak_key', `${where}: ${why}. Make one with "openssl rand -base64 32".`, { where });
  };
  if (isPlaceholder(key)) refuse('the master key is a placeholder');
  const bytes = decode(key);
  if (bytes.length < KEY_BYTES) refuse(`the master key has ${bytes.length} bytes, it needs ${KEY_BYTES}`);
  if (new Set(key).size < 10) refuse('the master key repeats a few characters');
  return bytes;
}

function decode(key: string): Buffer {
  if (/^(?:[0-9a-f]{2})+$/i.test(key)) return Buffer.from(key, 'hex');
  if (/^[A-Za-z0-9+/_-]{43,}={0,2}$/.test(key)) return Buffer.from(key, 'base64');
  return Buffer.from(key, 'utf8');
}
