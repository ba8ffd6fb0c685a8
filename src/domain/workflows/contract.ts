import { z } from 'zod';
import { Done, endpoint, listOf, Page } from '#core/endpoint';
import { AnyJson } from '#core/json';
import { Tier } from '#llm/contract';
import { RunSummary } from '#runs/contract';
import { Resource } from '#skills/contract';

const StepId = z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'a step id is lower-case letters, digits, "-" and "_", beginning with a letter');

/** Where to go: a step's id, or `end`. */
const Target = z.string().min(1);

export const Retry = z.strictObject({
  /** All tries together. */
  attempts: z.int().min(1).max(20),
  backoff: z.enum(['fixed', 'exponential']).default('exponential'),
  delayMs: z.int().min(0).max(86_400_000).default(1_000),
  maxDelayMs: z.int().min(0).max(86_400_000).default(300_000),
  /** Outcomes that are tried again. */
  on: z.array(z.string()).default(['on_error', 'on_timeout']),
});
export type Retry = z.infer<typeof Retry>;

const base = {
  id: StepId,
  name: z.string().max(200).optional(),
  /** A Liquid expression; the step is skipped when it is false: `input.items.size > 3`. */
  when: z.string().optional(),
  /** The output of an earlier step, or of several by their ids; the step that led here when left out. */
  inputFrom: z.union([StepId, z.array(StepId).min(1)]).optional(),
  /** One target for all, or one by outcome (`default` for the others). An outcome without a target goes to the next step in the list. */
  next: z.union([Target, z.record(z.string(), Target)]).optional(),
  retry: Retry.optional(),
  timeoutMs: z.int().min(1).max(86_400_000).optional(),
  /** What follows an error that no `next` names: stop the run, go on with the step's input, or ask another skill. */
  onFailure: z
    .union([z.enum(['halt', 'skip']), z.strictObject({ skill: z.string(), config: z.record(z.string(), AnyJson).optional() })])
    .optional(),
};

export const SkillStep = z.strictObject({
  ...base,
  skill: z.string().min(1),
  /** Checked against the skill's schema; strings may hold Liquid templates. */
  config: z.record(z.string(), AnyJson).optional(),
  prompt: z.string().max(100_000).optional(),
  tier: Tier.optional(),
  provider: z.string().optional(),
  model: z.string().optional(),
  /** False: rather fail than answer without a model. */
  allowOffline: z.boolean().optional(),
});

export const WaitStep = z.strictObject({
  ...base,
  wait: z.union([
    z.strictObject({ forMs: z.int().min(0).max(31_536_000_000) }),
    /** ISO 8601, or a template that makes one. */
    z.strictObject({ until: z.string() }),
    z.strictObject({ event: z.string().min(1), timeoutMs: z.int().min(1).optional() }),
  ]),
});

export const ApprovalStep = z.strictObject({
  ...base,
  approval: z.strictObject({
    /** A template. */
    question: z.string().min(1),
    options: z
      .array(z.strictObject({ id: StepId, label: z.string() }))
      .min(1)
      .max(8)
      .default([
        { id: 'approve', label: 'Approve' },
        { id: 'reject', label: 'Reject' },
      ]),
    expiresInMs: z.int().min(1_000).optional(),
  }),
});

export const SubWorkflowStep = z.strictObject({
  ...base,
  workflow: z.strictObject({ name: z.string().min(1), wait: z.boolean().default(true) }),
});

interface MapStepShape extends z.infer<z.ZodObject<typeof base, z.core.$strict>> {
  map: { over?: string | undefined; concurrency: number; onItemError: 'fail' | 'collect'; steps: Step[] };
}
type MapStepInput = Omit<MapStepShape, 'map'> & {
  map: { over?: string | undefined; concurrency?: number; onItemError?: 'fail' | 'collect'; steps: unknown[] };
};

export const MapStep = z.strictObject({
  ...base,
  map: z.strictObject({
    /** An expression that makes the list; the step's input when left out. */
    over: z.string().optional(),
    concurrency: z.int().min(1).max(64).default(4),
    onItemError: z.enum(['fail', 'collect']).default('fail'),
    get steps() {
      return z.array(Step).min(1).max(50);
    },
  }),
}) as unknown as z.ZodType<MapStepShape, MapStepInput>;

export type SkillStep = z.infer<typeof SkillStep>;
export type WaitStep = z.infer<typeof WaitStep>;
export type ApprovalStep = z.infer<typeof ApprovalStep>;
export type SubWorkflowStep = z.infer<typeof SubWorkflowStep>;
export type MapStep = MapStepShape;
export type Step = SkillStep | WaitStep | ApprovalStep | SubWorkflowStep | MapStep;

