import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import type { ErrorInfo } from '#core/errors';
import type { Json } from '#core/json';
import { insertStep, updateStep, type Label, type RunRow, type Runs, type StepRow } from '#runs';
import { Definition, GATE, type Definition as DefinitionType, type Step } from './contract.ts';
import { END, type Frame, inputOf, isClosed, labelsUnder, type Left, leftBy, nextOf, union } from './frame.ts';
import { createPerform, type Performed, type PerformDeps } from './perform.ts';

/** A run that is being driven now. */
export interface Live {
  readonly run: RunRow;
  readonly definition: DefinitionType;
  /** On whose behalf its steps act: the owner, the workflows that started this one, itself. */
  readonly chain: readonly string[];
  /** Every step row by path, kept in step with the table. */
  readonly steps: Map<string, StepRow>;
  lastSeq: number;
  readonly signal: AbortSignal;
  readonly stop: (why: 'cancelled' | 'timeout') => void;
  pausing: boolean;
}

/** Why a live run's signal was aborted by hand. */
export class Stopped extends Error {
  override readonly name = 'AbortError';
  readonly why: 'cancelled' | 'timeout';
  constructor(why: 'cancelled' | 'timeout') {
    super(why);
    this.why = why;
  }
}

/** A question to the owner that a step waits on. */
export interface Question {
  /** Asked once under this id while it is open; one of its own when left out. */
  readonly id?: string;
  readonly runId: string;
  readonly step: string;
  readonly kind: 'approval_step' | 'budget' | 'effect_unknown' | 'second_factor' | 'policy';
  readonly title: string;
  readonly question: string;
  readonly options: readonly { readonly id: string; readonly label: string }[];
  readonly details: Json;
  readonly expiresAt: number | null;
}

/** Acts put off to the end of a run, by kind. */
export type DeferredHandlers = Readonly<
  Record<
    string,
    (
      tx: Db,
      data: Json,
      from: { readonly runId: string; readonly step: string; readonly workspace: string | null; readonly labels: readonly Label[] },
    ) => Promise<void>
  >
>;

/** How a walk came to rest. `flush` writes what the last step left, in the transaction that also writes the run's end. */
export type WalkEnd =
  | { readonly state: 'done'; readonly left: Left; readonly flush: Write }
  | { readonly state: 'failed'; readonly outcome: string; readonly error: ErrorInfo; readonly flush: Write }
  | { readonly state: 'refused'; readonly error: ErrorInfo; readonly flush: Write }
  | { readonly state: 'waiting'; readonly wakeAt: number | null; readonly flush: Write }
  | { readonly state: 'paused'; readonly flush: Write };

type Write = (tx: Db) => Promise<void>;
const nothing: Write = async () => {};

/** A crash loop ends here: a step cut off more often is given up. */
const MOST_INTERRUPTIONS = 5;
const MOST_VISITS = 1_000;
const LARGEST_OUTPUT = 8_000_000;

export interface WalkDeps extends Omit<PerformDeps, 'walkFrame'> {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly runs: Runs;
  /** How many crashes one step may be cut off by; 5 when left out. */
  readonly mostInterruptions?: number;
}

/**
 * Walks a run's graph from its first step. Steps that are closed in the table are followed, not run: that is all there is
 * to going on after a crash. A step's end and the next one's beginning are one write, durable before the next one acts.
 */
