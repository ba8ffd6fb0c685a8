import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { existsSync } from 'node:fs';

/** The port that the bridge opens on the sandbox's own loopback. */
const BRIDGE_PORT = 8799;
const HOME = '/home/agent';
const SOCKET = '/run/gateway.sock';
const BRIDGE = '/opt/castellan/bridge-entry.ts';

export const inside = { home: HOME, gateway: `http://127.0.0.1:${BRIDGE_PORT}/gateway` } as const;

export interface SandboxJob {
  /** Path of bubblewrap. */
  readonly bubblewrap: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What the program loads itself from; read-only. */
  readonly root: string;
  /** The one folder it may write, at the same path inside. */
  readonly workspace: string;
  readonly readOnly: boolean;
  /** Its private home, outside. */
  readonly home: string;
  /** The gateway's socket, outside. */
  readonly socket: string;
}

/**
 * The command line of an agent in bubblewrap (github.com/containers/bubblewrap): a root of the system's programs, read-only; its workspace and
 * its private home; no network but a socket to the gateway, which the bridge offers on the sandbox's own loopback; no environment but its recipe's. That is
 * the process's own and not on the command line, which every account of the machine can read: the session's token is in it.
 */
export function sandboxed({ bubblewrap, program, args, env, root, workspace, readOnly, home, socket }: SandboxJob): {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const node = process.execPath;
  const ro = (...paths: readonly string[]): string[] =>
    paths.filter((path) => existsSync(path)).flatMap((path) => ['--ro-bind', path, path]);
  return {
    command: bubblewrap,
    env: { ...env, HOME, PATH: `${dirname(node)}:/usr/local/bin:/usr/bin:/bin`, TERM: 'dumb', LANG: 'C.UTF-8' },
    args: [
      '--unshare-all', '--unshare-user', '--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--hostname', 'agent',
      ...ro('/usr', '/lib', '/lib64', '/bin', '/sbin', '/etc/ssl', '/etc/alternatives', '/etc/ld.so.cache'),
      '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp',
      ...ro(dirname(node), root),
      '--ro-bind', fileURLToPath(new URL('bridge-entry.ts', import.meta.url)), BRIDGE,
      '--bind', socket, SOCKET,
      '--bind', home, HOME,
      readOnly ? '--ro-bind' : '--bind', workspace, workspace,
      '--chdir', workspace,
      node, BRIDGE, SOCKET, String(BRIDGE_PORT), program, ...args,
    ],
  }; // prettier-ignore
}
