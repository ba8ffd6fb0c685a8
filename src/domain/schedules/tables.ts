import type { Migration } from '#core/db/migration';
import type { OccurrenceStatus } from './contract.ts';

export interface ScheduleRow {
  id: string;
  workflow_id: string;
  kind: 'cron' | 'interval' | 'once';
  /** The trigger as it stands in the definition: what makes two of them the same. */
  spec: string;
  time_zone: string;
  missed: 'run_once' | 'skip' | 'all';
  enabled: number;
  /** Intervals count from here. */
  anchor_at: number;
  next_at: number | null;
  last_at: number | null;
}

declare module '#core/db/store' {
  interface Tables {
    schedule_schedule: ScheduleRow;
    schedule_occurrence: {
      id: string;
      schedule_id: string;
      due_at: number;
      status: OccurrenceStatus;
      reason: string;
      run_id: string | null;
      decided_at: number;
    };
  }
}

export const scheduleMigrations: readonly Migration[] = [
  {
    name: 'schedule-001-schedule',
    ddl: [
      `create table schedule_schedule (
        id text primary key, workflow_id text not null, kind text not null check (kind in ('cron', 'interval', 'once')), spec text not null,
        time_zone text not null, missed text not null check (missed in ('run_once', 'skip', 'all')), enabled integer not null check (enabled in (0, 1)),
        anchor_at integer not null, next_at integer, last_at integer) strict, without rowid`,
      'create index schedule_schedule_next on schedule_schedule (next_at) where next_at is not null',
      'create index schedule_schedule_workflow on schedule_schedule (workflow_id)',
      `create table schedule_occurrence (
        id text primary key, schedule_id text not null, due_at integer not null, status text not null, reason text not null, run_id text,
        decided_at integer not null, unique (schedule_id, due_at)) strict, without rowid`,
    ],
  },
];
