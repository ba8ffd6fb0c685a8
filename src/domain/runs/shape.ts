import type { ErrorInfo } from '#core/errors';
import type { Json } from '#core/json';
import type { EffectRecord, Label, RunSummary, StepRecord, Taken, TriggerRef } from './contract.ts';
import type { EffectRow, RunRow, StepRow } from './tables.ts';

const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
const value = (text: string | null): Json | null => (text === null ? null : (JSON.parse(text) as Json));

/** Rows as the world sees them. */
export function toSummary(row: RunRow): RunSummary {
  return {
    id: row.id,
    kind: row.kind,
    status: row.status,
    title: row.title,
    workflowId: row.workflow_id,
    workflowVersion: row.workflow_version,
    parentRunId: row.parent_run_id,
    trigger: JSON.parse(row.trigger_json) as TriggerRef,
    dryRun: row.dry_run === 1,
    outcome: row.outcome,
    error: value(row.error) as ErrorInfo | null,
    labels: JSON.parse(row.labels) as Label[],
    costUsd: row.cost_usd,
    createdAt: time(row.created_at)!,
    startedAt: time(row.started_at),
    endedAt: time(row.ended_at),
    wakeAt: time(row.wake_at),
  };
}

export function toStep(row: StepRow): StepRecord {
  return {
    path: row.path,
    name: row.name,
    skill: row.skill,
    status: row.status,
    attempt: row.attempt,
    outcome: row.outcome,
    input: value(row.input),
    output: value(row.output),
    error: value(row.error) as ErrorInfo | null,
    labels: JSON.parse(row.labels) as Label[],
    taken: row.taken === null ? [] : (JSON.parse(row.taken) as Taken[]),
    costUsd: row.cost_usd,
    startedAt: time(row.started_at)!,
    endedAt: time(row.ended_at),
    wakeAt: time(row.wake_at),
  };
}

export function toEffect(row: EffectRow): EffectRecord {
  return {
    key: row.key,
    runId: row.run_id,
    step: row.step,
    kind: row.kind,
    target: row.target,
    class: row.class as EffectRecord['class'],
    status: row.status,
    intent: value(row.intent),
    receipt: value(row.receipt),
    error: value(row.error) as ErrorInfo | null,
    attempts: row.attempts,
    createdAt: time(row.created_at)!,
    endedAt: time(row.ended_at),
  };
}
