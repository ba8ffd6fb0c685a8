import { z } from 'zod';
import { endpoint, listOf, Page } from '#core/endpoint';
import type { ErrorInfo } from '#core/errors';
import { AnyJson, type Json } from '#core/json';

/**
 * queued → running → succeeded | failed | cancelled
 *          running ⇄ waiting (a timer, an event, the owner's answer)
 *          queued, running, waiting ⇄ paused (by the owner)
 */
export const RunStatus = z.enum(['queued', 'running', 'waiting', 'paused', 'succeeded', 'failed', 'cancelled']);
export type RunStatus = z.infer<typeof RunStatus>;

export const isOver = (status: RunStatus): boolean => status === 'succeeded' || status === 'failed' || status === 'cancelled';

export const RunKind = z.enum(['workflow', 'turn', 'skill', 'experiment', 'webhook']);
export type RunKind = z.infer<typeof RunKind>;

/** What started it; `id` names the schedule occurrence, message, delivery, parent run or token. */
export const TriggerRef = z.object({
  kind: z.enum(['owner', 'api', 'cron', 'interval', 'once', 'channel', 'webhook', 'event', 'workflow', 'mcp', 'first_start']),
  id: z.string().optional(),
  by: z.string().optional(),
});
export type TriggerRef = z.infer<typeof TriggerRef>;

/** Where content came from; see the product's promise 4. */
export const Label = z.enum(['owner', 'untrusted', 'private', 'secret']);
export type Label = z.infer<typeof Label>;

/** A label, and where the text that carries it came from: an address, a memory, an event. */
export const Taken = z.object({ label: Label, from: z.string() });
export type Taken = z.infer<typeof Taken>;

/** The way a label took to a step. */
export const LabelPath = z.object({
  label: Label,
  /** Where the text came from, at most five. */
  from: z.array(z.string()),
  /** The steps it went through, the first one read it. */
  via: z.array(z.string()),
});
export type LabelPath = z.infer<typeof LabelPath>;

export const ErrorShape = z.object({
  kind: z.string(),
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
}) as z.ZodType<ErrorInfo>;

export const RunSummary = z.object({
  id: z.string(),
  kind: RunKind,
  status: RunStatus,
  title: z.string(),
  workflowId: z.string().nullable(),
  workflowVersion: z.number().nullable(),
  parentRunId: z.string().nullable(),
  trigger: TriggerRef,
  dryRun: z.boolean(),
  outcome: z.string().nullable(),
  error: ErrorShape.nullable(),
  labels: z.array(Label),
  costUsd: z.number(),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  /** When a waiting run goes on by itself. */
  wakeAt: z.string().nullable(),
});
export type RunSummary = z.infer<typeof RunSummary>;

export const StepStatus = z.enum(['running', 'waiting', 'succeeded', 'failed', 'skipped', 'cancelled']);
export type StepStatus = z.infer<typeof StepStatus>;

