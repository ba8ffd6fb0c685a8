import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';

/** The time a request may take, as one signal. */
export interface Limits {
  /** Aborted when the caller gives up, the whole time is over or the server is silent for too long; its reason says which. */
  readonly signal: AbortSignal;
  /** The server said something: its silence is counted from now. */
  heard(): void;
  /** The reader is busy with what it got: silence does not count until `heard`. */
  rest(): void;
  /** The request is over; lets go of the timers. */
  done(): void;
}

export interface TimeLimits {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly idleTimeoutMs?: number;
}

export function watch({ signal, timeoutMs, idleTimeoutMs }: TimeLimits, clock: Clock): Limits {
  const limit = new AbortController();
  const over = new AbortController();
  let silentSince: number | null = clock.now();

  clock.sleep(timeoutMs, over.signal).then(
    () => limit.abort(timedOut(`The exchange took longer than ${timeoutMs} ms`)),
    () => {},
  );
  if (idleTimeoutMs !== undefined && idleTimeoutMs < timeoutMs) watchSilence(idleTimeoutMs).catch(() => {});

  /** One timer that looks now and then, not one per chunk. */
  async function watchSilence(limitMs: number): Promise<void> {
    for (;;) {
      const silentMs = silentSince === null ? 0 : clock.now() - silentSince;
      if (silentMs >= limitMs) return limit.abort(timedOut(`The server was silent for ${limitMs} ms`));
      await clock.sleep(limitMs - silentMs, over.signal);
    }
  }

  return {
    signal: AbortSignal.any([signal, limit.signal]),
    heard: () => {
      silentSince = clock.now();
    },
    rest: () => {
      silentSince = null;
    },
    done: () => over.abort(),
  };
}

function timedOut(message: string): AppError {
  return new AppError('unavailable', 'fetch.timeout', message);
}
