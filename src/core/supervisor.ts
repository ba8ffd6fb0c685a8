import { setTimeout as sleep } from 'node:timers/promises';
import { toError } from './errors.ts';
import type { Health, Run, Running, Service } from './service.ts';

export interface SupervisorOptions {
  /** Who restarts with a crashed child: only itself, or itself and all that started after it. */
  readonly strategy: 'one_for_one' | 'rest_for_one';
  /** More than this many restarts within the window ends the supervisor itself: its parent decides. */
  readonly intensity: { readonly restarts: number; readonly withinMs: number };
  readonly backoffMs?: (attempt: number) => number;
  readonly onEvent?: (event: SupervisorEvent) => void;
}

export interface SupervisorEvent {
  readonly kind: 'started' | 'crashed' | 'ended' | 'stopped' | 'stop_timed_out' | 'gave_up';
  readonly service: string;
  readonly cause?: Error;
}

/** A supervisor waits for its children, each of which has a limit of its own. */
const LONGEST_TIMER = 2 ** 31 - 1;

export class RestartIntensityError extends Error {
  override readonly name = 'RestartIntensityError';
}

/** One life of a child, from start to stop. */
interface Life {
  readonly running: Running;
  readonly abort: AbortController;
}

/** OTP's supervisor on promises: it starts its children in order, restarts them by strategy, stops them in reverse. */
export function supervisor(name: string, children: readonly Service[], options: SupervisorOptions): Service {
  const { strategy, intensity, backoffMs = exponential, onEvent = () => {} } = options;

  async function start(run: Run): Promise<Running> {
    const lives = new Map<Service, Life>();
    const restarts: number[] = [];
    const closing = new AbortController();
    let mailbox = Promise.resolve();

    /** Exits are handled one at a time, in the order they happened. */
    function post(job: () => Promise<void>): void {
      mailbox = mailbox.then(job).catch((cause) => run.exit(toError(cause)));
    }

    async function begin(service: Service): Promise<void> {
      const abort = new AbortController();
      let over = false;
      const exit = (cause?: Error): void => {
        if (over || abort.signal.aborted) return;
        over = true;
        post(() => ended(service, abort, cause));
      };
      const running = await service.start({ signal: abort.signal, exit });
      lives.set(service, { running, abort });
      onEvent({ kind: 'started', service: service.name });
    }

    async function end(service: Service): Promise<void> {
      const life = lives.get(service);
      if (!life) return;
      lives.delete(service);
      life.abort.abort();
      const limit = new AbortController();
      const late = sleep(service.stopTimeoutMs ?? 5_000, 'late', { signal: limit.signal }).catch(() => 'done');
      const outcome = await Promise.race([life.running.stop().then(() => 'done', () => 'done'), late]);
      limit.abort();
      onEvent({ kind: outcome === 'late' ? 'stop_timed_out' : 'stopped', service: service.name });
    }

    async function ended(service: Service, life: AbortController, cause: Error | undefined): Promise<void> {
      if (closing.signal.aborted || lives.get(service)?.abort !== life) return;
      onEvent({ kind: cause ? 'crashed' : 'ended', service: service.name, ...(cause && { cause }) });
      const policy = service.restart ?? 'permanent';
      if (policy === 'temporary' || (policy === 'transient' && !cause)) return end(service);
      const at = children.indexOf(service);
      const group = strategy === 'rest_for_one' ? children.slice(at) : [service];
      for (const each of group.toReversed()) await end(each);
      spend(service, cause);
      await pause(0);
      for (const each of group) await bring(each);
    }

    /** Starts a child, trying again until it is up, the budget is spent or the supervisor closes. */
    async function bring(service: Service): Promise<void> {
      for (let attempt = 1; !closing.signal.aborted; attempt += 1) {
        try {
          return await begin(service);
        } catch (error) {
          const cause = toError(error);
          onEvent({ kind: 'crashed', service: service.name, cause });
          spend(service, cause);
          await pause(attempt);
        }
      }
    }

    async function pause(attempt: number): Promise<void> {
      await sleep(backoffMs(attempt), undefined, { signal: closing.signal }).catch(() => {});
    }

    /** Books one restart, or gives up. */
    function spend(service: Service, cause: Error | undefined): void {
      const now = performance.now();
      restarts.push(now);
      while (now - (restarts[0] ?? now) > intensity.withinMs) restarts.shift();
      if (restarts.length <= intensity.restarts) return;
      onEvent({ kind: 'gave_up', service: service.name, ...(cause && { cause }) });
      throw new RestartIntensityError(`${name}: more than ${intensity.restarts} restarts in ${intensity.withinMs} ms`, { cause });
    }

    async function stop(): Promise<void> {
      closing.abort();
      await mailbox;
      for (const service of children.toReversed()) await end(service);
    }

    function health(): Health {
      const report = children.map((s): [string, Health] => [s.name, lives.get(s)?.running.health?.() ?? { ok: lives.has(s) }]);
      return { ok: report.every(([, h]) => h.ok), children: Object.fromEntries(report) };
    }

    try {
      for (const service of children) await begin(service);
    } catch (error) {
      await stop();
      throw error;
    }
    return { stop, health };
  }

  return { name, stopTimeoutMs: LONGEST_TIMER, start };
}

function exponential(attempt: number): number {
  return Math.min(30_000, 200 * 2 ** attempt) * (0.75 + Math.random() / 2);
}
