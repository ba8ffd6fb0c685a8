import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { AppError, toError } from '#core/errors';
import { bubblewrapArgs } from './command.ts';

/** What stands between an installed skill and the machine. */
export interface Walls {
  /** Path of the deno that came with the program, or null: then no installed skill runs. */
  readonly deno: string | null;
  /** Path of bubblewrap, when it can build a sandbox here, and what of the system deno needs inside. */
  readonly bubblewrap: { readonly path: string; readonly libraries: readonly string[] } | null;
  /** The kernel holds limits of memory, processor time and file size. */
  readonly limits: boolean;
  /** One sentence for each wall that is not there, with what would bring it. */
  readonly missing: readonly string[];
}

/** Finds out what this machine can do, once; `again` looks anew. */
export interface WallProbe {
  look(options?: { readonly again?: boolean }): Promise<Walls>;
}

export interface WallProbeOptions {
  /** Without it nothing is sandboxed: for tests of just that. */
  readonly deno?: string | null;
  /** Null as if the machine had no bubblewrap. */
  readonly bubblewrap?: string | null;
}

const BUBBLEWRAP = ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/bin/bwrap', '/run/current-system/sw/bin/bwrap'];
const PLATFORMS: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64-glibc',
  'linux-arm64': 'linux-arm64-glibc',
  'darwin-x64': 'darwin-x64',
  'darwin-arm64': 'darwin-arm64',
  'win32-x64': 'win32-x64',
};

export function createWallProbe(options: WallProbeOptions = {}): WallProbe {
  let found: Promise<Walls> | null = null;
  return {
    look({ again = false } = {}) {
      if (again) found = null;
      return (found ??= look(options));
    },
  };
}

async function look({
  deno = findDeno(),
  bubblewrap = BUBBLEWRAP.find((path) => existsSync(path)) ?? null,
}: WallProbeOptions): Promise<Walls> {
  const limits = process.platform === 'linux';
  if (deno === null)
    return {
      deno: null,
      bubblewrap: null,
      limits,
      missing: [
        `deno is not there, so installed skills do not run: run "npm ci" without "--omit=optional" (there is none for ${process.platform}-${process.arch} with every C library)`,
      ],
    };
  const missing: string[] = [];
  if (!limits)
    missing.push(
      `The system of ${process.platform} holds no limits of memory and processor time: only deno’s own limit of its heap, and the time limit, do`,
    );
  if (process.platform !== 'linux') {
    missing.push('bubblewrap is for Linux: here skills are held by deno’s permissions alone');
    return { deno, bubblewrap: null, limits, missing };
  }
  if (bubblewrap === null) {
    missing.push(
      'bubblewrap is not installed, so skills are held by deno’s permissions alone: install it ("apt install bubblewrap", "dnf install bubblewrap")',
    );
    return { deno, bubblewrap: null, limits, missing };
  }
  const libraries = await librariesOf(deno);
  try {
    await promisify(execFile)(bubblewrap, [...bubblewrapArgs({ deno, libraries, binds: [] }), '/deno', '--version'], {
      env: {},
      timeout: 10_000,
    });
    return { deno, bubblewrap: { path: bubblewrap, libraries }, limits, missing };
  } catch (error) {
    const why = toError(error).message.split('\n').at(-1) ?? '';
    const said = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) ?? why;
    missing.push(
      `bubblewrap is installed but cannot build a sandbox (${said}), so skills are held by deno’s permissions alone: allow unprivileged user namespaces to it (an AppArmor profile for bwrap, or sysctl kernel.unprivileged_userns_clone=1)`,
    );
    return { deno, bubblewrap: null, limits, missing };
  }
}

/** The deno of our own dependencies: never one of the PATH, which anybody may have put there. */
function findDeno(): string | null {
  const platform = PLATFORMS[`${process.platform}-${process.arch}`];
  if (platform === undefined) return null;
  try {
    const path = createRequire(import.meta.url).resolve(`@deno/${platform}/deno${process.platform === 'win32' ? '.exe' : ''}`);
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

/** The shared libraries a program loads, its loader included, as the system says; the whole library folders where it does not. */
async function librariesOf(program: string): Promise<readonly string[]> {
  try {
    const { stdout } = await promisify(execFile)('ldd', [program], { env: { PATH: '/usr/bin:/bin' }, timeout: 10_000 });
    const paths = [...stdout.matchAll(/(?:=>\s*|^\s*)(\/\S+) \(0x/gm)].map(([, path]) => path!);
    if (paths.length > 0) return paths;
  } catch {
    // Some systems have no ldd.
  }
  return ['/lib', '/lib64', '/usr/lib', '/usr/lib64'].filter((path) => existsSync(path));
}

/** Throws `skill.no_sandbox` where not even deno is there. */
export function assertSandbox(walls: Walls): asserts walls is Walls & { readonly deno: string } {
  if (walls.deno === null)
    throw new AppError('unavailable', 'skill.no_sandbox', walls.missing[0] ?? 'There is no sandbox for installed skills');
}
