import type { Clock } from '../clock.ts';

/** How many restarts within which time are still bad luck. */
export interface Intensity {
  readonly restarts: number;
  readonly withinMs: number;
}

/** Counts restarts in a sliding window. */
export interface RestartBudget {
  /** Books one restart; false when that is one too many. */
  book(): boolean;
  /** Whether more restarts than allowed lie within the window now. */
  spent(): boolean;
  /** Whether nothing lies within the window, so that it need not be remembered. */
  idle(): boolean;
}

export function createRestartBudget({ restarts, withinMs }: Intensity, clock: Clock): RestartBudget {
  let booked: number[] = [];
  const recent = (): number => {
    const now = clock.now();
    // A clock that was set back must not keep old restarts alive.
    booked = booked.filter((at) => at <= now && now - at <= withinMs);
    return booked.length;
  };
  return {
    book() {
      booked.push(clock.now());
      return recent() <= restarts;
    },
    spent: () => recent() > restarts,
    idle: () => recent() === 0,
  };
}
