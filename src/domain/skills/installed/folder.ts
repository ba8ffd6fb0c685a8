import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '#core/errors';
import { MAIN_FILE, MANIFEST_FILE } from './manifest.ts';

/** One file of a skill. */
export interface SkillFile {
  /** Below the folder, with forward slashes. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** A whole skill as it was read at one moment: what is copied and hashed is what was read. */
export interface SkillFolder {
  readonly files: readonly SkillFile[];
  /** SHA-256 over path, size and hash of every file, in order of the paths. */
  readonly checksum: string;
  readonly sizeBytes: number;
  /** Left where they were: hidden files, `node_modules`. */
  readonly leftOut: readonly string[];
}

const MOST_FILES = 200;
const MOST_BYTES = 4 * 2 ** 20;
const DEEPEST = 6;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;
const LEFT_OUT = /^(\..*|node_modules)$/;

/**
 * Reads a folder whole. Throws `skill.no_folder`, `skill.bad_folder` (a link, a device, a name that two systems read differently) and
 * `skill.too_large`. `strict` is for an installed one, where anything that does not belong there is wrong.
 */
export async function readSkillFolder(folder: string, { strict = false }: { readonly strict?: boolean } = {}): Promise<SkillFolder> {
  const files: SkillFile[] = [];
  const leftOut: string[] = [];
  let sizeBytes = 0;

  async function visit(below: string, depth: number): Promise<void> {
    if (depth > DEEPEST) throw bad(below, `lies more than ${DEEPEST} folders deep`);
    for (const name of (await readdir(join(folder, below))).toSorted()) {
      const path = below === '' ? name : `${below}/${name}`;
      if (!strict && LEFT_OUT.test(name)) {
        leftOut.push(path);
        continue;
      }
      if (!NAME.test(name)) throw bad(path, 'has a name that is not letters, digits, ".", "_" and "-"');
      const entry = await lstat(join(folder, path));
      if (entry.isDirectory()) await visit(path, depth + 1);
      else if (entry.isFile()) await take(path);
      else throw bad(path, entry.isSymbolicLink() ? 'is a link: put the file itself there' : 'is neither a file nor a folder');
    }
  }

  async function take(path: string): Promise<void> {
    if (files.length >= MOST_FILES) throw tooLarge(`more than ${MOST_FILES} files`);
    if (files.some((it) => it.path.toLowerCase() === path.toLowerCase()))
      throw bad(path, 'differs from another one only in upper and lower case');
    // Opened so that a link put in its place meanwhile is not followed, nor a pipe waited for.
    const handle = await open(join(folder, path), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    try {
      const { size } = await handle.stat();
      sizeBytes += size;
      if (sizeBytes > MOST_BYTES) throw tooLarge(`more than ${MOST_BYTES / 2 ** 20} MiB`);
      const bytes = await handle.readFile();
      if (bytes.byteLength !== size) throw bad(path, 'changes while it is read');
      files.push({ path, bytes, sha256: createHash('sha256').update(bytes).digest('hex') });
    } finally {
      await handle.close();
    }
  }

  const top = await lstat(folder).catch(() => null);
  if (!top?.isDirectory())
    throw new AppError(
      'not_found',
      'skill.no_folder',
      `${folder} is not a folder on the agent's machine: give the absolute path of one with a ${MANIFEST_FILE}`,
      { folder },
    );
  await visit('', 0);
  for (const needed of [MANIFEST_FILE, MAIN_FILE]) if (!files.some(({ path }) => path === needed)) throw bad(needed, 'is missing');
  return { files, checksum: checksumOf(files), sizeBytes, leftOut };
}

/** Writes what was read into a new folder, closed to others; all of it or nothing. */
export async function writeSkillFolder({ files }: SkillFolder, folder: string): Promise<void> {
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  for (const { path, bytes } of files) {
    await mkdir(dirname(join(draft, path)), { recursive: true, mode: 0o700 });
    const handle = await open(join(draft, path), 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
  await rm(folder, { recursive: true, force: true });
  await rename(draft, folder);
}

/** Text of one file; the file is known to be there. */
export function textOf({ files }: SkillFolder, path: string): string | null {
  const file = files.find((it) => it.path === path);
  return file ? new TextDecoder().decode(file.bytes) : null;
}

function checksumOf(files: readonly SkillFile[]): string {
  const hash = createHash('sha256');
  for (const { path, bytes, sha256 } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1)))
    hash.update(`${path}\n${bytes.byteLength}\n${sha256}\n`);
  return hash.digest('hex');
}

function bad(path: string, why: string): AppError {
  return new AppError('invalid', 'skill.bad_folder', `${path} ${why}`, { path });
}

function tooLarge(what: string): AppError {
  return new AppError(
    'limited',
    'skill.too_large',
    `The folder has ${what}, which is more than a skill may: leave out what it does not need`,
  );
}
