import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run, Running, Service } from '#core/service';
import { buildApp } from './app.ts';
import { listenError } from './listen-error.ts';
import type { HttpDeps } from './ports.ts';

/** How long requests under way may take to end once the server closes. */
const GRACE_MS = 3_000;

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/** A service that listens; it has an address while it runs. */
export interface Listener extends Service {
  address(): Address | null;
}

/** The owner's side of the HTTP edge: API, events, probes and the web interface. */
export function createHttp(deps: HttpDeps): Listener {
  const { host, port, tls } = deps.config;
  let address: Address | null = null;

  async function start(run: Run): Promise<Running> {
    const closing = new AbortController();
    const app = await buildApp(deps, closing.signal);
    try {
      await app.listen({ host, port });
    } catch (error) {
      closing.abort();
      await app.close();
      throw listenError(error, { host, port, setting: 'CASTELLAN_PORT' });
    }
    app.server.on('error', (error) => run.exit(error));
    address = addressOf(host, app.server.address() as AddressInfo, tls ? 'https' : 'http');

    async function stop(): Promise<void> {
      address = null;
      closing.abort();
      const over = new AbortController();
      void sleep(GRACE_MS, undefined, { signal: over.signal }).then(
        () => app.server.closeAllConnections(),
        () => {},
      );
      await app.close();
      over.abort();
    }

    return { stop, health: () => ({ ok: true, detail: address?.url ?? 'stopping' }) };
  }

  return { name: 'http', stopTimeoutMs: GRACE_MS + 2_000, start, address: () => address };
}

/** The address of a listening socket under the host name it was given. */
export function addressOf(host: string, { port }: AddressInfo, scheme: 'http' | 'https'): Address {
  return { host, port, url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}` };
}
