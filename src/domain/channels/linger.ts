import type { Clock } from '#core/clock';

/** A message under way is given so long to arrive when the program stops: less than a service is given to stop. */
const GRACE_MS = 4_000;

/** Runs `fn` with a signal that is aborted a little after the one given, so that a stop does not leave open what became of a message. */
export async function linger<T>(signal: AbortSignal, clock: Clock, fn: (signal: AbortSignal) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const late = new AbortController();
  const done = new AbortController();
  const onAbort = (): void =>
    void clock.sleep(GRACE_MS, done.signal).then(
      () => late.abort(signal.reason),
      () => {},
    );
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await fn(late.signal);
  } finally {
    signal.removeEventListener('abort', onAbort);
    done.abort();
  }
}
