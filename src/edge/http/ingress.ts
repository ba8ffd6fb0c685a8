import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { memberOf } from '#core/config/networks';
import type { Run, Running } from '#core/service';
import { listenError } from './listen-error.ts';
import type { Log } from './ports.ts';
import { addressOf, type Address, type Listener } from './server.ts';

/** How long the rest of a request may take to come in: a sender who dribbles is cut off. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
const MOST_CONNECTIONS = 1_000;
const MAX_HEADER_BYTES = 16 * 1024;
/** How long a handler may take: platforms give up on a callback after 3 to 10 seconds. */
const HANDLE_MS = 10_000;
const GRACE_MS = 3_000;

/** A callback as it came in: nothing believed, the body byte for byte as it was signed. */
export interface IngressRequest {
  /** The `{id}` of the path. */
  readonly id: string;
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** IP address of the sender; behind a trusted proxy, the one the proxy saw. */
  readonly address: string;
  /** Aborted when the sender has gone, the time is over or the server closes. */
  readonly signal: AbortSignal;
}

export interface IngressAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Takes what is sent to `/<prefix>/{id}`. */
export interface IngressHandler {
  readonly prefix: 'hooks' | 'channels';
  readonly methods: readonly ('GET' | 'POST')[];
  /** A larger body gets 413. */
  readonly maxBodyBytes: number;
  /** null is the 404 that everything unknown gets. What it throws is a bug: logged, answered 500 and nothing more. */
  readonly handle: (request: IngressRequest) => Promise<IngressAnswer | null>;
}

export interface IngressDeps {
  readonly config: { readonly host: string; readonly port: number; readonly trustedProxies?: readonly string[] };
  readonly handlers: readonly IngressHandler[];
  readonly log: Log;
}

const TARGET = /^\/(hooks|channels)\/([A-Za-z0-9_-]{1,128})(?:\?|$)/;

/** The public side: callbacks for those who registered, an empty 404 for all else, never a word about itself. */
export function createIngress({ config: { host, port, trustedProxies = [] }, handlers, log }: IngressDeps): Listener {
  const isProxy = memberOf(trustedProxies);
  let address: Address | null = null;

  async function answer(req: IncomingMessage, res: ServerResponse, closing: AbortSignal): Promise<void> {
    const [, prefix, id] = TARGET.exec(req.url ?? '') ?? [];
    const handler = handlers.find((each) => each.prefix === prefix);
    const method = req.method ?? '';
    // a wrong method is an absence too: 405 would tell which addresses there are
    if (!handler || id === undefined || !(handler.methods as readonly string[]).includes(method)) return send(res, { status: 404 });
    const body = await read(req, handler.maxBodyBytes);
    if (body === 'too_large') return send(res, { status: 413 });
    if (body === 'gone') return;

    const { url: target = '', headers } = req;
    const about = { id, method, target, headers, body, address: senderOf(req, isProxy) };
    const it = await within(HANDLE_MS, res, closing, (signal) => handler.handle({ ...about, signal }));
    send(res, it === 'late' ? { status: 503, headers: { 'retry-after': '30' } } : (it ?? { status: 404 }));
  }

  async function start(run: Run): Promise<Running> {
    const closing = new AbortController();
    // Importing node:http by name would load all of Node's fetch with it: 25 ms and 15 MB at start.
    const { createServer } = process.getBuiltinModule('node:http');
    const server = createServer({
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: MAX_HEADER_BYTES,
      requireHostHeader: false, // Node would say so in an answer of its own
    });
    server.maxConnections = MOST_CONNECTIONS;
    server.on('clientError', (_error, socket) => socket.destroy());
    const onRequest = (req: IncomingMessage, res: ServerResponse): void => {
      answer(req, res, closing.signal).catch((error: unknown) => {
        log.error('a callback failed', { target: req.url?.split('?', 1)[0], error });
        if (!res.headersSent) send(res, { status: 500 });
        else res.destroy();
      });
    };
    server.on('request', onRequest);
    server.on('checkExpectation', onRequest); // and of a 417
    server.listen(port, host);
    try {
      await once(server, 'listening');
    } catch (error) {
      throw listenError(error, { host, port, setting: 'CASTELLAN_INGRESS_PORT' });
    }
    server.on('error', (error) => run.exit(error));
    address = addressOf(host, server.address() as AddressInfo, 'http');

    async function stop(): Promise<void> {
      address = null;
      const closed = once(server, 'close');
      server.close();
      const over = new AbortController();
      void sleep(GRACE_MS, undefined, { signal: over.signal }).then(
        () => (closing.abort(), server.closeAllConnections()),
        () => {},
      );
      await closed;
      over.abort();
    }

    return { stop, health: () => ({ ok: true, detail: address?.url ?? 'stopping' }) };
  }

  return { name: 'ingress', stopTimeoutMs: GRACE_MS + 2_000, start, address: () => address };
}

/** The last address that is not a proxy's: what stands before it in `X-Forwarded-For` anybody can have written. */
function senderOf({ socket, headers }: IncomingMessage, isProxy: (address: string) => boolean): string {
  const peer = socket.remoteAddress ?? '';
  if (!isProxy(peer)) return peer;
  const path = [headers['x-forwarded-for'] ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((each) => each.trim());
  return path.toReversed().find((each) => each !== '' && !isProxy(each)) ?? peer;
}

/** The whole body, unless it is larger than allowed or its sender leaves. What is too much is let run out unread. */
function read(req: IncomingMessage, maxBytes: number): Promise<Buffer | 'too_large' | 'gone'> {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve('too_large');
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) return void chunks.push(chunk);
      chunks.length = 0;
      resolve('too_large');
    });
    req.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    req.on('close', () => resolve('gone'));
  });
}

/** Runs a handler until it answers, its time is over, the sender has gone or the server closes. */
async function within<T>(
  limitMs: number,
  res: ServerResponse,
  closing: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | 'late'> {
  const over = new AbortController();
  const end = (): void => over.abort();
  const timer = setTimeout(end, limitMs);
  res.once('close', end);
  closing.addEventListener('abort', end, { once: true });
  try {
    return await new Promise<T | 'late'>((resolve, reject) => {
      over.signal.addEventListener('abort', () => resolve('late'), { once: true });
      work(over.signal).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    closing.removeEventListener('abort', end);
  }
}

function send(res: ServerResponse, { status, headers = {}, body = '' }: IngressAnswer): void {
  res.writeHead(status, {
    'content-length': String(Buffer.byteLength(body)),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...headers,
  });
  res.end(body);
}
