import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '#core/errors';
import type { SkillRunnerDeps } from '#skills';

/** The folder that holds package.json: where the examples that ship with the program are. */
export const programFolder = fileURLToPath(new URL('../..', import.meta.url));

/** `file:` addresses of resources: `file:examples/…` of the program, or a path inside the home; nothing else, by whatever link. */
export function ownFiles(home: string): SkillRunnerDeps['files'] {
  async function locate(url: string): Promise<string> {
    const named = decodeURI(url.replace(/^file:(\/\/(?=\/))?/, ''));
    const root = isAbsolute(named) ? home : join(programFolder, 'examples');
    const path = isAbsolute(named) ? named : join(programFolder, named);
    const [real, within] = await Promise.all([realpath(path).catch(() => null), realpath(root)]);
    if (real === null) throw new AppError('not_found', 'skill.no_file', `There is no file ${url}`, { url });
    if (!real.startsWith(within + sep))
      throw new AppError('forbidden', 'skill.file_outside', `${url} lies outside the home and the examples`, { url });
    return real;
  }
  return { locate, read: async (url) => readFile(await locate(url)) };
}
