import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Config } from '#core/config';
import type { Outbox } from '#core/db/outbox';
import type { JobQueue } from '#core/db/queue';
import type { Store } from '#core/db/store';
import type { GuardedFetch } from '#core/fetch';
import type { NewId } from '#core/ids';
import type { Log } from '#core/log';
import type { RunningSupervisor } from '#core/supervisor';
import type { Doors } from './doors.ts';
import type { House } from './house.ts';
import type { Talk } from './talk.ts';
import type { Work } from './work.ts';

/** What every part is given. */
export interface Ground {
  readonly config: Config;
  readonly version: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly store: Store;
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly queue: JobQueue;
  readonly web: GuardedFetch;
  /** A word to the owner that nobody asked for. */
  readonly tell: (severity: 'info' | 'warning' | 'critical', title: string, body: string) => void;
  /** Logs what went wrong in a part that goes on. */
  readonly onError: (what: string, error: unknown) => void;
  /** The tree that runs now, for whoever reports on it. */
  readonly tree: { running: RunningSupervisor | null };
}

/**
 * Everything there is, made in this order: ground, house, work, talk, doors. A stage is made of those before it; what is made later it may name
 * only inside a function that is called when all are there.
 */
export type Parts = Ground & House & Work & Talk & Doors;
