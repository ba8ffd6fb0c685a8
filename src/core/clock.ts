/** The time and its waits, as an argument: nothing in the domain reads the machine's clock by itself. */
export interface Clock {
  /** Milliseconds since the epoch, UTC. */
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. Waits of any length are allowed. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    for (let left = Math.max(0, ms); ; left -= LONGEST_TIMER_MS) {
      await timer(Math.min(left, LONGEST_TIMER_MS), signal);
      if (left <= LONGEST_TIMER_MS) return;
    }
  },
};

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const handle = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    function stop(): void {
      clearTimeout(handle);
      reject(signal!.reason as Error);
    }
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** A clock that tests move by hand: `advance` fires every wait that falls due, in order. */
export interface ManualClock extends Clock {
  set(ms: number): void;
  advance(ms: number): Promise<void>;
}

export function manualClock(start = 0): ManualClock {
  let now = start;
  let waits: { at: number; wake: () => void }[] = [];
  const clock: ManualClock = {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        const wait = { at: now + ms, wake: resolve };
        waits.push(wait);
        signal?.addEventListener(
          'abort',
          () => {
            waits = waits.filter((w) => w !== wait);
            reject(signal.reason as Error);
          },
          { once: true },
        );
      }),
    set: (ms) => {
      now = ms;
    },
    async advance(ms) {
      const until = now + ms;
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        const next = waits.filter((w) => w.at <= until).toSorted((a, b) => a.at - b.at)[0];
        if (!next) break;
        waits = waits.filter((w) => w !== next);
        now = Math.max(now, next.at);
        next.wake();
      }
      now = until;
    },
  };
  return clock;
}

/** The machine's clock with every wait cut to a part and its time passing as much faster, for tests of what really waits. */
export function hurriedClock(times: number): Clock {
  const start = Date.now();
  return {
    now: () => Math.round(start + (Date.now() - start) * times),
    sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
  };
}
