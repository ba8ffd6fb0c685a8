import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError, toError } from '#core/errors';
import type { NewId } from '#core/ids';
import type { Service } from '#core/service';
import type { Occurrence, ScheduleInfo } from './contract.ts';
import { nextOccurrences, parseCron } from './cron.ts';
import { describe, nextAfter, type TriggerSpec } from './plan.ts';
import {
  claimOccurrence,
  deleteSchedules,
  dueSchedules,
  earliestDue,
  findOccurrence,
  findSchedule,
  insertSchedule,
  occurrencesOf,
  pruneOccurrences,
  schedulesOf,
  setRun,
  updateSchedule,
} from './queries.ts';
import type { ScheduleRow } from './tables.ts';

/** What starts workflows by itself. */
export interface Schedules {
  /** In the transaction that saves a workflow: arms what is new, keeps what stayed the same, removes the rest. */
  sync(
    tx: Db,
    workflow: { readonly workflowId: string; readonly enabled: boolean; readonly triggers: readonly TriggerSpec[] },
  ): Promise<void>;
  /** In the transaction that deletes a workflow. */
  removeFor(tx: Db, workflowId: string): Promise<void>;
  list(workflowId?: string): Promise<ScheduleInfo[]>;
  occurrences(scheduleId: string, limit: number): Promise<Occurrence[]>;
  occurrence(id: string): Promise<Occurrence | null>;
  /** Why a trigger cannot be, or null. */
  check(trigger: TriggerSpec): string | null;
  /** Instants in ms. Throws `schedule.bad_expression`, `schedule.bad_time_zone`. */
  preview(expression: string, timeZone: string | undefined, from: number | undefined, count: number): number[];
  readonly service: Service;
}

export interface SchedulesDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly newId: NewId;
  /** Starts the run in the same transaction that claims the occurrence; answers its id. */
  readonly fire: (
    tx: Db,
    due: { readonly workflowId: string; readonly occurrenceId: string; readonly kind: ScheduleRow['kind'] },
  ) => Promise<string>;
  /** The owner's zone, for triggers that name none. */
  readonly timeZone: () => string;
  readonly tell: (severity: 'info' | 'warning' | 'critical', title: string, body: string) => void;
}

/** Later than this, an occurrence counts as missed and its policy decides. */
const TOLERANCE_MS = 60_000;
/** The longest sleep: so a change of the machine's clock, or its waking up, is noticed. */
const LONGEST_SLEEP_MS = 60_000;
/** So many missed occurrences are looked at one by one. */
const MOST_MISSED = 100;
const KEEP_MS = 90 * 86_400_000;

