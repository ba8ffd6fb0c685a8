import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '#core/errors';

/** The folder that holds package.json: where the examples that ship with the program are. */
export const programFolder = fileURLToPath(new URL('../..', import.meta.url));

/** Reads `file:` addresses of resources: `file:examples/…` of the program, or a path inside the home; nothing else, by whatever link. */
export function ownFiles(home: string): (url: string) => Promise<Uint8Array> {
  return async (url) => {
    const named = decodeURI(url.replace(/^file:(\/\/(?=\/))?/, ''));
    const root = isAbsolute(named) ? home : join(programFolder, 'examples');
    const path = isAbsolute(named) ? named : join(programFolder, named);
    const [real, within] = await Promise.all([realpath(path).catch(() => null), realpath(root)]);
    if (real === null) throw new AppError('not_found', 'skill.no_file', `There is no file ${url}`, { url });
    if (!real.startsWith(within + sep))
      throw new AppError('forbidden', 'skill.file_outside', `${url} lies outside the home and the examples`, { url });
    return readFile(real);
  };
}
