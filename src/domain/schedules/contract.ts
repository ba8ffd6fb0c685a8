import { z } from 'zod';
import { endpoint } from '#core/endpoint';

const Time = z.iso.datetime({ offset: true });

/** started: its run exists. missed_*: it fell due while nothing ran, and the policy said so. */
export const OccurrenceStatus = z.enum(['started', 'late', 'missed_skipped', 'missed_merged']);
export type OccurrenceStatus = z.infer<typeof OccurrenceStatus>;

export const Occurrence = z.object({
  id: z.string(),
  scheduleId: z.string(),
  dueAt: z.string(),
  status: OccurrenceStatus,
  reason: z.string(),
  runId: z.string().nullable(),
  decidedAt: z.string(),
});
export type Occurrence = z.infer<typeof Occurrence>;

export const ScheduleInfo = z.object({
  id: z.string(),
  workflowId: z.string(),
  kind: z.enum(['cron', 'interval', 'once']),
  /** In words: `cron 0 7 * * * in Europe/Rome`. */
  description: z.string(),
  timeZone: z.string(),
  missed: z.enum(['run_once', 'skip', 'all']),
  enabled: z.boolean(),
  /** ISO 8601, UTC. */
  nextAt: z.string().nullable(),
  lastAt: z.string().nullable(),
  upcoming: z.array(z.string()),
});
export type ScheduleInfo = z.infer<typeof ScheduleInfo>;

export const listSchedules = endpoint({
  method: 'GET',
  path: '/api/schedules',
  grant: 'schedules:read',
  summary: 'What starts workflows by itself, with the next occurrences of each.',
  input: z.strictObject({ workflow: z.string().optional() }),
  output: z.object({ items: z.array(ScheduleInfo), next: z.null() }),
});
export const listOccurrences = endpoint({
  method: 'GET',
  path: '/api/schedules/{id}/occurrences',
  grant: 'schedules:read',
  summary: 'What became of the past occurrences of a schedule, newest first.',
  input: z.strictObject({ id: z.string(), limit: z.coerce.number().int().min(1).max(500).default(50) }),
  output: z.object({ items: z.array(Occurrence), next: z.null() }),
});
export const previewSchedule = endpoint({
  method: 'POST',
  path: '/api/schedules/next',
  grant: 'schedules:read',
  summary: 'The next occurrences of a cron expression.',
  input: z.strictObject({
    expression: z.string().min(1).max(200),
    timeZone: z.string().optional(),
    from: Time.optional(),
    count: z.int().min(1).max(100).default(5),
  }),
  output: z.object({ items: z.array(z.string()) }),
});

declare module '#core/bus' {
  interface Events {
    'schedule.fired': { readonly occurrence: Occurrence; readonly workflowId: string };
  }
}
