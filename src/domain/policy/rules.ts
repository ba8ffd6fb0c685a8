import type { Conditions, Effect } from './grant-shapes.ts';
import { closeness, nameMatcher, resourceMatcher } from './patterns.ts';

/** One line of the table that decisions are made from: a grant that is in force, or one that comes with the program. */
export interface Rule {
  readonly id: string;
  readonly principal: string;
  readonly capability: string;
  readonly resource: string;
  readonly effect: Effect;
  readonly conditions: Conditions;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | null;
  readonly once: boolean;
  /** Comes with the program: weaker than any grant of the owner. */
  readonly isStarter: boolean;
  readonly createdAt: number;
}

/** A rule made ready for comparing. */
export interface CompiledRule extends Rule {
  covers(principal: string, capability: string, resource: string): boolean;
  /** The closer rule decides; see `patterns.ts`. */
  readonly closeness: number;
  /** What it says depends on more than the request: the hour, the uses so far, the money spent. */
  readonly isVolatile: boolean;
  readonly isWithinHours: (at: number) => boolean;
}

export function compileRule(rule: Rule): CompiledRule {
  const { principal, capability, resource, conditions } = rule;
  const [isWho, isWhat, isOn] = [nameMatcher(principal), nameMatcher(capability), resourceMatcher(resource)];
  const { hours, rate, budgetUsd } = conditions;
  return {
    ...rule,
    covers: (who, what, on) => isOn(on) && isWho(who) && isWhat(what),
    closeness: closeness(principal, capability, resource) + (conditions.named ? 1 : 0) + (rule.isStarter ? 0 : 1_000_000),
    isVolatile: hours !== undefined || rate !== undefined || budgetUsd !== undefined || rule.once,
    isWithinHours: hours === undefined ? () => true : hoursWindow(hours),
  };
}

/** Whether a moment lies in the window, on the owner's clock; one across midnight belongs to the day it began. */
export function hoursWindow({ from, to, days, timeZone }: NonNullable<Conditions['hours']>): (at: number) => boolean {
  const format = new Intl.DateTimeFormat('en', { timeZone, hour: '2-digit', minute: '2-digit', weekday: 'short', hourCycle: 'h23' });
  const isDay = (day: number): boolean => days === undefined || days.includes((day + 7) % 7);
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const time = `${parts['hour']}:${parts['minute']}`;
    const day = DAYS.indexOf(parts['weekday']!);
    if (from < to) return isDay(day) && time >= from && time < to;
    return (isDay(day) && time >= from) || (isDay(day - 1) && time < to);
  };
}

const DAYS: readonly string[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
