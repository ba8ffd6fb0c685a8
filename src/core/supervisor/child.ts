import type { Clock } from '../clock.ts';
import { AppError, errorInfo, toError } from '../errors.ts';
import type { NodeHealth, NodeState, Running, Service, SupervisorEvent } from '../service.ts';

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;

/** Why the present life of a child is over although nobody ended it. */
export interface Fall {
  readonly cause?: Error;
}

/** A service with what its supervisor knows of it: begins and ends its lives, each within a limit. */
export interface Child {
  readonly service: Service;
  readonly path: string;
  readonly policy: NonNullable<Service['restart']>;
  /** Whether a life is there to be ended. */
  readonly up: boolean;
  /** Set when the present life is over, until `end`. */
  readonly fall: Fall | null;
  /** Starts a life; rejects with the cause when that fails, takes too long or `interrupt` is aborted. Nothing is left behind. */
  begin(interrupt: AbortSignal): Promise<void>;
  /** Stops the present life, if there is one. Never rejects. */
  end(state: NodeState): Promise<void>;
  /** Tells of a crash and remembers it. */
  crashed(cause: Error): void;
  show(state: NodeState): void;
  health(): NodeHealth;
  report(kind: SupervisorEvent['kind'], cause?: Error): void;
  restart(path: string): Promise<void>;
}

interface ChildOptions {
  readonly path: string;
  /** What a service means that does not say how it restarts. */
  readonly policy?: NonNullable<Service['restart']>;
  readonly clock: Clock;
  readonly report: (event: SupervisorEvent) => void;
  /** Called when `fall` was set. */
  readonly onFall: () => void;
}

interface Life {
  readonly running: Running;
  readonly abort: AbortController;
  readonly startedAt: number;
}

export function createChild(service: Service, options: ChildOptions): Child {
  const { path, clock } = options;
  const stopTimeoutMs = service.stopTimeoutMs ?? STOP_TIMEOUT_MS;
  let life: Life | null = null;
  let fall: Fall | null = null;
  let state: NodeState = 'stopped';
  let lives = 0;
  let lastCause: NodeHealth['lastCause'] = null;

  function report(kind: SupervisorEvent['kind'], cause?: Error): void {
    options.report({ kind, service: service.name, path, ...(cause && { cause }) });
  }

  async function begin(interrupt: AbortSignal): Promise<void> {
    const abort = new AbortController();
    const exit = (cause?: Error): void => {
      if (abort.signal.aborted || fall !== null) return;
      fall = cause ? { cause } : {};
      options.onFall();
    };
    fall = null;
    state = 'starting';
    lives += 1;
    const starting = Promise.try(() => service.start({ path, signal: abort.signal, exit, report: options.report }));
    try {
      const running = await within(starting, service.startTimeoutMs ?? START_TIMEOUT_MS, interrupt);
      life = { running, abort, startedAt: clock.now() };
    } catch (error) {
      abort.abort();
      const own = takeFall();
      // A start that comes through late is stopped, and waited for: the next life needs what it holds.
      await within(
        starting.then((late) => late.stop()),
        stopTimeoutMs,
      ).catch(() => {});
      throw own ?? error;
    }
    state = 'running';
    report('started');
  }

  /** The cause of an exit during the start, if there was one. */
  function takeFall(): Error | null {
    const before = fall;
    fall = null;
    return before && (before.cause ?? new Error('It ended before it was ready'));
  }

  async function end(next: NodeState): Promise<void> {
    state = next;
    if (!life) return;
    const { running, abort } = life;
    abort.abort();
    try {
      await within(
        Promise.try(() => running.stop()),
        stopTimeoutMs,
      );
      report('stopped');
    } catch (error) {
      const late = error instanceof AppError && error.code === 'supervisor.timed_out';
      if (late) report('stop_timed_out');
      else report('stop_failed', toError(error));
    }
    life = null;
    fall = null;
  }

  /** The outcome of a promise, or an error when the time is up or the signal is aborted. */
  async function within<T>(work: Promise<T>, limitMs: number, interrupt?: AbortSignal): Promise<T> {
    const done = new AbortController();
    const signal = interrupt ? AbortSignal.any([done.signal, interrupt]) : done.signal;
    const limit = clock.sleep(limitMs, signal).then(() => {
      throw new AppError('unavailable', 'supervisor.timed_out', `${path} took longer than ${limitMs} ms`, { path, limitMs });
    });
    limit.catch(() => {});
    work.catch(() => {});
    return Promise.race([work, limit]).finally(() => done.abort());
  }

  function said(): ReturnType<NonNullable<Running['health']>> {
    try {
      return life?.running.health?.() ?? { ok: true };
    } catch (error) {
      return { ok: false, detail: errorInfo(error).message };
    }
  }

  return {
    service,
    path,
    policy: service.restart ?? options.policy ?? 'permanent',
    get up() {
      return life !== null;
    },
    get fall() {
      return fall;
    },
    begin,
    end,
    report,
    show(next) {
      state = next;
    },
    crashed(cause) {
      const { code, message } = errorInfo(cause);
      lastCause = { code, message, at: clock.now() };
      state = 'crashed';
      report('crashed', cause);
    },
    health() {
      const itself = said();
      const startedAt = life?.startedAt ?? null;
      const uptimeMs = startedAt === null ? 0 : Math.max(0, clock.now() - startedAt);
      return { ...itself, ok: itself.ok && state === 'running', state, startedAt, uptimeMs, restarts: Math.max(0, lives - 1), lastCause };
    },
    async restart(target) {
      if (!life?.running.restart)
        throw new AppError('not_found', 'supervisor.no_such_node', `Nothing of the name ${target} runs`, { path: target });
      await life.running.restart(target);
    },
  };
}
