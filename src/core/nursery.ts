import { systemClock, type Clock } from './clock.ts';
import { AppError } from './errors.ts';
import type { NodeHealth, Run, Running, Service, SupervisorEvent } from './service.ts';
import { checkName, exponentialBackoff, NO_LIMIT_MS } from './supervisor.ts';
import { createChild, type Child } from './supervisor/child.ts';
import { createRestartBudget, type Intensity, type RestartBudget } from './supervisor/intensity.ts';
import { createLane } from './supervisor/lane.ts';

export interface NurseryOptions {
  /** How many children may be there at once. */
  readonly limit: number;
  /** How many crashes of one key are borne, restarts included; past it the key is refused until the window has passed. No limit when left out. */
  readonly intensity?: Intensity;
  readonly backoffMs?: (attempt: number) => number;
  /** Hears of the children; the supervisor above when left out. */
  readonly onEvent?: (event: SupervisorEvent) => void;
  readonly clock?: Clock;
}

/** A child as who started it holds it. */
export interface NurseryChild {
  readonly name: string;
  /** Full name, e.g. `root/agents/session-7`. */
  readonly path: string;
  /** Resolves when it is over for good, with the crash that ended it or null. Never rejects. */
  readonly done: Promise<Error | null>;
  /** Ends it; resolves when it is gone. */
  stop(): Promise<void>;
  health(): NodeHealth;
}

/** Owns children that come and go; what it holds ends with it. A crash of one touches neither its siblings nor the nursery. */
export interface Nursery extends Service {
  /**
   * Starts a child and resolves when it is ready; rejects with what its start threw, and then it is gone.
   * A child without `restart` is `temporary` here. `key` names what shares one intensity; the child's name when left out.
   * Refuses with `nursery.closed`, `nursery.full`, `nursery.taken` (the name) and `nursery.crashing` (the key).
   */
  add(service: Service, options?: { readonly key?: string }): Promise<NurseryChild>;
  list(): readonly NurseryChild[];
}

interface Place {
  readonly child: NurseryChild;
  stop(): Promise<void>;
  restart(path: string): Promise<void>;
}

/** What lives from start to stop. */
interface Room {
  readonly places: Map<string, Place>;
  open(service: Service, key: string): Promise<NurseryChild>;
}

export function nursery(name: string, options: NurseryOptions): Nursery {
  const { limit, intensity = { restarts: Infinity, withinMs: 60_000 }, clock = systemClock, backoffMs = exponentialBackoff } = options;
  checkName(name);
  let room: Room | null = null;

  async function start(run: Run): Promise<Running> {
    const path = run.path ?? name;
    const report = options.onEvent ?? run.report ?? ((): void => {});
    const closing = new AbortController();
    const budgets = new Map<string, RestartBudget>();
    const places = new Map<string, Place>();
    run.signal.addEventListener('abort', () => closing.abort(), { once: true });

    function budgetOf(key: string): RestartBudget {
      for (const [old, budget] of budgets) if (budget.idle()) budgets.delete(old);
      const budget = budgets.get(key) ?? createRestartBudget(intensity, clock);
      budgets.set(key, budget);
      return budget;
    }

    async function open(service: Service, key: string): Promise<NurseryChild> {
      checkName(service.name);
      const budget = budgetOf(key);
      if (closing.signal.aborted) throw closed(name);
      if (places.has(service.name)) throw new AppError('conflict', 'nursery.taken', `${path}/${service.name} is already there`);
      if (places.size >= limit)
        throw new AppError('limited', 'nursery.full', `${path} already has ${limit} children, the most it may`, { limit });
      if (budget.spent()) {
        const { restarts, withinMs } = intensity;
        throw new AppError('limited', 'nursery.crashing', `${key} crashed more than ${restarts} times in ${withinMs} ms; try later`, {
          key,
        });
      }
      const place = createPlace(service, budget);
      places.set(service.name, place);
      return place.ready;
    }

    /** One child, which is over at most once: by its own end, by too many crashes, or because it was stopped. */
    function createPlace(service: Service, budget: RestartBudget): Place & { readonly ready: Promise<NurseryChild> } {
      const ending = new AbortController();
      const done = Promise.withResolvers<Error | null>();
      const at = `${path}/${service.name}`;
      const own: Child = createChild(service, { path: at, policy: 'temporary', clock, report, onFall: () => lane.mend() });
      const lane = createLane([own], {
        clock,
        backoffMs,
        budget,
        closing: AbortSignal.any([closing.signal, ending.signal]),
        onDown(_, cause) {
          if (cause) budget.book();
          void stop(cause);
        },
        onGiveUp: (_, cause) => void stop(cause),
      });
      let stopping: Promise<void> | null = null;
      const stop = (cause?: Error): Promise<void> => (stopping ??= stopOnce(cause));

      async function stopOnce(cause: Error | undefined): Promise<void> {
        ending.abort();
        await lane.idle();
        await own.end(cause ? 'crashed' : 'stopped');
        places.delete(service.name);
        done.resolve(cause ?? null);
      }

      const child: NurseryChild = { name: service.name, path: at, done: done.promise, stop: () => stop(), health: own.health };
      const ready = lane.boot().then(
        () => child,
        async (error: Error) => {
          if (!ending.signal.aborted && !closing.signal.aborted) {
            own.crashed(error);
            budget.book();
          }
          await stop(error);
          throw error;
        },
      );
      return { child, ready, stop: () => stop(), restart: (target) => (target === at ? lane.restart(own) : own.restart(target)) };
    }

    async function stopAll(): Promise<void> {
      closing.abort();
      room = null;
      await Promise.all([...places.values()].map((place) => place.stop()));
    }

    room = { places, open };
    return {
      stop: stopAll,
      health() {
        const children = [...places.values()].map(({ child }) => [child.name, child.health()] as const);
        return { ok: true, detail: `${places.size} of ${limit}`, strategy: 'nursery', children: Object.fromEntries(children) };
      },
      async restart(target) {
        const place = [...places.values()].find(({ child }) => target === child.path || target.startsWith(`${child.path}/`));
        if (!place) throw new AppError('not_found', 'supervisor.no_such_node', `There is no ${target} in the tree`, { path: target });
        await place.restart(target);
      },
    };
  }

  return {
    name,
    stopTimeoutMs: NO_LIMIT_MS,
    start,
    add: (service, { key = service.name } = {}) => (room ? room.open(service, key) : Promise.reject(closed(name))),
    list: () => [...(room?.places.values() ?? [])].map(({ child }) => child),
  };
}

function closed(name: string): AppError {
  return new AppError('unavailable', 'nursery.closed', `${name} is not running`);
}
