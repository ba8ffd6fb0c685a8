import type { Clock } from '../clock.ts';
import { AppError, toError } from '../errors.ts';
import type { Child } from './child.ts';
import type { RestartBudget } from './intensity.ts';

/**
 * Children in an order: each runs only while all before it run. A supervisor is one lane (rest_for_one) or a lane for each child
 * (one_for_one), so that a child that waits or hangs holds up only those that need it.
 *
 *   stopped → starting → running → (exit) crashed → end it and all after it → backing_off → starting …
 *                     ↘ (start fails) crashed → backing_off ↗
 */
export interface Lane {
  /** Starts all in order; rejects with what the first failure threw. */
  boot(): Promise<void>;
  /** Called when a child's life is over. */
  mend(): void;
  /** Restarts a child, and those after it, for the owner; rejects when the first attempt fails. */
  restart(child: Child): Promise<void>;
  /** Resolves when nothing is going on any more; after `closing` that is soon. */
  idle(): Promise<void>;
}

export interface LaneOptions {
  readonly clock: Clock;
  readonly backoffMs: (attempt: number) => number;
  readonly budget: RestartBudget;
  readonly closing: AbortSignal;
  /** A child ended by itself and is not to come back. */
  readonly onDown?: (child: Child, cause: Error | undefined) => void;
  /** The budget is spent, or the lane failed: nothing is restarted from here on. */
  readonly onGiveUp: (child: Child, cause: Error | undefined) => void;
}

/** A life that lasted this long was a success: the next backoff begins anew. */
const HEALTHY_MS = 60_000;

/** What the lane intends for a child. */
interface Plan {
  readonly child: Child;
  wanted: boolean;
  attempts: number;
  /** Not to be started before. */
  notBefore: number;
  asked: PromiseWithResolvers<void> | null;
}

export function createLane(children: readonly Child[], options: LaneOptions): Lane {
  const { clock, budget, closing } = options;
  const plans: readonly Plan[] = children.map((child) => ({ child, wanted: true, attempts: 0, notBefore: 0, asked: null }));
  let waiting = new AbortController();
  let mailbox: Promise<void> = Promise.resolve();
  let over = false;

  /** One job at a time: what happens meanwhile is found by the next look. */
  function post(job: () => Promise<void>): Promise<void> {
    const done = mailbox.then(job);
    mailbox = done.catch(() => {});
    return done;
  }

  function mend(): void {
    waiting.abort();
    // What fails here is a bug; the lane can no longer be trusted, so its supervisor ends.
    post(mendAll).catch((error: unknown) => giveUp(children[0]!, toError(error)));
  }

  async function mendAll(): Promise<void> {
    while (!over && !closing.aborted) {
      waiting = new AbortController();
      const fallen = plans.find(({ child, asked }) => child.fall !== null || (asked !== null && child.up));
      if (fallen) {
        await takeDown(fallen);
        continue;
      }
      const down = plans.find(({ child, wanted }) => wanted && !child.up);
      if (!down) return;
      if (await rested(down)) await bring(down);
    }
    for (const plan of plans) plan.asked?.reject(closed());
  }

  /** Ends a fallen child and all after it, in reverse, and plans their return. */
  async function takeDown(plan: Plan): Promise<void> {
    const { child, asked } = plan;
    const cause = child.fall?.cause;
    const returns = asked !== null || child.policy === 'permanent' || (child.policy === 'transient' && cause !== undefined);
    const group = returns ? plans.slice(plans.indexOf(plan)) : [plan];
    for (const { child: each } of group) {
      if (each.fall?.cause) each.crashed(each.fall.cause);
      else if (each.fall) each.report('ended');
    }
    if (child.health().uptimeMs > HEALTHY_MS) plan.attempts = 0;
    for (const each of group.toReversed()) {
      each.wanted = each === plan ? returns : each.wanted && each.child.policy !== 'temporary';
      await each.child.end(each === plan && cause ? 'crashed' : 'stopped');
    }
    if (!returns) return options.onDown?.(child, cause);
    plan.notBefore = asked ? 0 : clock.now() + options.backoffMs(plan.attempts);
    if (!asked) spend(plan, cause);
  }

  /** Waits for the time of a child; false when something else came first. */
  async function rested({ child, notBefore, asked }: Plan): Promise<boolean> {
    const ms = notBefore - clock.now();
    if (ms <= 0 || asked) return true;
    child.show('backing_off');
    return clock.sleep(ms, AbortSignal.any([waiting.signal, closing])).then(
      () => true,
      () => false,
    );
  }

  async function bring(plan: Plan): Promise<void> {
    const { child } = plan;
    const interrupt = waiting.signal;
    try {
      await child.begin(AbortSignal.any([closing, interrupt]));
      plan.asked?.resolve();
    } catch (error) {
      // Stopped because something before it fell, or all is closing: no fault of its own.
      if (closing.aborted || (interrupt.aborted && error === interrupt.reason)) return child.show('stopped');
      const cause = toError(error);
      plan.asked?.reject(cause);
      child.crashed(cause);
      plan.notBefore = clock.now() + options.backoffMs(plan.attempts);
      spend(plan, cause);
    }
    plan.asked = null;
  }

  /** Books one restart, or gives up. */
  function spend(plan: Plan, cause: Error | undefined): void {
    plan.attempts += 1;
    if (!budget.book()) giveUp(plan.child, cause);
  }

  function giveUp(child: Child, cause: Error | undefined): void {
    over = true;
    child.report('gave_up', cause);
    options.onGiveUp(child, cause);
  }

  return {
    mend,
    idle: () => mailbox,
    boot: () =>
      post(async () => {
        for (const { child } of plans) await child.begin(closing);
      }),
    restart(child) {
      const plan = plans.find((each) => each.child === child);
      if (!plan || over || closing.aborted) return Promise.reject(closed());
      plan.wanted = true;
      plan.attempts = 0;
      plan.notBefore = 0;
      plan.asked ??= Promise.withResolvers();
      mend();
      return plan.asked.promise;
    },
  };
}

function closed(): AppError {
  return new AppError('unavailable', 'supervisor.closed', 'It is being stopped');
}