export function createSchedules({ store, clock, bus, newId, fire, timeZone, tell }: SchedulesDeps): Schedules {
  let wake = new AbortController();

  async function sync(tx: Db, { workflowId, enabled, triggers }: Parameters<Schedules['sync']>[1]): Promise<void> {
    const left = new Map((await schedulesOf(tx, workflowId)).map((row) => [keyOf(row), row]));
    for (const trigger of triggers) {
      const spec = JSON.stringify(trigger);
      const zone = (trigger.kind === 'cron' ? trigger.timeZone : undefined) ?? timeZone();
      const known = left.get(`${spec} ${zone}`);
      left.delete(`${spec} ${zone}`);
      if (known && known.enabled === (enabled ? 1 : 0)) continue;
      const now = clock.now();
      const row: ScheduleRow = {
        id: known?.id ?? newId(),
        workflow_id: workflowId,
        kind: trigger.kind,
        spec,
        time_zone: zone,
        missed: trigger.missed,
        enabled: enabled ? 1 : 0,
        anchor_at: known?.anchor_at ?? now,
        next_at: null,
        last_at: known?.last_at ?? null,
      };
      // what fell due while it was switched off is past
      const next_at = enabled ? nextAfter(row, now) : null;
      if (known) await updateSchedule(tx, known.id, { enabled: row.enabled, next_at });
      else await insertSchedule(tx, { ...row, next_at });
    }
    if (left.size > 0)
      await deleteSchedules(
        tx,
        [...left.values()].map(({ id }) => id),
      );
    store.onCommit(() => wake.abort());
  }

  async function removeFor(tx: Db, workflowId: string): Promise<void> {
    const rows = await schedulesOf(tx, workflowId);
    if (rows.length > 0)
      await deleteSchedules(
        tx,
        rows.map(({ id }) => id),
      );
  }

  /** Decides everything of one schedule that is due: one transaction claims, starts and moves on. */
  async function handle(id: string): Promise<void> {
    await store.write(async (tx) => {
      const row = await findSchedule(tx, id);
      const now = clock.now();
      if (!row || row.enabled === 0 || row.next_at === null || row.next_at > now) return;
      const { due, more } = dueOf(row, now);
      const chosen = choose(row, due, now);
      for (const at of due) {
        const decision = chosen.get(at)!;
        const occurrenceId = newId();
        const claimed = await claimOccurrence(tx, { id: occurrenceId, schedule_id: row.id, due_at: at, ...decision, decided_at: now });
        if (!claimed || decision.status === 'missed_skipped' || decision.status === 'missed_merged') continue;
        const runId = await fire(tx, { workflowId: row.workflow_id, occurrenceId, kind: row.kind });
        await setRun(tx, occurrenceId, runId);
        const occurrence = toOccurrence({ id: occurrenceId, schedule_id: row.id, due_at: at, ...decision, run_id: runId, decided_at: now });
        store.onCommit(() => bus.publish('schedule.fired', { occurrence, workflowId: row.workflow_id }));
      }
      const next = nextAfter(row, now);
      await updateSchedule(tx, row.id, { next_at: next, last_at: due.at(-1) ?? row.last_at, ...(next === null && { enabled: 0 }) });
      if (now - due[0]! > TOLERANCE_MS)
        store.onCommit(() =>
          tell(
            'info',
            'A schedule was late',
            `${describe(row)}: ${due.length}${more ? ' or more' : ''} fell due since ${new Date(due[0]!).toISOString()} while nothing ran; ${POLICY_WORDS[row.missed]}.`,
          ),
        );
    });
  }

  /** A schedule that cannot be served must not hold up the others, nor itself for ever. */
  async function skip(id: string, cause: Error): Promise<void> {
    await store.write(async (tx) => {
      const row = await findSchedule(tx, id);
      if (!row || row.next_at === null) return;
      await claimOccurrence(tx, {
        id: newId(),
        schedule_id: row.id,
        due_at: row.next_at,
        status: 'missed_skipped',
        reason: `could not be started: ${cause.message}`,
        decided_at: clock.now(),
      });
      await updateSchedule(tx, row.id, { next_at: nextAfter(row, clock.now()), last_at: row.next_at });
    });
    tell('warning', 'A scheduled workflow could not be started', cause.message);
  }

  const service: Service = {
    name: 'schedules',
    async start({ signal }) {
      const loop = (async () => {
        let prunedAt = 0;
        while (!signal.aborted) {
          wake = new AbortController();
          for (const { id } of await dueSchedules(store.db, clock.now()))
            await handle(id).catch((error: unknown) => skip(id, toError(error)));
          if (clock.now() - prunedAt > 3_600_000) {
            prunedAt = clock.now();
            await store.write((tx) => pruneOccurrences(tx, prunedAt - KEEP_MS));
          }
          const next = await earliestDue(store.db);
          const pauseMs = Math.min(LONGEST_SLEEP_MS, Math.max(0, (next ?? Infinity) - clock.now()));
          await clock.sleep(pauseMs, AbortSignal.any([signal, wake.signal])).catch(() => {});
        }
      })();
      return { stop: () => loop };
    },
  };

  function info(row: ScheduleRow): ScheduleInfo {
    const upcoming: number[] = [];
    for (let at = row.next_at; at !== null && upcoming.length < 5; at = nextAfter(row, at)) upcoming.push(at);
    return {
      id: row.id,
      workflowId: row.workflow_id,
      kind: row.kind,
      description: describe(row),
      timeZone: row.time_zone,
      missed: row.missed,
      enabled: row.enabled === 1,
      nextAt: iso(row.next_at),
      lastAt: iso(row.last_at),
      upcoming: upcoming.map((at) => new Date(at).toISOString()),
    };
  }

  return {
    sync,
    removeFor,
    async list(workflowId) {
      return (await schedulesOf(store.db, workflowId)).map(info);
    },
    async occurrences(scheduleId, limit) {
      return (await occurrencesOf(store.db, scheduleId, limit)).map(toOccurrence);
    },
    async occurrence(id) {
      const row = await findOccurrence(store.db, id);
      return row ? toOccurrence(row) : null;
    },
    check(trigger) {
      try {
        if (trigger.kind === 'cron') parseCron(trigger.expression, trigger.timeZone ?? timeZone());
        return null;
      } catch (error) {
        if (error instanceof AppError) return error.message;
        throw error;
      }
    },
    preview: (expression, zone, from, count) => nextOccurrences(parseCron(expression, zone ?? timeZone()), from ?? clock.now(), count),
    service,
  };
}

