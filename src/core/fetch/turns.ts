import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';

/** Who would wait longer than this is told so instead. */
const LONGEST_WAIT_MS = 60_000;
const LONGEST_CLOSED_MS = 24 * 3_600_000;
const CLOSED_MS = 60_000;
const MOST_WAITING = 100;
const MOST_HOSTS = 2_000;

/** A turn at a host, until it is given back. */
export interface Turn {
  /** How long it was waited for. */
  readonly waitedMs: number;
  /** Gives the turn back; the next one comes `delayMs` later. Again does nothing. */
  done(): void;
}

/** A host that is left alone for now. */
export interface RestingHost {
  readonly host: string;
  readonly untilMs: number;
  readonly waiting: number;
}

/** One visitor at a time for each host, and a pause between two. */
export interface Turns {
  /** Throws `fetch.host_resting` where the wait would be too long, or the signal's reason. */
  take(host: string, delayMs: number, signal: AbortSignal): Promise<Turn>;
  /** The host asked to be left alone (429 or 503), with its `Retry-After` as sent. */
  close(host: string, retryAfter: string | null): void;
  /** Hosts with a queue, or closed. */
  resting(): readonly RestingHost[];
}

interface Lane {
  last: Promise<void>;
  waiting: number;
  nextAt: number;
  closedUntil: number;
}

export function createTurns(clock: Clock): Turns {
  const lanes = new Map<string, Lane>();

  function laneOf(host: string): Lane {
    const lane = lanes.get(host) ?? { last: Promise.resolve(), waiting: 0, nextAt: 0, closedUntil: 0 };
    if (!lanes.has(host) && lanes.size >= MOST_HOSTS) forgetIdle();
    lanes.set(host, lane);
    return lane;
  }

  function forgetIdle(): void {
    const now = clock.now();
    for (const [host, lane] of lanes) if (lane.waiting === 0 && lane.nextAt <= now && lane.closedUntil <= now) lanes.delete(host);
  }

  function refuseLongWait(host: string, lane: Lane): void {
    const waitMs = Math.max(lane.nextAt, lane.closedUntil) - clock.now();
    if (waitMs <= LONGEST_WAIT_MS && lane.waiting < MOST_WAITING) return;
    const why = lane.closedUntil > clock.now() ? 'asked to be left alone' : 'has too many readers of ours in its queue';
    const retryAfterSeconds = Math.ceil(Math.max(waitMs, 1_000) / 1_000);
    throw new AppError('limited', 'fetch.host_resting', `${host} ${why}: try again in ${retryAfterSeconds} s`, { host, retryAfterSeconds });
  }

  return {
    async take(host, delayMs, signal) {
      signal.throwIfAborted();
      const lane = laneOf(host);
      refuseLongWait(host, lane);
      const since = clock.now();
      const before = lane.last;
      const over = Promise.withResolvers<void>();
      lane.last = before.then(() => over.promise);
      lane.waiting += 1;
      let isOver = false;
      const done = (): void => {
        if (isOver) return;
        isOver = true;
        lane.waiting -= 1;
        over.resolve();
      };
      try {
        await untilAborted(before, signal);
        refuseLongWait(host, { ...lane, waiting: 0 });
        const waitMs = Math.max(lane.nextAt, lane.closedUntil) - clock.now();
        if (waitMs > 0) await clock.sleep(waitMs, signal);
      } catch (error) {
        done();
        throw error;
      }
      return {
        waitedMs: clock.now() - since,
        done() {
          if (!isOver) lane.nextAt = clock.now() + delayMs;
          done();
        },
      };
    },

    close(host, retryAfter) {
      const now = clock.now();
      const until = retryAfter === null ? NaN : /^\d+$/.test(retryAfter) ? now + Number(retryAfter) * 1_000 : Date.parse(retryAfter);
      const lane = laneOf(host);
      lane.closedUntil = Number.isNaN(until) ? now + CLOSED_MS : Math.min(until, now + LONGEST_CLOSED_MS);
    },

    resting() {
      const now = clock.now();
      return [...lanes]
        .filter(([, { waiting, closedUntil }]) => waiting > 1 || closedUntil > now)
        .map(([host, { waiting, nextAt, closedUntil }]) => ({ host, waiting, untilMs: Math.max(nextAt, closedUntil) }));
    },
  };
}

function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    void work.then(resolve).finally(() => signal.removeEventListener('abort', stop));
  });
}
