import type { LookupAddress } from 'node:dns';
import { connect as connectTcp } from 'node:net';
import type { Agent, buildConnector } from 'undici';
import { AppError } from '../errors.ts';
import { isPrivateName, literalAddress, type Reacher } from './addresses.ts';
import { isWebPort } from './ports.ts';

/** Resolves a name to all its addresses; `dns.promises.lookup` in production. */
export type Lookup = (host: string) => Promise<readonly LookupAddress[]>;

export interface GuardOptions {
  readonly reach: Reacher;
  readonly lookup: Lookup;
  readonly allowPrivate: boolean;
  readonly connectTimeoutMs: number;
  /** Extra certificate authorities, PEM. */
  readonly ca?: string;
}

type Undici = typeof import('undici');
type Callback = buildConnector.Callback;

/**
 * A connection pool that refuses addresses at the moment of connecting: the address that was checked is the address
 * that is dialled, so a name that changes its answer (DNS rebinding) gains nothing. The TCP connection is made here
 * for https too, because undici hands `blockList` and `lookup` to `tls.connect` only in part.
 */
export function createGuardedAgent(undici: Undici, options: GuardOptions): Agent {
  const { connectTimeoutMs, ca } = options;
  const startTls = undici.buildConnector({ timeout: connectTimeoutMs, allowH2: false, ...(ca && { ca }) });

  function connect(target: buildConnector.Options, callback: Callback): void {
    dial(target.hostname, portOf(target), options).then(
      (socket) => (target.protocol === 'https:' ? startTls({ ...target, httpSocket: socket }, callback) : callback(null, socket)),
      (error: Error) => callback(error, null),
    );
  }

  return new undici.Agent({ connect, allowH2: false, connections: 16, headersTimeout: 0, bodyTimeout: 0 });
}

function portOf(target: buildConnector.Options): number {
  return Number(target.port || (target.protocol === 'https:' ? 443 : 80));
}

async function dial(hostname: string, port: number, options: GuardOptions) {
  if (!options.allowPrivate && !isWebPort(port))
    throw new AppError('forbidden', 'fetch.blocked', `Port ${port} of ${hostname} belongs to another protocol than the web's`, {
      host: hostname,
      port,
    });
  const addresses = await allowedAddresses(hostname, options);
  const socket = connectTcp({
    host: hostname.replace(/^\[|\]$/g, ''),
    port,
    noDelay: true,
    autoSelectFamily: true,
    lookup: (_host, _options, done) => done(null, [...addresses]),
  });
  const limit = setTimeout(
    () =>
      socket.destroy(
        new AppError('unavailable', 'fetch.timeout', `${hostname} did not accept a connection within ${options.connectTimeoutMs} ms`, {
          host: hostname,
        }),
      ),
    options.connectTimeoutMs,
  );
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return socket;
  } finally {
    clearTimeout(limit);
  }
}

/** The addresses of a host that may be dialled; throws `fetch.blocked` when there are none. */
export async function allowedAddresses(hostname: string, options: GuardOptions): Promise<readonly LookupAddress[]> {
  const { reach, lookup, allowPrivate } = options;
  const literal = literalAddress(hostname);
  if (!literal && !allowPrivate && isPrivateName(hostname)) throw blocked(hostname);
  const found = literal ? [{ address: literal, family: literal.includes(':') ? 6 : 4 }] : await lookup(hostname);
  const allowed = found.filter(({ address }) => {
    const how = reach(address);
    return how === 'public' || (how === 'private' && allowPrivate);
  });
  if (allowed.length === 0) throw blocked(hostname);
  return allowed;
}

function blocked(host: string): AppError {
  return new AppError(
    'forbidden',
    'fetch.blocked',
    `${host} is on a private or reserved network, which only an address that the owner configured may reach`,
    { host },
  );
}
