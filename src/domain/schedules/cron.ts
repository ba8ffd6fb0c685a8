import { Cron } from 'croner';
import { AppError } from '#core/errors';

/** A cron expression in a time zone; five fields, or six with seconds first, `@daily` and its kind, `L`, `#`, names. */
export interface CronSchedule {
  /** The first occurrence after an instant (ms since the epoch), or null when there is none any more. */
  after(instantMs: number): number | null;
}

const HOUR_MS = 3_600_000;
const LONGEST_SHIFT_MS = 3 * HOUR_MS;
/** Walls looked at for one answer: an overlap of an hour has 3,600 seconds. */
const MOST_TRIES = 20_000;

/**
 * croner reads the expression and lists the *wall-clock* times it names; where a wall-clock time lies on the line of time is
 * decided here, as most cron implementations agree (fixtures/cron.jsonl):
 * - a time that the clocks skip runs once, when they have jumped;
 * - a time that comes twice runs the first time;
 * - except that an expression that goes on into the next hour (`*`, `1-3`) runs by the hour, whatever the clocks do.
 * Throws `schedule.bad_expression`, `schedule.bad_time_zone`.
 */
export function parseCron(expression: string, timeZone: string): CronSchedule {
  const pattern = read(expression);
  checkZone(timeZone);
  const wallAfter = (wallMs: number): number | null => pattern.nextRun(new Date(wallMs))?.getTime() ?? null;
  const seconds = firstSecond(expression);

  /** Whether the expression also names a time in the hour that begins at this wall-clock time. */
  function goesOnAt(wallMs: number, withinMs = HOUR_MS): boolean {
    const next = wallAfter(wallMs - 1);
    return next !== null && next < wallMs + withinMs;
  }

  /** The instants at which a wall-clock time is meant to run, the earlier first. */
  function instantsOf(wallMs: number, from: number): number[] {
    const [early, late] = bothInstants(wallMs, timeZone);
    if (early === late) return [early];
    if (wallOf(early, timeZone) !== wallMs) {
      // skipped by the clocks: `late` reads the old offset, `early` the new one; the jump lies between them
      const jump = zonedAt(early, timeZone).getTimeZoneTransition('next')!.epochMilliseconds;
      // a jump of half an hour leaves half of the hour: the next one counts with it
      return goesOnAt(wallOf(jump, timeZone), late - early < HOUR_MS ? 2 * HOUR_MS : HOUR_MS) ? [] : [jump + seconds * 1_000];
    }
    const repeatEnds = wallOf(zonedAt(early, timeZone).getTimeZoneTransition('next')!.epochMilliseconds, timeZone) + (late - early);
    const repeatBegins = late - (wallMs - (repeatEnds - (late - early)));
    if (goesOnAt(repeatEnds) || from >= repeatBegins) return [early, late];
    return [early];
  }

  return {
    after(from) {
      let best = Infinity;
      let wall: number | null = startOfSearch(from, timeZone);
      for (let tries = 0; tries < MOST_TRIES; tries += 1) {
        wall = wallAfter(wall);
        if (wall === null) break;
        const instants = instantsOf(wall, from);
        for (const instant of instants) if (instant > from && instant < best) best = instant;
        // first passes come in order: only a second pass that was found may still be overtaken by one
        if ((instants[0] ?? -Infinity) >= best) break;
      }
      return best === Infinity ? null : best;
    },
  };
}

/** The wall-clock time to search from: that of the instant, or where the clocks' change begins when one is near. */
function startOfSearch(from: number, timeZone: string): number {
  const change = zonedAt(from - LONGEST_SHIFT_MS, timeZone).getTimeZoneTransition('next');
  if (change) {
    const at = change.epochMilliseconds;
    const shift = wallOf(at, timeZone) - wallOf(at - 1, timeZone) - 1;
    if (Math.abs(from - at) <= Math.abs(shift)) return Math.min(wallOf(from, timeZone), wallOf(at, timeZone) - Math.max(0, shift) - 1);
  }
  return wallOf(from, timeZone);
}

/** The next occurrences after an instant, in ms since the epoch. */
export function nextOccurrences(schedule: CronSchedule, from: number, count: number): number[] {
  const found: number[] = [];
  for (let at = schedule.after(from); at !== null && found.length < count; at = schedule.after(at)) found.push(at);
  return found;
}

function read(expression: string): Cron {
  let pattern: Cron;
  try {
    pattern = new Cron(expression.trim(), { paused: true, timezone: 'UTC' });
  } catch (cause) {
    const reason = (cause as Error).message.replace(/^CronPattern:\s*/, '');
    throw new AppError('invalid', 'schedule.bad_expression', `"${expression}" is not a cron expression: ${reason}`, { expression }, cause);
  }
  if (pattern.nextRun(new Date(0)) === null)
    throw new AppError('invalid', 'schedule.bad_expression', `"${expression}" names a time that never comes`, { expression });
  return pattern;
}

/** Throws `schedule.bad_time_zone`. */
export function checkZone(timeZone: string): void {
  try {
    zonedAt(0, timeZone);
  } catch (cause) {
    throw new AppError(
      'invalid',
      'schedule.bad_time_zone',
      `"${timeZone}" is not a time zone; use a name such as Europe/Rome or UTC`,
      { timeZone },
      cause,
    );
  }
}

function zonedAt(instantMs: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instantMs).toZonedDateTimeISO(timeZone);
}

/** What the clocks on the wall show at an instant, as if it were UTC. */
function wallOf(instantMs: number, timeZone: string): number {
  return instantMs + zonedAt(instantMs, timeZone).offsetNanoseconds / 1_000_000;
}

function bothInstants(wallMs: number, timeZone: string): [number, number] {
  const wall = Temporal.Instant.fromEpochMilliseconds(wallMs).toZonedDateTimeISO('UTC').toPlainDateTime();
  const at = (disambiguation: 'earlier' | 'later'): number => wall.toZonedDateTime(timeZone, { disambiguation }).epochMilliseconds;
  return [at('earlier'), at('later')];
}

function firstSecond(expression: string): number {
  const fields = expression.trim().split(/\s+/);
  return fields.length === 6 ? Number(/^\d+/.exec(fields[0]!)?.[0] ?? 0) : 0;
}
