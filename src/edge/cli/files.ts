import { readFile } from 'node:fs/promises';
import { AppError } from '#core/errors';
import type { Cli } from './context.ts';

/** The text of a file, or of standard input for `-`; throws `cli.no_file`. */
export async function readText(file: string, io: Cli): Promise<string> {
  if (file === '-') return io.input();
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : (code ?? 'error');
    throw new AppError('invalid', 'cli.no_file', `Cannot read ${file}: ${why}`, { file }, cause);
  }
}
