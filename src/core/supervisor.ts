import { systemClock, type Clock } from './clock.ts';
import { AppError } from './errors.ts';
import type { Log } from './log.ts';
import type { NodeHealth, Run, Running, Service, SupervisorEvent } from './service.ts';
import { createChild } from './supervisor/child.ts';
import { createRestartBudget, type Intensity } from './supervisor/intensity.ts';
import { createLane } from './supervisor/lane.ts';

export type { Intensity } from './supervisor/intensity.ts';
export type { SupervisorEvent } from './service.ts';

export interface SupervisorOptions {
  /** Who restarts with a crashed child: only itself, or itself and all that started after it. */
  readonly strategy: 'one_for_one' | 'rest_for_one';
  /** More than this many restarts within the window ends the supervisor itself: its parent decides. */
  readonly intensity: Intensity;
  /** The wait before attempt 0, 1, …; 200 ms doubling to 30 s, with jitter, when left out. */
  readonly backoffMs?: (attempt: number) => number;
  /** Hears of the children and of all below them; of the supervisor above when left out. */
  readonly onEvent?: (event: SupervisorEvent) => void;
  readonly clock?: Clock;
}

/** A started supervisor. */
export interface RunningSupervisor extends Running {
  health(): {
    readonly ok: boolean;
    readonly strategy: SupervisorOptions['strategy'];
    readonly children: Readonly<Record<string, NodeHealth>>;
  };
  /** Restarts the node of this full path (`root/work/schedules`), as the owner asks; rejects when it does not come up at once. */
  restart(path: string): Promise<void>;
}

export interface Supervisor extends Service {
  start(run: Run): Promise<RunningSupervisor>;
}

/** A supervisor waits for its children, each of which has a limit of its own. */
export const NO_LIMIT_MS = 2 ** 31 - 1;

/** The cause of a supervisor's end: its children crashed more often than its intensity allows. */
export class RestartIntensityError extends AppError {
  constructor(path: string, { restarts, withinMs }: Intensity, cause: unknown) {
    super(
      'unavailable',
      'supervisor.gave_up',
      `${path}: more than ${restarts} restarts in ${withinMs} ms`,
      { path, restarts, withinMs },
      cause,
    );
  }
}

/** OTP's supervisor on promises: it starts its children in order, restarts them by strategy, stops them in reverse. */
export function supervisor(name: string, services: readonly Service[], options: SupervisorOptions): Supervisor {
  const { strategy, intensity, backoffMs = exponentialBackoff, clock = systemClock } = options;
  for (const each of [name, ...services.map((s) => s.name)]) checkName(each);
  const twice = services.find((s, at) => services.findIndex((t) => t.name === s.name) !== at);
  if (twice) throw new Error(`${name}: two children named ${twice.name}`);

  async function start(run: Run): Promise<RunningSupervisor> {
    const path = run.path ?? name;
    const report = options.onEvent ?? run.report ?? ((): void => {});
    const closing = new AbortController();
    const budget = createRestartBudget(intensity, clock);
    const children = services.map((service) =>
      createChild(service, { path: `${path}/${service.name}`, clock, report, onFall: () => laneOf.get(service)!.mend() }),
    );
    const laneOptions = {
      clock,
      backoffMs,
      budget,
      closing: closing.signal,
      onGiveUp: (_: unknown, cause: Error | undefined) => giveUp(cause),
    };
    const groups = strategy === 'rest_for_one' ? [children] : children.map((child) => [child]);
    const lanes = groups.map((group) => createLane(group, laneOptions));
    const laneOf = new Map(groups.flatMap((group, at) => group.map(({ service }) => [service, lanes[at]!] as const)));
    let stopping: Promise<void> | null = null;
    run.signal.addEventListener('abort', () => closing.abort(), { once: true });

    /** Its children are stopped before its parent hears of it: nothing runs that nobody minds. Two lanes may give up at once. */
    function giveUp(cause: Error | undefined): void {
      if (stopping) return;
      void stop().then(() => run.exit(new RestartIntensityError(path, intensity, cause)));
    }

    function stop(): Promise<void> {
      closing.abort();
      return (stopping ??= stopAll());
    }

    async function stopAll(): Promise<void> {
      await Promise.all(lanes.map((lane) => lane.idle()));
      for (const child of children.toReversed()) await child.end('stopped');
    }

    function health(): ReturnType<RunningSupervisor['health']> {
      const report = children.map((child) => [child.service.name, child.health()] as const);
      return { ok: report.every(([, node]) => node.ok), strategy, children: Object.fromEntries(report) };
    }

    async function restart(target: string): Promise<void> {
      const child = children.find((each) => target === each.path || target.startsWith(`${each.path}/`));
      if (!child) throw new AppError('not_found', 'supervisor.no_such_node', `There is no ${target} in the tree`, { path: target });
      await (child.path === target ? laneOf.get(child.service)!.restart(child) : child.restart(target));
    }

    try {
      if (run.signal.aborted) closing.abort();
      for (const lane of lanes) await lane.boot();
    } catch (error) {
      await stop();
      throw error;
    }
    return { stop, health, restart };
  }

  return { name, startTimeoutMs: NO_LIMIT_MS, stopTimeoutMs: NO_LIMIT_MS, start };
}

/** A name is one step of a path. */
export function checkName(name: string): void {
  if (!/^[^/\s]+$/.test(name)) throw new Error(`A service's name is one step of a path, without / and blanks: ${JSON.stringify(name)}`);
}

/** 200 ms for attempt 0, doubling to 30 s, a quarter more or less. */
export function exponentialBackoff(attempt: number): number {
  return Math.min(30_000, 200 * 2 ** attempt) * (0.75 + Math.random() / 2);
}

/** Writes what happens in a tree to a log: crashes as warnings, a supervisor's end as an error. */
export function logSupervision(log: Log): (event: SupervisorEvent) => void {
  return ({ kind, path, cause }) => {
    const level = kind === 'gave_up' ? 'error' : kind === 'started' || kind === 'stopped' || kind === 'ended' ? 'debug' : 'warn';
    log[level](`Service ${kind.replaceAll('_', ' ')}`, { path, ...(cause && { error: cause }) });
  };
}
