import { readdir, readFile, readlink } from 'node:fs/promises';
import { isLoopback } from '#core/config';

/** A socket that waits for connections or datagrams. */
export interface Listening {
  readonly address: string;
  readonly port: number;
}

/** What a process and all below it listen on, by the kernel's own tables; null where there are none to read (not Linux). */
export async function listenersOf(pid: number): Promise<readonly Listening[] | null> {
  if (process.platform !== 'linux') return null;
  const found = await Promise.all([pid, ...(await descendants(pid))].map(listenersOfOne));
  return found.flat();
}

/** Those that another machine could reach. */
export function beyondLoopback(listening: readonly Listening[]): readonly Listening[] {
  return listening.filter(({ address }) => !isLoopback(address));
}

async function descendants(pid: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = new Map(
    await Promise.all(
      pids.map(async (each) => {
        const stat = await readFile(`/proc/${each}/stat`, 'utf8').catch(() => '');
        return [each, Number(/\) \S (\d+)/.exec(stat)?.[1] ?? 0)] as const;
      }),
    ),
  );
  const isBelow = (each: number): boolean => {
    const parent = parents.get(each) ?? 0;
    return parent === pid || (parent > 1 && isBelow(parent));
  };
  return pids.filter(isBelow);
}

async function listenersOfOne(pid: number): Promise<readonly Listening[]> {
  const fds = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  const own = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const tables = await Promise.all(
    ['tcp', 'tcp6', 'udp', 'udp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => '')),
  );
  return tables.flatMap((table, at) =>
    table
      .trim()
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
        const [address = '', port = ''] = local.split(':');
        const waits = at < 2 ? state === '0A' : state === '07';
        return own.has(inode) && waits ? [{ address: readable(address), port: Number.parseInt(port, 16) }] : [];
      }),
  );
}

/** `0100007F` is 127.0.0.1: each four bytes are in the order of the machine, which is little-endian wherever Node runs on Linux. */
function readable(hex: string): string {
  const bytes = hex.match(/.{8}/g)!.flatMap((word) => word.match(/../g)!.toReversed());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const groups = Array.from({ length: 8 }, (_, at) => bytes[2 * at]! + bytes[2 * at + 1]!);
  const address = new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(address);
  if (!mapped) return address;
  const value = (Number.parseInt(mapped[1]!, 16) << 16) | Number.parseInt(mapped[2]!, 16);
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}