export const StepRecord = z.object({
  /** Place in the graph: `score`, inside a map `pages[3]/summarise`. */
  path: z.string(),
  name: z.string(),
  skill: z.string().nullable(),
  status: StepStatus,
  attempt: z.number(),
  outcome: z.string().nullable(),
  input: AnyJson.nullable(),
  output: AnyJson.nullable(),
  error: ErrorShape.nullable(),
  /** Of its output: those of what went in, and of what it read. */
  labels: z.array(Label),
  /** What it read itself. */
  taken: z.array(Taken),
  costUsd: z.number(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  wakeAt: z.string().nullable(),
});
export type StepRecord = z.infer<typeof StepRecord>;

/**
 * intended → done | failed | unknown; `unknown` is left to the owner, who says done or retry. `planned` is what a dry run
 * would have done.
 */
export const EffectStatus = z.enum(['intended', 'done', 'failed', 'unknown', 'planned']);
export const EffectClass = z.enum(['reversible', 'compensable', 'irreversible']);

export const EffectRecord = z.object({
  key: z.string(),
  runId: z.string(),
  step: z.string(),
  /** `channel.send`, `http.post`, `memory.add`, … */
  kind: z.string(),
  /** What it acts on, for the owner's eyes: `telegram:12345`, `https://…`. */
  target: z.string(),
  class: EffectClass,
  status: EffectStatus,
  intent: AnyJson,
  receipt: AnyJson.nullable(),
  error: ErrorShape.nullable(),
  attempts: z.number(),
  createdAt: z.string(),
  endedAt: z.string().nullable(),
});
export type EffectRecord = z.infer<typeof EffectRecord>;

/** An action on the outside world, told to the journal before and after. */
export interface EffectPlan<R extends Json> {
  /** Distinguishes effects of one step: `message`, `item:42`. The run, step and this name make the idempotency key. */
  readonly name: string;
  readonly kind: string;
  readonly target: string;
  readonly class: 'reversible' | 'compensable' | 'irreversible';
  /** What is about to happen, as the owner should see it; no secret in it. */
  readonly intent: Json;
  /** The other side drops a repeat of the same key: after a crash it is simply performed again. */
  readonly idempotent: boolean;
  /** Asks the other side whether the key was done; for what is not idempotent. */
  readonly verify?: (key: string, signal: AbortSignal) => Promise<R | 'not_done' | 'unknown'>;
  /** Does it. Throws an error named `EffectNotDone` when it surely did not happen; any other leaves the outcome unknown unless idempotent. */
  readonly perform: (key: string, signal: AbortSignal) => Promise<R>;
}

export const JournalEntry = z.object({ seq: z.number(), at: z.string(), type: z.string(), step: z.string().nullable(), data: AnyJson });
export type JournalEntry = z.infer<typeof JournalEntry>;

export const RunDetail = RunSummary.extend({
  input: AnyJson.nullable(),
  output: AnyJson.nullable(),
  steps: z.array(StepRecord),
  effects: z.array(EffectRecord),
  journal: z.array(JournalEntry),
});
export type RunDetail = z.infer<typeof RunDetail>;

const Id = z.strictObject({ id: z.string() });

export const listRuns = endpoint({
  method: 'GET',
  path: '/api/runs',
  grant: 'runs:read',
  summary: 'Runs, newest first.',
  input: Page.extend({ workflow: z.string().optional(), status: RunStatus.optional(), kind: RunKind.optional() }),
  output: listOf(RunSummary),
});
export const getRun = endpoint({
  method: 'GET',
  path: '/api/runs/{id}',
  grant: 'runs:read',
  summary: 'One run with its steps, effects, cost and journal.',
  input: Id,
  output: RunDetail,
});
export const cancelRun = endpoint({
  method: 'POST',
  path: '/api/runs/{id}/cancel',
  grant: 'runs:control',
  summary: 'Stops a run; what it has done stays done.',
  input: Id,
  output: RunSummary,
});
export const pauseRun = endpoint({
  method: 'POST',
  path: '/api/runs/{id}/pause',
  grant: 'runs:control',
  summary: 'Holds a run after the step it is at.',
  input: Id,
  output: RunSummary,
});
export const resumeRun = endpoint({
  method: 'POST',
  path: '/api/runs/{id}/resume',
  grant: 'runs:control',
  summary: 'Lets a paused run go on.',
  input: Id,
  output: RunSummary,
});
export const retryRun = endpoint({
  method: 'POST',
  path: '/api/runs/{id}/retry',
  grant: 'runs:control',
  summary: 'Runs a failed or cancelled run again from the step that failed, or from the one named; what was done before is kept.',
  input: Id.extend({ from: z.string().optional() }),
  output: RunSummary,
});
export const settleEffect = endpoint({
  method: 'POST',
  path: '/api/runs/{id}/effects/{key}/settle',
  grant: 'runs:control',
  summary: 'The owner says whether an effect of unknown outcome happened: `done` keeps it, `retry` performs it again.',
  input: Id.extend({ key: z.string(), as: z.enum(['done', 'retry']) }),
  output: EffectRecord,
});
export const getLabelPaths = endpoint({
  method: 'GET',
  path: '/api/runs/{id}/labels',
  grant: 'runs:read',
  summary: 'Where the text at a step came from: for each label its sources and the steps it went through.',
  input: Id.extend({ step: z.string() }),
  output: z.object({ items: z.array(LabelPath) }),
});
export const explainRun = endpoint({
  method: 'GET',
  path: '/api/explain/{id}',
  grant: 'runs:read',
  summary: 'The journal of a run, message, occurrence or decision in plain words.',
  input: Id,
  output: z.object({ id: z.string(), title: z.string(), lines: z.array(z.object({ at: z.string().nullable(), text: z.string() })) }),
});

declare module '#core/bus' {
  interface Events {
    'run.changed': { readonly run: RunSummary };
    'step.changed': {
      readonly runId: string;
      readonly path: string;
      readonly name: string;
      readonly status: StepStatus;
      readonly outcome: string | null;
      readonly attempt: number;
    };
    'run.ended': { readonly run: RunSummary };
  }
}
