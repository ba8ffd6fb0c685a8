import type { AddressInfo } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run, Running, Service } from '#core/service';
import { buildApp } from './app.ts';
import { createClients } from './clients.ts';
import { createDenials } from './denials.ts';
import { listenError } from './listen-error.ts';
import { listenLocally } from './local-socket.ts';
import type { HttpConfig, HttpDeps } from './ports.ts';
import { keepTls, loadTls, type TlsKeeper, type TlsState } from './tls.ts';

/** How long requests under way may take to end once the server closes. */
const GRACE_MS = 3_000;
/** One browser takes a handful; this many at once is somebody else's. */
const MOST_CONNECTIONS = 1_000;

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

/** The owner's side: it may speak TLS. */
export interface OwnerListener extends Listener {
  /** As a browser is to call it. */
  browserUrl(): string | null;
  /** The certificate in use; null without TLS, or while it does not run. */
  tls(): TlsState | null;
}

/** The owner's side of the HTTP edge: API, events, probes and the web interface. */
export function createHttp(deps: HttpDeps): OwnerListener {
  const { host, port, tls: files, socketPath } = deps.config;
  const { admits, bus, clock, log } = deps;
  let address: Address | null = null;
  let keeper: TlsKeeper | null = null;
  const onDenial = createDenials(deps);

  async function start(run: Run): Promise<Running> {
    const closing = new AbortController();
    const loaded = files ? await loadTls(files) : null;
    const clients =
      files?.clientCaFile && admits
        ? createClients({ bus, admits, onRefusal: (error) => onDenial({ actor: 'anonymous', resource: 'TLS', error }) })
        : null;
    const app = await buildApp(deps, { closing: closing.signal, tls: loaded, clients, onDenial });
    app.server.maxConnections = MOST_CONNECTIONS;
    clients?.guard(app.server as unknown as TlsServer, closing.signal);
    try {
      await app.listen({ host, port });
    } catch (error) {
      closing.abort();
      await app.close();
      throw listenError(error, { host, port, setting: 'CASTELLAN_PORT' });
    }
    app.server.on('error', (error) => run.exit(error));
    const local = socketPath ? await listenLocally(app, socketPath) : null;
    if (files && loaded) {
      const server = app.server as unknown as TlsServer;
      keeper = keepTls({ server, files, loaded, clock, log, signal: closing.signal });
      bus.subscribe('certificate.issued', ({ kind }) => (kind === 'client' ? undefined : keeper?.look()), closing.signal);
    }
    address = addressOf(host, app.server.address() as AddressInfo, files ? 'https' : 'http');

    async function stop(): Promise<void> {
      address = null;
      keeper = null;
      closing.abort();
      const over = new AbortController();
      void sleep(GRACE_MS, undefined, { signal: over.signal }).then(
        () => (app.server.closeAllConnections(), local?.closeAllConnections()),
        () => {},
      );
      await Promise.all([app.close(), local?.close()]);
      over.abort();
    }

    function detail(): string {
      const problem = keeper?.state().problem ?? null;
      return `${address?.url ?? 'stopping'}${problem === null ? '' : `; the newer certificate is not in use: ${problem}`}`;
    }

    return { stop, health: () => ({ ok: true, detail: detail() }) };
  }

  return {
    name: 'http',
    stopTimeoutMs: GRACE_MS + 2_000,
    start,
    address: () => address,
    browserUrl: () => address && shownUrl(deps.config, address),
    tls: () => keeper?.state() ?? null,
  };
}

/** By its first name where it has one; for an address of all networks by one that works at least here; through its proxy where there is one. */
function shownUrl({ host, tls, hostNames = [], trustedProxies = [] }: HttpConfig, { port, url }: Address): string {
  const [name] = hostNames;
  if (!tls && name !== undefined && trustedProxies.length > 0) return `https://${name}`;
  const shown = name ?? (host === '0.0.0.0' || host === '::' ? 'localhost' : undefined);
  return shown === undefined ? url : `${tls ? 'https' : 'http'}://${shown}:${port}`;
}

/** The address of a listening socket under the host name it was given. */
export function addressOf(host: string, { port }: AddressInfo, scheme: 'http' | 'https'): Address {
  return { host, port, url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}` };
}
