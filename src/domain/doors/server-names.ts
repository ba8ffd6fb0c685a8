import { hostname, networkInterfaces } from 'node:os';
import type { Config } from '#core/config';
import { isServerName } from './contract.ts';

/** What a certificate of the owner's side has to be good for: its names, and the addresses it listens on. */
export function serverNames({ host, hostNames }: Pick<Config, 'host' | 'hostNames'>): string[] {
  const isWide = host === '0.0.0.0' || host === '::';
  const own = isWide ? [hostname().toLowerCase(), ...addresses()] : [host.toLowerCase()];
  return [...new Set([...hostNames, ...own, 'localhost', '127.0.0.1', '::1'])].filter(isServerName);
}

/** Of this machine, as others call it; IPv6 ones that change by the day are left out. */
function addresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);
}
