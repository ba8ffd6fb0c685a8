import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#core/clock';
import type { StreamEvent } from '#core/endpoint';

const HEARTBEAT_MS = 15_000;
/** How long an answer waits for its first event, so that what fails at once is still answered with its own status. */
const OPENING_MS = 250;

export interface SseOptions {
  readonly res: ServerResponse;
  /** Aborted when the client has gone or the server closes. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Reads the data of each event before it is sent; throws where it is not what was promised. */
  readonly read: (data: unknown) => unknown;
  /** Called just before the first byte: from here on failures are told inside the stream. */
  readonly onOpen: () => void;
  /** What to tell the client when the stream breaks after its start. */
  readonly onFailure: (thrown: unknown) => unknown;
}

/**
 * Sends events until they end or the client goes (HTML Living Standard, section 9.2). Each is written at once; the next is
 * taken only when the socket has room. A client that takes nothing for two heartbeats is cut off. Rejects only before it opened.
 */
export async function sendEvents(
  events: AsyncIterable<StreamEvent<unknown>>,
  { res, signal, clock, read, onOpen, onFailure }: SseOptions,
): Promise<void> {
  const iterator = events[Symbol.asyncIterator]();
  const giveBack = (): void => void iterator.return?.().catch(() => {});
  const leave = (): void => {
    giveBack();
    if (res.headersSent) res.end();
  };
  signal.addEventListener('abort', leave, { once: true });
  const ended = new AbortController();
  try {
    const first = iterator.next();
    await Promise.race([first, sleep(OPENING_MS, undefined, { signal: ended.signal, ref: false }).catch(() => {})]);
    onOpen();
    res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    res.flushHeaders();
    void keepAlive(res, clock, AbortSignal.any([signal, ended.signal]));
    await pump(first).catch((error: unknown) => {
      if (!signal.aborted) res.write(frame({ event: 'error', data: onFailure(error) }));
    });
    res.end();
  } finally {
    ended.abort();
    signal.removeEventListener('abort', leave);
    giveBack();
  }

  async function pump(first: Promise<IteratorResult<StreamEvent<unknown>>>): Promise<void> {
    for (let next = await first; !next.done && !signal.aborted; next = await iterator.next()) {
      const event = { ...next.value, data: read(next.value.data) };
      if (!res.write(frame(event))) await once(res, 'drain', { signal });
    }
  }
}

async function keepAlive(res: ServerResponse, clock: Clock, signal: AbortSignal): Promise<void> {
  let isStuck = false;
  res.on('drain', () => (isStuck = false));
  for (;;) {
    const isOver = await clock.sleep(HEARTBEAT_MS, signal).then(
      () => false,
      () => true,
    );
    if (isOver) return;
    if (isStuck) return void res.destroy();
    isStuck = res.writableNeedDrain;
    if (!isStuck) res.write(':\n\n');
  }
}

/** One event on the wire. Line ends in an id or a name would begin a field of their own: they are dropped. */
export function frame({ id, event, data }: StreamEvent<unknown>): string {
  const line = (field: string, text: string | undefined): string =>
    text === undefined ? '' : `${field}: ${text.replace(/[\r\n\0]/g, '')}\n`;
  return `${line('id', id)}${line('event', event)}data: ${JSON.stringify(data ?? null)}\n\n`;
}
