import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { Service } from '#core/service';
import type { BreakerState } from './tables.ts';

declare module '#core/bus' {
  interface Events {
    'breaker.changed': {
      readonly key: string;
      readonly state: BreakerState;
      readonly failures: number;
      readonly until: number | null;
      readonly error: string | null;
    };
  }
}

/**
 * closed ──threshold failures in a row──▶ open ──cool-down──▶ half_open ──success──▶ closed
 *                                          ▲                     │
 *                                          └──────failure────────┘   (the cool-down doubles)
 */
export interface Breakers {
  /** Lets a call through or throws `breaker.open`; when half open, one call at a time is the probe. */
  enter(key: string): Passage;
  state(key: string): { readonly state: BreakerState; readonly failures: number; readonly until: number | null };
  /** The owner closes it by hand. */
  reset(key: string): Promise<void>;
  /** Remembers across restarts. */
  readonly service: Service;
}

/** What a call through a breaker reports when it ends, once. */
export interface Passage {
  succeeded(): void;
  failed(error: string): void;
  /** It ended for a reason that says nothing about the other side. */
  abandoned(): void;
}

export interface BreakersDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly limits: () => { readonly threshold: number; readonly coolDownMs: number };
}

interface Breaker {
  state: BreakerState;
  failures: number;
  until: number | null;
  coolDowns: number;
  probing: boolean;
}

const LONGEST_COOL_DOWN_MS = 3_600_000;

export function createBreakers({ store, bus, clock, limits }: BreakersDeps): Breakers {
  const known = new Map<string, Breaker>();
  const fresh = (): Breaker => ({ state: 'closed', failures: 0, until: null, coolDowns: 0, probing: false });

  function of(key: string): Breaker {
    let breaker = known.get(key);
    if (!breaker) known.set(key, (breaker = fresh()));
    return breaker;
  }

  function enter(key: string): Passage {
    const breaker = of(key);
    if (breaker.state === 'open' && breaker.until !== null && clock.now() >= breaker.until) change(key, breaker, 'half_open', null);
    if (breaker.state === 'open' || (breaker.state === 'half_open' && breaker.probing)) {
      throw new AppError(
        'unavailable',
        'breaker.open',
        `${key} failed ${breaker.failures} times and rests until ${breaker.until === null ? 'its probe ends' : new Date(breaker.until).toISOString()}`,
        { key, until: breaker.until },
      );
    }
    const isProbe = breaker.state === 'half_open';
    if (isProbe) breaker.probing = true;
    let over = false;
    const end = (fn: () => void): void => {
      if (over) return;
      over = true;
      if (isProbe) breaker.probing = false;
      fn();
    };
    return {
      succeeded: () =>
        end(() => {
          breaker.failures = 0;
          breaker.coolDowns = 0;
          if (breaker.state !== 'closed') change(key, breaker, 'closed', null);
        }),
      failed: (error) =>
        end(() => {
          breaker.failures += 1;
          const { threshold, coolDownMs } = limits();
          // Of calls that were under way together, the first ones open it; the late ones do not make the rest longer.
          const isLate = breaker.state !== 'closed' && !isProbe;
          if (isLate || (breaker.state === 'closed' && breaker.failures < threshold)) return;
          breaker.until = clock.now() + Math.min(LONGEST_COOL_DOWN_MS, coolDownMs * 2 ** breaker.coolDowns);
          breaker.coolDowns += 1;
          change(key, breaker, 'open', error);
        }),
      abandoned: () => end(() => {}),
    };
  }

  function change(key: string, breaker: Breaker, state: BreakerState, error: string | null): void {
    breaker.state = state;
    if (state !== 'open') breaker.until = null;
    const { failures, until } = breaker;
    bus.publish('breaker.changed', { key, state, failures, until, error });
    void save(key, breaker, error).catch(() => {}); // the state in memory holds; the next change writes again
  }

  async function save(key: string, { state, failures, until }: Breaker, error: string | null): Promise<void> {
    const row = { state, failures, until, last_error: error, changed_at: clock.now() };
    await store.write(
      async (tx) =>
        void (await tx
          .insertInto('skill_breaker')
          .values({ key, ...row })
          .onConflict((on) => on.column('key').doUpdateSet(row))
          .execute()),
    );
  }

  return {
    enter,
    state: (key) => known.get(key) ?? fresh(),
    async reset(key) {
      const breaker = Object.assign(of(key), fresh()); // in place: calls under way report to it
      await save(key, breaker, null);
      bus.publish('breaker.changed', { key, state: 'closed', failures: 0, until: null, error: null });
    },
    service: {
      name: 'breakers',
      async start() {
        known.clear();
        const rows = await store.db.selectFrom('skill_breaker').selectAll().where('state', '!=', 'closed').execute();
        for (const { key, failures, until } of rows)
          known.set(key, { state: 'open', failures, until: until ?? clock.now(), coolDowns: 1, probing: false });
        return { stop: async () => {} };
      },
    },
  };
}
