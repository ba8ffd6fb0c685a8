import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, isAbsolute, join, sep } from 'node:path';

/** Where people and installers put programs, besides the path. */
const USUAL = ['.local/bin', '/usr/local/bin', '/opt/homebrew/bin', '.nix-profile/bin', '.npm-global/bin'];

/** A program that was found. */
export interface Found {
  /** As it is called. */
  readonly path: string;
  /** All it loads: the `node_modules` it is in, else the file alone, for the folder around it may be the owner's home. */
  readonly root: string;
  readonly from: 'setting' | 'home' | 'path' | 'usual';
}

export interface Places {
  /** Where Castellan installs agents. */
  readonly agentsFolder: string;
  /** The `PATH` that Castellan was started with. */
  readonly path: string;
  /** The owner's own home folder. */
  readonly ownerHome: string;
}

/** Looks where the setting says, in the agents installed here, on the path, and in the usual folders, in this order; null when it is nowhere. */
export async function findProgram(
  programs: readonly string[],
  explicit: string | undefined,
  { agentsFolder, path, ownerHome }: Places,
): Promise<Found | null> {
  if (explicit) return isAbsolute(explicit) && (await canRun(explicit)) ? { ...(await rootOf(explicit)), from: 'setting' } : null;
  const folders: readonly (readonly [folder: string, from: Found['from']])[] = [
    [join(agentsFolder, 'node_modules', '.bin'), 'home'],
    ...path
      .split(delimiter)
      .filter(isAbsolute)
      .map((folder) => [folder, 'path'] as const),
    ...USUAL.map((folder) => [isAbsolute(folder) ? folder : join(ownerHome, folder), 'usual'] as const),
  ];
  for (const [folder, from] of folders)
    for (const program of programs) {
      const candidate = join(folder, program);
      if (await canRun(candidate)) return { ...(await rootOf(candidate)), from };
    }
  return null;
}

async function canRun(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function rootOf(path: string): Promise<Pick<Found, 'path' | 'root'>> {
  const real = await realpath(path);
  const at = real.indexOf(`${sep}node_modules${sep}`);
  return { path: real, root: at === -1 ? real : real.slice(0, at + `${sep}node_modules`.length) };
}