const keyOf = (row: ScheduleRow): string => `${row.spec} ${row.time_zone}`;
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

const POLICY_WORDS = { run_once: 'it ran once for all of them', skip: 'they were skipped', all: 'each was run' } as const;

/** What is due, oldest first; of a long absence the first and the last are enough to decide. */
function dueOf(row: ScheduleRow, now: number): { due: number[]; more: boolean } {
  const due: number[] = [];
  let at: number | null = row.next_at;
  for (; at !== null && at <= now && due.length < MOST_MISSED; at = nextAfter(row, at)) due.push(at);
  const more = at !== null && at <= now;
  const last = more ? latestBefore(row, now) : null;
  return { due: last === null ? due : [...due, last], more };
}

/** The last occurrence not after `now`, found by looking back ever further. */
function latestBefore(row: ScheduleRow, now: number): number | null {
  for (let back = 60_000; back < now - row.next_at!; back *= 4) {
    let at = nextAfter(row, now - back);
    if (at === null || at > now) continue;
    for (let next = nextAfter(row, at); next !== null && next <= now; next = nextAfter(row, at)) at = next;
    return at;
  }
  return null;
}

type Decision = { readonly status: 'started' | 'late' | 'missed_skipped' | 'missed_merged'; readonly reason: string };

/** The policy for what was missed; what is on time is simply started. */
function choose(row: ScheduleRow, due: readonly number[], now: number): Map<number, Decision> {
  const last = due.at(-1)!;
  return new Map(
    due.map((at): [number, Decision] => {
      const lateMs = now - at;
      // one that the next has overtaken was missed, however little it is late
      if (lateMs <= TOLERANCE_MS && at === last) return [at, { status: 'started', reason: 'due' }];
      const late = `${Math.round(lateMs / 1_000)} s late`;
      if (row.missed === 'skip') return [at, { status: 'missed_skipped', reason: `${late}; missed occurrences are skipped` }];
      if (row.missed === 'all' || at === last) return [at, { status: 'late', reason: late }];
      return [at, { status: 'missed_merged', reason: `${late}; the last one missed stands for all` }];
    }),
  );
}

function toOccurrence(row: {
  id: string;
  schedule_id: string;
  due_at: number;
  status: Occurrence['status'];
  reason: string;
  run_id: string | null;
  decided_at: number;
}): Occurrence {
  return {
    id: row.id,
    scheduleId: row.schedule_id,
    dueAt: new Date(row.due_at).toISOString(),
    status: row.status,
    reason: row.reason,
    runId: row.run_id,
    decidedAt: new Date(row.decided_at).toISOString(),
  };
}
