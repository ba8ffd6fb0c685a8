import { lookup } from 'node:dns/promises';
import { createReacher, literalAddress } from '#core/fetch/addresses';

/** Whether an address is on this machine or in this network. */
export interface Locality {
  /** From the address alone: a literal private address, or `localhost`. */
  isSurely(baseUrl: string): boolean;
  /** Also asks what the name stands for, each time: every one of its addresses must be private. */
  is(baseUrl: string): Promise<boolean>;
}

export type Resolve = (host: string) => Promise<readonly string[]>;

export function createLocality(resolve: Resolve = resolveAll): Locality {
  const reach = createReacher();

  function isSurely(baseUrl: string): boolean {
    const { hostname } = new URL(baseUrl);
    const literal = literalAddress(hostname);
    return literal === null ? /(^|\.)localhost\.?$/i.test(hostname) : reach(literal) === 'private';
  }

  async function is(baseUrl: string): Promise<boolean> {
    if (isSurely(baseUrl)) return true;
    const { hostname } = new URL(baseUrl);
    if (literalAddress(hostname) !== null) return false;
    const addresses = await resolve(hostname).catch(() => []);
    return addresses.length > 0 && addresses.every((it) => reach(it) === 'private');
  }

  return { isSurely, is };
}

async function resolveAll(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map((it) => it.address);
}
