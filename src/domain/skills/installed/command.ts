import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MAIN_FILE } from './manifest.ts';
import type { Walls } from './walls.ts';

/** A process to start, walls and all. */
export interface SandboxCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** The skill's module as the process sees it. */
  readonly main: string;
}

export interface SandboxJob {
  readonly walls: Walls & { readonly deno: string };
  /** The installed skill. */
  readonly folder: string;
  /** A folder of its own that is thrown away: deno's cache where there is no bubblewrap. */
  readonly scratch: string;
  readonly memoryMb: number;
  readonly cpuSeconds: number;
}

/** Where the SDK lies: beside the program. */
export const SDK_FOLDER = dirname(fileURLToPath(import.meta.resolve('#skill')));

/** Of V8's reserved code range and of what deno is made of: neither is the skill's. */
const DENO_DATA_KB = 700 * 1_024;
const LARGEST_FILE_BLOCKS = 16_384;
const SCRATCH_BYTES = 16 * 2 ** 20;

/**
 * The command line of one run. From the outside in: the kernel's limits (`ulimit`), bubblewrap (no file but deno, its libraries, the SDK and the
 * skill, read-only; no network, no other process, no privilege), deno (no permission but to read these two folders).
 */
export function sandboxCommand({ walls, folder, scratch, memoryMb, cpuSeconds }: SandboxJob): SandboxCommand {
  const { bubblewrap, deno, limits } = walls;
  const [sdk, skill] = bubblewrap ? ['/sdk', '/skill'] : [SDK_FOLDER, folder];
  const inner = [bubblewrap ? '/deno' : deno, ...denoArgs(sdk, skill, memoryMb)];
  const walled = bubblewrap
    ? [
        bubblewrap.path,
        ...bubblewrapArgs({
          deno,
          libraries: bubblewrap.libraries,
          binds: [
            [SDK_FOLDER, sdk],
            [folder, skill],
          ],
        }),
        ...inner,
      ]
    : inner;
  const [command = '', ...args] = limits
    ? ['/bin/sh', '-c', LIMITED, 'sh', String(cpuSeconds), String(DENO_DATA_KB + memoryMb * 1_024), ...walled]
    : walled;
  return { command, args, env: bubblewrap ? {} : denoEnv(scratch), cwd: scratch, main: pathToFileURL(join(skill, MAIN_FILE)).href };
}

const LIMITED = `ulimit -c 0; ulimit -H -t "$(($1 + 1))"; ulimit -S -t "$1"; ulimit -d "$2"; ulimit -f ${LARGEST_FILE_BLOCKS}; shift 2; exec "$@"`;

const DENO_FLAGS = '--no-prompt --no-config --no-remote --no-npm --no-lock --no-code-cache --quiet'.split(' ');
const DENIED = '--deny-net --deny-env --deny-sys --deny-run --deny-ffi --deny-write --deny-import'.split(' ');

function denoArgs(sdk: string, skill: string, memoryMb: number): string[] {
  const heap = `--v8-flags=--max-old-space-size=${memoryMb}`;
  const read = `--allow-read=${[sdk, skill].map((path) => path.replaceAll(',', ',,')).join()}`;
  return ['run', ...DENO_FLAGS, ...DENIED, heap, read, `--import-map=${join(sdk, 'import-map.json')}`, join(sdk, 'skill-entry.ts')];
}

function denoEnv(scratch: string): Record<string, string> {
  return { DENO_DIR: scratch, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' };
}

const ALONE = '--unshare-all --unshare-user --uid 65534 --gid 65534 --disable-userns --cap-drop ALL --hostname skill'.split(' ');
const BOUND_TO_US = '--die-with-parent --new-session --clearenv'.split(' ');
/** There is no /proc; deno only asks where it is itself. */
const PROC = '--dir /proc --dir /proc/self --symlink /deno /proc/self/exe'.split(' ');

/** A root of nothing but what is bound, read-only; a user, network, process table, host name and IPC of its own. */
export function bubblewrapArgs(inside: {
  readonly deno: string;
  readonly libraries: readonly string[];
  readonly binds: readonly (readonly [from: string, to: string])[];
}): string[] {
  const bind = (from: string, to: string): string[] => ['--ro-bind', from, to];
  return [
    ...ALONE,
    ...BOUND_TO_US,
    ...Object.entries(denoEnv('/tmp')).flatMap(([name, value]) => ['--setenv', name, value]),
    ...bind(inside.deno, '/deno'),
    ...inside.libraries.flatMap((path) => bind(path, path)),
    ...inside.binds.flatMap(([from, to]) => bind(from, to)),
    ...PROC,
    ...`--size ${SCRATCH_BYTES} --tmpfs /tmp`.split(' '),
    // What deno would keep for a website (caches, localStorage) needs this to be a folder.
    ...bind('/dev/null', '/tmp/location_data'),
    ...'--remount-ro / --chdir /'.split(' '),
  ];
}
