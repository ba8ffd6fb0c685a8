import { parseCron } from './cron.ts';
import type { ScheduleRow } from './tables.ts';

/** What a workflow's definition says of a trigger. */
export type TriggerSpec =
  | { readonly kind: 'cron'; readonly expression: string; readonly timeZone?: string | undefined; readonly missed: ScheduleRow['missed'] }
  | { readonly kind: 'interval'; readonly everyMs: number; readonly missed: ScheduleRow['missed'] }
  | { readonly kind: 'once'; readonly at: string; readonly missed: ScheduleRow['missed'] };

/** The first occurrence after an instant, or null when there is none any more. */
export function nextAfter(row: Pick<ScheduleRow, 'spec' | 'time_zone' | 'anchor_at'>, after: number): number | null {
  const spec = JSON.parse(row.spec) as TriggerSpec;
  switch (spec.kind) {
    case 'cron':
      return parseCron(spec.expression, row.time_zone).after(after);
    case 'interval':
      return row.anchor_at + (Math.floor((after - row.anchor_at) / spec.everyMs) + 1) * spec.everyMs;
    case 'once': {
      const at = Date.parse(spec.at);
      return at > after ? at : null;
    }
  }
}

/** A trigger in words. */
export function describe(row: Pick<ScheduleRow, 'spec' | 'time_zone'>): string {
  const spec = JSON.parse(row.spec) as TriggerSpec;
  switch (spec.kind) {
    case 'cron': {
      const daily = /^(\d{1,2}) (\d{1,2}) \* \* \*$/.exec(spec.expression);
      const what = daily ? `every day at ${daily[2]!.padStart(2, '0')}:${daily[1]!.padStart(2, '0')}` : `cron ${spec.expression}`;
      return `${what}, ${row.time_zone}`;
    }
    case 'interval':
      return `every ${duration(spec.everyMs)}`;
    case 'once':
      return `once at ${spec.at}`;
  }
}

function duration(ms: number): string {
  for (const [size, unit] of [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
  ] as const)
    if (ms % size === 0) return `${ms / size} ${unit}`;
  return `${ms / 1_000} s`;
}