export function createWalk(deps: WalkDeps): (live: Live, onBegin: Write) => Promise<WalkEnd> {
  const { store, bus, clock, mostInterruptions = MOST_INTERRUPTIONS } = deps;
  const perform = createPerform({ ...deps, walkFrame });

  async function walkRun(live: Live, onBegin: Write): Promise<WalkEnd> {
    const { run, definition } = live;
    const input = run.input === null ? null : (JSON.parse(run.input) as Json);
    const labels = JSON.parse(run.labels) as Label[];
    const start: Left = { output: input, outcome: 'ok', labels };
    const frame: Frame = { steps: gated(definition), prefix: '', start, extra: runScope(live), left: new Map() };
    const end = await walkFrame(live, frame, onBegin);
    if (end.state !== 'done') return end;
    if (end.left.outcome === 'refused')
      return {
        state: 'refused',
        error: { kind: 'forbidden', code: 'workflow.refused', message: 'The owner did not confirm the run' },
        flush: end.flush,
      };
    const chosen = definition.output === undefined ? undefined : frame.left.get(definition.output);
    return { ...end, left: { ...end.left, ...(chosen && { output: chosen.output }), labels: labelsUnder(live, '') } };
  }

  async function walkFrame(live: Live, frame: Frame, onBegin: Write): Promise<WalkEnd> {
    const visits = new Map<string, number>();
    let pending = onBegin;
    let before = frame.start;
    let id = frame.steps[0]!.id;
    for (let count = 0; id !== END; count += 1) {
      if (count > MOST_VISITS)
        return {
          state: 'failed',
          outcome: 'on_error',
          error: { kind: 'limited', code: 'workflow.endless', message: `More than ${MOST_VISITS} steps: the graph goes round in circles` },
          flush: pending,
        };
      const index = frame.steps.findIndex((step) => step.id === id);
      const step = frame.steps[index]!;
      const visit = (visits.get(id) ?? 0) + 1;
      visits.set(id, visit);
      const path = `${frame.prefix}${id}${visit > 1 ? `#${visit}` : ''}`;
      const known = live.steps.get(path);
      if (known && isClosed(known)) {
        if (known.status === 'failed' && known.next === FAILED)
          return { state: 'failed', outcome: known.outcome ?? 'on_error', error: JSON.parse(known.error!) as ErrorInfo, flush: pending };
        before = leftBy(known);
        frame.left.set(id, before);
        id = known.next!;
        continue;
      }
      if (live.pausing && known?.status !== 'waiting') return { state: 'paused', flush: pending };
      live.signal.throwIfAborted();
      const { row, input, labels } = await begin(live, frame, step, path, before, known, pending);
      pending = nothing;
      const result = row.interruptions > mostInterruptions ? poisoned(row) : await perform(live, frame, step, row, input, labels);
      if (result.state === 'waiting') return { state: 'waiting', wakeAt: result.wakeAt, flush: nothing };
      if (result.state === 'paused') return { state: 'paused', flush: nothing };
      const closed = close(live, frame, index, row, result, labels);
      pending = closed.write;
      if (closed.failed) return { state: 'failed', outcome: result.outcome, error: closed.failed, flush: pending };
      before = closed.left;
      frame.left.set(id, before);
      id = row.next!;
    }
    return { state: 'done', left: before, flush: pending };
  }

  /** Writes what the step before left and that this one begins; a step that was cut off begins again. */
  async function begin(
    live: Live,
    frame: Frame,
    step: Step,
    path: string,
    before: Left,
    known: StepRow | undefined,
    pending: Write,
  ): Promise<{ row: StepRow; input: Json; labels: readonly Label[] }> {
    const { input, labels } =
      known?.input != null
        ? { input: JSON.parse(known.input) as Json, labels: JSON.parse(known.labels) as Label[] }
        : inputOf(step, frame, before);
    if (known) {
      if (known.status === 'running') known.interruptions += 1;
      if (known.status === 'running' || pending !== nothing) {
        await store.write(async (tx) => {
          await pending(tx);
          if (known.status === 'running') await updateStep(tx, live.run.id, path, { interruptions: known.interruptions });
        });
      }
      return { row: known, input, labels };
    }
    const row: StepRow = {
      run_id: live.run.id,
      path,
      seq: (live.lastSeq += 1),
      name: step.name ?? step.id,
      skill: 'skill' in step ? step.skill : null,
      status: 'running',
      attempt: 1,
      interruptions: 0,
      outcome: null,
      next: null,
      input: JSON.stringify(input),
      output: null,
      error: null,
      labels: JSON.stringify(labels),
      taken: null,
      cost_usd: 0,
      waits_for: null,
      signal: null,
      deferred: null,
      started_at: clock.now(),
      ended_at: null,
      wake_at: null,
    };
    await store.write(async (tx) => {
      await pending(tx);
      await insertStep(tx, row);
      store.onCommit(() => tell(row));
    });
    live.steps.set(path, row);
    return { row, input, labels };
  }

  /** Settles a step in memory and hands back the write that makes it durable. */
  function close(
    live: Live,
    frame: Frame,
    index: number,
    row: StepRow,
    result: Performed,
    inputLabels: readonly Label[],
  ): { write: Write; left: Left; failed: ErrorInfo | null } {
    const { outcome, status } = result;
    const next = nextOf(frame.steps, index, outcome);
    const failed = next === null ? (result.error ?? { kind: 'internal', code: 'step.failed', message: `Ended as ${outcome}` }) : null;
    const output = result.error && next !== null && result.output === null ? { error: errorJson(result.error) } : result.output;
    const text = JSON.stringify(output);
    const oversized = text.length > LARGEST_OUTPUT;
    const error: ErrorInfo | null = oversized
      ? {
          kind: 'limited',
          code: 'step.output_too_large',
          message: `The output has ${text.length} characters; at most ${LARGEST_OUTPUT} are kept`,
        }
      : (result.error ?? null);
    const labels = union(inputLabels, result.labels ?? [], result.taken?.map(({ label }) => label) ?? []);
    const set = {
      status: oversized || (result.error && status !== 'skipped') ? ('failed' as const) : status,
      outcome: oversized ? 'on_error' : outcome,
      next: oversized || next === null ? FAILED : next,
      output: oversized ? null : text,
      error: error ? JSON.stringify(error) : null,
      labels: JSON.stringify(labels),
      taken: result.taken?.length ? JSON.stringify(result.taken) : null,
      deferred: result.deferred?.length ? JSON.stringify(result.deferred) : null,
      attempt: row.attempt,
      waits_for: null,
      wake_at: null,
      ended_at: clock.now(),
    };
    Object.assign(row, set);
    const write: Write = async (tx) => {
      await updateStep(tx, row.run_id, row.path, set);
      store.onCommit(() => tell(row));
    };
    return { write, left: { output: oversized ? null : output, outcome: set.outcome, labels }, failed: oversized ? error : failed };
  }

  function tell(row: StepRow): void {
    bus.publish('step.changed', {
      runId: row.run_id,
      path: row.path,
      name: row.name,
      status: row.status,
      outcome: row.outcome,
      attempt: row.attempt,
    });
  }

  return walkRun;
}

