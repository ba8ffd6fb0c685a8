import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import type { Service } from '#core/service';
import type { Tell } from './factors.ts';
import { endingTokens, markWarned } from './queries.ts';

const DAY_MS = 86_400_000;
const EVERY_MS = 6 * 60 * 60_000;

export interface TokenWarningsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly tell: Tell;
  /** 0 tells nothing. */
  readonly daysBefore: () => number;
}

/** Tells the owner once, in time, that an API token is about to end. */
export function tokenWarnings({ store, clock, tell, daysBefore }: TokenWarningsDeps): Service {
  async function look(): Promise<void> {
    const now = clock.now();
    for (const { id, name, expires_at } of await endingTokens(store.db, now, now + daysBefore() * DAY_MS)) {
      await store.write((tx) => markWarned(tx, id, now));
      tell(
        'warning',
        'An API token ends soon',
        `"${name}" ends at ${new Date(expires_at!).toISOString()}: make another in time ("castellan token create").`,
      );
    }
  }

  return {
    name: 'token-warnings',
    async start({ signal, exit }) {
      const ended = (async () => {
        while (!signal.aborted) {
          await look();
          await clock.sleep(EVERY_MS, signal);
        }
      })().catch((error: unknown) => {
        if (!signal.aborted) exit(error as Error);
      });
      return { stop: () => ended };
    },
  };
}
