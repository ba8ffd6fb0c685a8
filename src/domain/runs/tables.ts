import type { Migration } from '#core/db/migration';
import type { RunKind, RunStatus, StepStatus } from './contract.ts';

export interface RunRow {
  id: string;
  kind: RunKind;
  status: RunStatus;
  title: string;
  workflow_id: string | null;
  workflow_version: number | null;
  parent_run_id: string | null;
  /** `waits_for` of the parent's step that this run answers. */
  trigger_json: string;
  idempotency_key: string | null;
  dry_run: number;
  input: string | null;
  output: string | null;
  outcome: string | null;
  error: string | null;
  labels: string;
  cost_usd: number;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  wake_at: number | null;
}

export interface StepRow {
  run_id: string;
  path: string;
  /** Order of the first start within the run. */
  seq: number;
  name: string;
  skill: string | null;
  status: StepStatus;
  attempt: number;
  /** How often a crash cut it off. */
  interruptions: number;
  outcome: string | null;
  /** Where the walk goes next: a step id, `""` for the end; null while the step is open. */
  next: string | null;
  input: string | null;
  output: string | null;
  error: string | null;
  labels: string;
  /** What the step itself read: each label with its source, as JSON; null when it read nothing. */
  taken: string | null;
  cost_usd: number;
  /** What wakes a waiting step: `event:NAME`, `approval:ID`, `run:ID`. */
  waits_for: string | null;
  /** What woke it. */
  signal: string | null;
  /** Acts put off until the run has succeeded. */
  deferred: string | null;
  started_at: number;
  ended_at: number | null;
  wake_at: number | null;
}

export interface EffectRow {
  key: string;
  run_id: string;
  step: string;
  kind: string;
  target: string;
  class: string;
  status: 'intended' | 'done' | 'failed' | 'unknown' | 'planned';
  intent: string;
  receipt: string | null;
  error: string | null;
  attempts: number;
  created_at: number;
  ended_at: number | null;
}

declare module '#core/db/store' {
  interface Tables {
    run_run: RunRow;
    run_step: StepRow;
    run_effect: EffectRow;
    run_journal: { run_id: string; seq: number; at: number; type: string; step: string | null; data: string };
  }
}

const statuses = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

export const runMigrations: readonly Migration[] = [
  {
    name: 'run-001-run',
    ddl: [
      `create table run_run (
        id text primary key, kind text not null,
        status text not null check (status in (${statuses(['queued', 'running', 'waiting', 'paused', 'succeeded', 'failed', 'cancelled'])})),
        title text not null, workflow_id text, workflow_version integer, parent_run_id text, trigger_json text not null,
        idempotency_key text unique, dry_run integer not null check (dry_run in (0, 1)),
        input text, output text, outcome text, error text, labels text not null, cost_usd real not null,
        created_at integer not null, started_at integer, ended_at integer, wake_at integer) strict`,
      'create index run_run_workflow on run_run (workflow_id, id)',
      'create index run_run_open on run_run (workflow_id) where ended_at is null',
      'create index run_run_ended on run_run (ended_at) where ended_at is not null',
      `create table run_step (
        run_id text not null, path text not null, seq integer not null, name text not null, skill text,
        status text not null check (status in (${statuses(['running', 'waiting', 'succeeded', 'failed', 'skipped', 'cancelled'])})),
        attempt integer not null, interruptions integer not null default 0, outcome text, next text, input text, output text, error text,
        labels text not null, cost_usd real not null, waits_for text, signal text, deferred text,
        started_at integer not null, ended_at integer, wake_at integer, primary key (run_id, path)) strict, without rowid`,
      'create index run_step_waits on run_step (waits_for) where waits_for is not null',
      `create table run_effect (
        key text primary key, run_id text not null, step text not null, kind text not null, target text not null, class text not null,
        status text not null check (status in (${statuses(['intended', 'done', 'failed', 'unknown', 'planned'])})),
        intent text not null, receipt text, error text, attempts integer not null, created_at integer not null, ended_at integer) strict`,
      'create index run_effect_run on run_effect (run_id)',
      `create table run_journal (
        run_id text not null, seq integer not null, at integer not null, type text not null, step text, data text not null,
        primary key (run_id, seq)) strict`,
    ],
  },
  { name: 'run-002-taken', ddl: ['alter table run_step add column taken text'] },
];
