import { ProviderFailure } from '../contract.ts';
import type { Connection } from '../contract.ts';
import { failureOf, toFailure } from '../failure.ts';

/** A fetch that fails only with ProviderFailure, whose text holds neither the key nor a configured header's value. */
export type WireFetch = (
  url: string,
  init: { method?: string; headers: Record<string, string>; body?: string; signal: AbortSignal },
) => Promise<Response>;

const LARGEST_ERROR_BYTES = 64 * 1024;

/**
 * The fetch under every wire adapter. The key is put in here, at the last moment, as the headers of `authorize`; the
 * vendor's library never holds it. The connection's time limit holds until the first byte and then between bytes. Redirects
 * are not followed: they would carry the key to another host.
 */
export async function createWireFetch(
  connection: Connection,
  authorize: (key: string) => Readonly<Record<string, string>>,
): Promise<WireFetch> {
  const { Agent, fetch } = await import('undici');
  // Our own limits replace undici's (300 s), which are too short for a local model that reads a long prompt. Idle sockets are unreferenced.
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: Math.min(connection.timeoutMs, 30_000) } });

  const configured = Object.fromEntries(Object.entries(connection.headers).map(([name, value]) => [name.toLowerCase(), value]));

  return async (url, init) => {
    const limit = new AbortController();
    const timer = createWaitTimer(connection.timeoutMs, () =>
      limit.abort(new ProviderFailure('timeout', `No answer within ${connection.timeoutMs} ms`)),
    );
    const fail = (thrown: unknown): ProviderFailure => {
      timer.end();
      if (init.signal.aborted) return new ProviderFailure('cancelled', 'Cancelled');
      return redact(toFailure(limit.signal.aborted ? limit.signal.reason : thrown), connection);
    };
    try {
      const headers = { ...without(init.headers, Object.keys(authorize(''))), ...connection.apiKey?.use(authorize), ...configured };
      const signal = AbortSignal.any([init.signal, limit.signal]);
      timer.wait();
      const response = await fetch(url, {
        method: init.method ?? 'GET',
        headers,
        body: init.body ?? null,
        signal,
        dispatcher,
        redirect: 'manual',
      });
      const answerHeaders = Object.fromEntries(response.headers);
      const body = response.body as ReadableStream<Uint8Array> | null;
      if (!response.ok) throw failureOf(response.status, answerHeaders, await readText(body, LARGEST_ERROR_BYTES));
      return new Response(body && watch(body, timer, fail), { status: response.status, headers: answerHeaders });
    } catch (thrown) {
      throw fail(thrown);
    }
  };
}

/** The vendor libraries insist on a key of their own; it must not leave in place of ours, nor where there is none. */
function without(headers: Record<string, string>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

/** Passes the bytes on under the time limit, and names what broke. */
function watch(body: ReadableStream<Uint8Array>, timer: WaitTimer, fail: (thrown: unknown) => ProviderFailure): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        timer.wait();
        try {
          const { done, value } = await reader.read();
          timer.pause();
          if (!done) return controller.enqueue(value);
          timer.end();
          controller.close();
        } catch (thrown) {
          const failure = fail(thrown);
          controller.error(failure.reason === 'refused' ? new ProviderFailure('protocol', 'The answer broke off') : failure);
        }
      },
      cancel(reason) {
        timer.end();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

interface WaitTimer {
  wait(): void;
  pause(): void;
  end(): void;
}

/** Counts only while a byte is awaited, so a slow reader is not taken for a slow provider. One timer, refreshed: cheaper than one for each chunk. */
function createWaitTimer(limitMs: number, expire: () => void): WaitTimer {
  let waiting = false;
  const timer = setTimeout(() => {
    if (waiting) expire();
  }, limitMs).unref(); // The socket keeps the process alive as long as there is something to wait for.
  return {
    wait() {
      waiting = true;
      timer.refresh();
    },
    pause() {
      waiting = false;
    },
    end() {
      waiting = false;
      clearTimeout(timer);
    },
  };
}

async function readText(body: ReadableStream<Uint8Array> | null, limitBytes: number): Promise<string> {
  if (!body) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= limitBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Vendors quote the key they refused: takes it and the values of configured headers out of the message. */
function redact(failure: ProviderFailure, { apiKey, headers }: Connection): ProviderFailure {
  let message = failure.message;
  for (const value of Object.values(headers)) if (value.length >= 6) message = message.replaceAll(value, '[secret]');
  message = apiKey?.use((key) => (key ? message.replaceAll(key, '[secret]') : message)) ?? message;
  return message === failure.message ? failure : new ProviderFailure(failure.reason, message, failure.status, failure.retryAfterMs);
}