const KINDS = { skill: SkillStep, wait: WaitStep, approval: ApprovalStep, workflow: SubWorkflowStep, map: MapStep } as const;

/** The key that says what kind of step it is decides which schema speaks of its errors. */
export const Step: z.ZodType<Step> = z.unknown().transform((raw, context): Step => {
  const kinds = Object.keys(KINDS).filter((kind) => raw !== null && typeof raw === 'object' && kind in raw) as (keyof typeof KINDS)[];
  const [kind] = kinds;
  if (!kind || kinds.length > 1) {
    context.addIssue({ code: 'custom', message: 'a step has exactly one of: skill, map, wait, approval, workflow' });
    return z.NEVER;
  }
  const result = (KINDS[kind] as z.ZodType<Step>).safeParse(raw);
  if (result.success) return result.data;
  for (const issue of result.error.issues) context.addIssue({ code: 'custom', path: issue.path, message: issue.message });
  return z.NEVER;
}) as unknown as z.ZodType<Step>;

/** What to do about occurrences that fell due while nothing ran. */
export const Missed = z.enum(['run_once', 'skip', 'all']);

/** What starts a workflow by itself. */
export const Trigger = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('cron'),
    expression: z.string().min(1),
    timeZone: z.string().optional(),
    missed: Missed.default('run_once'),
  }),
  z.strictObject({ kind: z.literal('interval'), everyMs: z.int().min(1_000), missed: Missed.default('run_once') }),
  z.strictObject({ kind: z.literal('once'), at: z.iso.datetime({ offset: true }), missed: Missed.default('run_once') }),
]);
export type Trigger = z.infer<typeof Trigger>;

export const Definition = z.strictObject({
  $schema: z.string().optional(),
  /** Unique; what a person types. */
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,99}$/, 'a workflow name is lower-case letters, digits, "-" and "_"'),
  title: z.string().max(200).optional(),
  description: z.string().max(5_000).default(''),
  steps: z.array(Step).min(1).max(200),
  triggers: z.array(Trigger).max(20).default([]),
  resources: z.array(Resource).max(500).default([]),
  tier: Tier.optional(),
  provider: z.string().optional(),
  model: z.string().optional(),
  /** Name of the workspace it belongs to: what it remembers, and what it looks for, is that one's. The owner's own memories when left out. */
  workspace: z.string().min(1).optional(),
  budget: z.strictObject({ perRunUsd: z.number().min(0).optional(), perDayUsd: z.number().min(0).optional() }).default({}),
  /** What happens when it is started while it runs. */
  concurrency: z.enum(['skip', 'queue', 'replace', 'allow']).default('queue'),
  requires2fa: z.boolean().default(false),
  /** The whole run, waits included. */
  timeoutMs: z.int().min(1_000).optional(),
  /** The step whose output is the run's result; the last one that ran when left out. */
  output: StepId.optional(),
});
export type Definition = z.infer<typeof Definition>;

