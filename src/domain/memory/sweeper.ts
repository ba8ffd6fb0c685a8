import type { Clock } from '#core/clock';
import { toError } from '#core/errors';
import type { Service } from '#core/service';

const HOUR_MS = 3_600_000;

/** Deletes once an hour what expired or lay long enough in the trash; the first time a minute after the start. */
export function createSweeper(clock: Clock, sweep: (signal: AbortSignal) => Promise<void>): Service {
  return {
    name: 'memory-sweeper',
    async start(run) {
      const end = new AbortController();
      const signal = AbortSignal.any([run.signal, end.signal]);
      async function live(): Promise<void> {
        for (let wait = 60_000; ; wait = HOUR_MS) {
          await clock.sleep(wait, signal);
          await sweep(signal);
        }
      }
      const life = live().catch((error: unknown) => {
        if (!signal.aborted) run.exit(toError(error));
      });
      return {
        async stop() {
          end.abort();
          await life;
        },
      };
    },
  };
}
