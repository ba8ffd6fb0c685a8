import { setImmediate as nextTurn } from 'node:timers/promises';
import { systemClock } from '#core/clock';
import type { Clock } from '#core/clock';
import { ProviderFailure } from '../contract.ts';

const LONGEST_STRETCH_MS = 5;

/** Called between pieces of work: lets the event loop turn when the stretch was long enough, and ends the work when cancelled. */
export type Pace = () => Promise<void>;

export function createPace(signal: AbortSignal, clock: Clock = systemClock): Pace {
  let since = clock.now();
  return async () => {
    if (clock.now() - since >= LONGEST_STRETCH_MS) {
      await nextTurn();
      since = clock.now();
    }
    if (signal.aborted) throw new ProviderFailure('cancelled', 'Cancelled');
  };
}