export const WorkflowSummary = z.object({
  id: z.string(),
  name: z.string(),
  title: z.string(),
  description: z.string(),
  enabled: z.boolean(),
  version: z.number(),
  stepCount: z.number(),
  triggers: z.array(Trigger),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type WorkflowSummary = z.infer<typeof WorkflowSummary>;

export const Workflow = WorkflowSummary.extend({ definition: z.custom<Definition>() });
export type Workflow = z.infer<typeof Workflow>;

/** The step that a workflow marked `requires2fa` begins with; none of its own may have this id. */
export const GATE = 'second-factor';

const Id = z.strictObject({ id: z.string() });
/** The definition as JSON; read strictly by `Definition`, whose errors name the step and the field. */
const Body = z.strictObject({ definition: z.unknown(), enabled: z.boolean().optional() });

export const listWorkflows = endpoint({
  method: 'GET',
  path: '/api/workflows',
  grant: 'workflows:read',
  summary: 'Workflows by name.',
  input: Page,
  output: listOf(WorkflowSummary),
});
export const getWorkflow = endpoint({
  method: 'GET',
  path: '/api/workflows/{id}',
  grant: 'workflows:read',
  summary: 'One workflow, by id or name.',
  input: Id.extend({ version: z.coerce.number().int().optional() }),
  output: Workflow,
});
export const createWorkflow = endpoint({
  method: 'POST',
  path: '/api/workflows',
  grant: 'workflows:write',
  summary: 'Saves a new workflow.',
  input: Body,
  output: Workflow,
  status: 201,
});
export const saveWorkflow = endpoint({
  method: 'PUT',
  path: '/api/workflows/{id}',
  grant: 'workflows:write',
  summary: 'Saves a new version; switches it on or off.',
  input: Id.extend({ definition: z.unknown().optional(), enabled: z.boolean().optional() }),
  output: Workflow,
});
export const deleteWorkflow = endpoint({
  method: 'DELETE',
  path: '/api/workflows/{id}',
  grant: 'workflows:write',
  summary: 'Deletes a workflow and, in the same transaction, what was due.',
  input: Id,
  output: Done,
});
export const validateWorkflow = endpoint({
  method: 'POST',
  path: '/api/workflows/validate',
  grant: 'workflows:read',
  summary: 'Says what is wrong with a definition, by step and field, and saves nothing.',
  input: z.strictObject({ definition: z.unknown() }),
  output: z.object({ ok: z.boolean(), issues: z.array(z.object({ step: z.string().nullable(), field: z.string(), message: z.string() })) }),
});
export const importWorkflow = endpoint({
  method: 'POST',
  path: '/api/workflows/import',
  grant: 'workflows:write',
  summary: 'Imports a definition, or a file exported by AlexClaw, always switched off.',
  input: z.strictObject({ document: z.unknown() }),
  output: z.object({ workflow: Workflow, warnings: z.array(z.string()) }),
  status: 201,
});
export const exportWorkflow = endpoint({
  method: 'GET',
  path: '/api/workflows/{id}/export',
  grant: 'workflows:read',
  summary: 'The definition as a file to share; no secret is in it.',
  input: Id,
  output: z.custom<Definition>(),
});
export const listVersions = endpoint({
  method: 'GET',
  path: '/api/workflows/{id}/versions',
  grant: 'workflows:read',
  summary: 'The history of a workflow, newest first.',
  input: Id,
  output: z.object({ items: z.array(z.object({ version: z.number(), savedAt: z.string(), savedBy: z.string() })) }),
});
export const startRun = endpoint({
  method: 'POST',
  path: '/api/workflows/{id}/runs',
  grant: 'workflows:run',
  summary: 'Starts a run; the same Idempotency-Key answers with the same run.',
  input: Id.extend({ input: AnyJson.optional(), dryRun: z.boolean().default(false) }),
  output: RunSummary,
  status: 202,
});
export const sendEvent = endpoint({
  method: 'POST',
  path: '/api/workflow-events/{name}',
  grant: 'workflows:run',
  summary: 'Tells waiting steps that an event happened.',
  input: z.strictObject({ name: z.string(), data: AnyJson.optional() }),
  output: z.object({ woken: z.number() }),
});

/** A feed that workflows read, and how it does. */
export const Feed = z.object({
  url: z.string(),
  name: z.string().nullable(),
  /** Names of the workflows that have it among their resources. */
  workflows: z.array(z.string()),
  /** `new`: not read yet; `failing`: the last try failed. */
  state: z.enum(['new', 'ok', 'failing']),
  lastOkAt: z.string().nullable(),
  /** In a row. */
  failures: z.number(),
  lastError: z.string().nullable(),
});
export type Feed = z.infer<typeof Feed>;

export const listFeeds = endpoint({
  method: 'GET',
  path: '/api/feeds',
  grant: 'workflows:read',
  summary: 'The feeds that workflows read, those that fail first.',
  input: z.strictObject({}),
  output: listOf(Feed),
});
export const importFeeds = endpoint({
  method: 'POST',
  path: '/api/workflows/{id}/feeds',
  grant: 'workflows:write',
  summary: 'Adds the feeds of an OPML document to the resources of a workflow; those it has already stay as they are.',
  input: Id.extend({ opml: z.string().max(5_000_000) }),
  output: z.object({ workflow: z.string(), added: z.array(z.string()), known: z.number() }),
});
export const exportFeeds = endpoint({
  method: 'GET',
  path: '/api/workflows/{id}/feeds',
  grant: 'workflows:read',
  summary: 'The feeds of a workflow as an OPML document.',
  input: Id,
  output: z.object({ opml: z.string() }),
});

declare module '#core/bus' {
  interface Events {
    'workflow.saved': { readonly workflow: WorkflowSummary };
    'workflow.removed': { readonly id: string; readonly name: string };
  }
}