/** `next` of a step whose error stops the run. */
export const FAILED = '!';

function poisoned(row: StepRow): Performed {
  const error: ErrorInfo = {
    kind: 'internal',
    code: 'step.poisoned',
    message: `The step was cut off ${row.interruptions - 1} times by a crash and is not tried again`,
  };
  return { state: 'ended', status: 'failed', outcome: 'on_error', output: null, error };
}

/** A workflow marked `requires2fa` begins with the owner's confirmation. */
function gated(definition: DefinitionType): readonly Step[] {
  if (!definition.requires2fa) return definition.steps;
  const first = definition.steps[0]!.id;
  const gate = Definition.shape.steps.element.parse({
    id: GATE,
    name: 'Second factor',
    approval: {
      question: `Run "${definition.title ?? definition.name}"?`,
      options: [
        { id: 'approve', label: 'Confirm' },
        { id: 'refused', label: 'Refuse' },
      ],
      expiresInMs: 120_000,
    },
    next: { approve: first, refused: 'end', on_timeout: 'end' },
  });
  return [gate, ...definition.steps];
}

function runScope({ run, definition }: Live): Readonly<Record<string, unknown>> {
  return {
    run: {
      id: run.id,
      workflow: definition.name,
      title: run.title,
      dryRun: run.dry_run === 1,
      createdAt: new Date(run.created_at).toISOString(),
      trigger: JSON.parse(run.trigger_json) as unknown,
    },
    resources: definition.resources.filter(({ enabled }) => enabled).map(({ name, type, url, tags }) => ({ name, type, url, tags })),
  };
}

function errorJson({ kind, code, message, details }: ErrorInfo): Json {
  return { kind, code, message, ...(details && { details: JSON.parse(JSON.stringify(details)) as Json }) };
}
