import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError, errorInfo, type ErrorInfo } from '#core/errors';
import type { Json } from '#core/json';
import { revealText } from '#content';
import { updateStep, type Label, type RunRow, type Runs, type StepRow } from '#runs';
import { addressesIn } from '#skills';
import type { Taken } from '#runs/contract';
import type { DeferredAct, SkillResult, SkillRunner } from '#skills/contract';
import { createHandles } from '#vault';
import {
  GATE,
  type ApprovalStep,
  type MapStep,
  type Retry,
  type SkillStep,
  type Step,
  type SubWorkflowStep,
  type WaitStep,
  type Workflow,
} from './contract.ts';
import { type Frame, labelsUnder, union } from './frame.ts';
import type { Templates } from './template.ts';
import { extraUsd, questionFor } from './question.ts';
import type { Live, Question, WalkEnd } from './walk.ts';

/** How one step came to rest. */
export type StepEnd = Performed | { readonly state: 'waiting'; readonly wakeAt: number | null } | { readonly state: 'paused' };

export interface Performed {
  readonly state: 'ended';
  readonly status: 'succeeded' | 'skipped' | 'failed';
  readonly outcome: string;
  readonly output: Json;
  readonly labels?: readonly Label[];
  /** What it read, and where: these labels are its output's too, and its error's. */
  readonly taken?: readonly Taken[];
  readonly deferred?: readonly DeferredAct[];
  readonly error?: ErrorInfo;
}

export interface PerformDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly runs: Runs;
  readonly templates: Templates;
  readonly skills: SkillRunner;
  readonly ask: (tx: Db, question: Question) => Promise<string>;
  /** More money, after the owner agreed, where the budget that ran out says: `scope` and `key` of `llm.over_budget`. */
  readonly grantExtra: (scope: string, key: string, usd: number) => Promise<void>;
  readonly workflow: (idOrName: string) => Promise<Workflow>;
  readonly startChild: (tx: Db, parent: RunRow, child: Workflow, input: Json, labels: readonly Label[]) => Promise<string>;
  readonly walkFrame: (live: Live, frame: Frame, onBegin: (tx: Db) => Promise<void>) => Promise<WalkEnd>;
}

/** Sources kept of one step; a label is never left out. */
const MOST_TAKEN = 40;

/** A shorter pause between tries is slept; a longer one is a durable wait. */
const LONGEST_SLEEP_MS = 5_000;

type Perform = (live: Live, frame: Frame, step: Step, row: StepRow, input: Json, labels: readonly Label[]) => Promise<StepEnd>;

/** Runs one step of whatever kind, once it has begun. */
export function createPerform(deps: PerformDeps): Perform {
  const { store, clock, runs, templates, skills } = deps;

  const perform: Perform = async (live, frame, step, row, input, labels) => {
    const scope = scopeOf(frame, input);
    try {
      if (row.status === 'running' && row.attempt === 1 && step.when && !(await templates.evaluate(step.when, scope))) {
        return { state: 'ended', status: 'skipped', outcome: 'skipped', output: input };
      }
      if ('skill' in step) return await performSkill(live, frame, step, row, input, labels);
      if ('map' in step) return await performMap(live, frame, step, row, input, labels, scope);
      if ('wait' in step) return await performWait(live, step, row, input, scope);
      if ('approval' in step) return await performApproval(live, step, row, input, scope);
      return await performChild(live, step, row, input, labels);
    } catch (error) {
      if (live.signal.aborted) throw error;
      return failure(error, step, input, row);
    }
  };

  // ── skills ────────────────────────────────────────────────────────────────────────────────────────────────────────

  async function performSkill(
    live: Live,
    frame: Frame,
    step: SkillStep,
    row: StepRow,
    input: Json,
    labels: readonly Label[],
  ): Promise<StepEnd> {
    if (row.waits_for !== null) {
      const verdict = await answered(live, row);
      if (verdict !== 'again') return verdict;
    } else if (row.status === 'waiting' && row.wake_at !== null && row.wake_at > clock.now())
      return { state: 'waiting', wakeAt: row.wake_at };
    const retry = step.retry;
    const taken: Taken[] = [];
    for (;;) {
      try {
        return succeeded(await runSkill(live, frame, step, row, input, labels, taken), taken);
      } catch (error) {
        if (live.signal.aborted) throw error;
        const question = questionFor(error, live, row, clock.now());
        if (question) return wait(row, { question, labels: union(labels, labelsOf(taken)), taken });
        const outcome = outcomeOf(error);
        if (!retry || row.attempt >= retry.attempts || !retry.on.includes(outcome) || isFinal(error))
          return await fallback(live, frame, step, row, input, union(labels, labelsOf(taken)), error, taken);
        const resting = await rest(live, row, retry, error);
        if (resting) return resting;
      }
    }
  }

  async function runSkill(
    live: Live,
    frame: Frame,
    step: Pick<SkillStep, 'skill' | 'config' | 'prompt' | 'tier' | 'provider' | 'model' | 'timeoutMs' | 'allowOffline'>,
    row: StepRow,
    input: Json,
    labels: readonly Label[],
    taken: Taken[],
  ): Promise<SkillResult> {
    const { run, definition, signal } = live;
    const scope = scopeOf(frame, input);
    const handles = createHandles(); // before anything foreign is filled in
    return skills.run({
      skill: step.skill,
      config: await templates.fill(handles.hold(step.config ?? {}), scope),
      handles,
      ownConfig: step.config ?? {},
      input,
      prompt: step.prompt ?? null,
      ...(step.timeoutMs !== undefined && { timeoutMs: step.timeoutMs }),
      ...(step.allowOffline !== undefined && { allowOffline: step.allowOffline }),
      signal,
      llm: [step, definition].map(({ tier, provider, model }) => ({ tier, provider, model })),
      run: {
        id: run.id,
        workflowId: run.workflow_id,
        dryRun: run.dry_run === 1,
        ...(definition.workspace !== undefined && { workspace: definition.workspace }),
        ...(definition.budget.perRunUsd !== undefined && { perRunUsd: definition.budget.perRunUsd }),
        ...(definition.budget.perDayUsd !== undefined && { perDayUsd: definition.budget.perDayUsd }),
      },
      step: row.path,
      onBehalf: { chain: live.chain },
      labels,
      took: (it) => keepTaken(taken, it),
      resources: definition.resources.filter(({ enabled }) => enabled),
      ownAddresses: addressesIn(step.config ?? {}),
      render: (template, extra) => templates.render(template, { ...scope, ...extra }),
    });
  }

  /** The pause before the next try: slept when short, a durable wait when long. */
  async function rest(live: Live, row: StepRow, retry: Retry, error: unknown): Promise<StepEnd | null> {
    const factor = retry.backoff === 'exponential' ? 2 ** (row.attempt - 1) : 1;
    const pauseMs = Math.min(retry.delayMs * factor, retry.maxDelayMs);
    const durable = pauseMs > LONGEST_SLEEP_MS;
    const wakeAt = clock.now() + pauseMs;
    row.attempt += 1;
    const set = { attempt: row.attempt, ...(durable && { status: 'waiting' as const, wake_at: wakeAt }) };
    Object.assign(row, set);
    await store.write(async (tx) => {
      await updateStep(tx, row.run_id, row.path, set);
      await runs.journal(row.run_id, 'step.retry', row.path, { attempt: row.attempt, pauseMs, error: errorJson(errorInfo(error)) }, tx);
    });
    if (durable) return { state: 'waiting', wakeAt };
    await clock.sleep(pauseMs, live.signal);
    return null;
  }

  async function fallback(
    live: Live,
    frame: Frame,
    step: SkillStep,
    row: StepRow,
    input: Json,
    labels: readonly Label[],
    error: unknown,
    taken: Taken[],
  ): Promise<StepEnd> {
    if (typeof step.onFailure !== 'object') return { ...failure(error, step, input, row), taken };
    await runs.journal(row.run_id, 'step.fallback', row.path, { skill: step.onFailure.skill, error: errorJson(errorInfo(error)) });
    const { skill, config } = step.onFailure;
    const { prompt: _prompt, ...rest } = step;
    try {
      return succeeded(await runSkill(live, frame, { ...rest, skill, ...(config ? { config } : {}) }, row, input, labels, taken), taken);
    } catch (second) {
      if (live.signal.aborted) throw second;
      const question = questionFor(second, live, row, clock.now());
      if (question) return wait(row, { question, labels: union(labels, labelsOf(taken)), taken });
      return { ...failure(second, { ...step, onFailure: 'halt' }, input, row), taken };
    }
  }

  /** The owner's answer to a step that could not go on by itself. */
  async function answered(live: Live, row: StepRow): Promise<StepEnd | 'again'> {
    if (row.signal === null) return { state: 'waiting', wakeAt: row.wake_at };
    const { option } = JSON.parse(row.signal) as { option: string | null };
    const error = JSON.parse(row.error!) as ErrorInfo;
    const set = { status: 'running' as const, waits_for: null, signal: null, wake_at: null, error: null };
    if (error.code === 'llm.over_budget' && option === 'raise')
      await deps.grantExtra(String(error.details?.['scope']), String(error.details?.['key']), extraUsd(error.details));
    else if (error.code === 'effect.unknown' && (option === 'done' || option === 'retry'))
      await runs.effects.settle(String(error.details?.['key']), option);
    else if (error.code === 'policy.ask') {
      // the policy itself took note of a yes; see its `settle`
      if (option !== 'yes' && option !== 'always') return refused(error, option);
    } else return { state: 'ended', status: 'failed', outcome: 'on_error', output: null, error };
    Object.assign(row, set);
    await store.write((tx) => updateStep(tx, row.run_id, row.path, set));
    return 'again';
  }

  // ── waits ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  interface WaitFor {
    readonly question?: Question & { readonly error?: ErrorInfo };
    readonly waitsFor?: string;
    readonly wakeAt?: number | null;
    /** What the step has read so far, for the owner to see. */
    readonly labels?: readonly Label[];
    readonly taken?: readonly Taken[];
  }

  /** Puts a step to sleep, durably. */
  async function wait(row: StepRow, { question, waitsFor, wakeAt = null, labels, taken }: WaitFor): Promise<StepEnd> {
    await store.write(async (tx) => {
      const read = { ...(labels && { labels: JSON.stringify(labels) }), ...(taken?.length && { taken: JSON.stringify(taken) }) };
      // first what it has read, so that the question can say where that came from
      if (question && Object.keys(read).length > 0) await updateStep(tx, row.run_id, row.path, read);
      const on = question ? `approval:${await deps.ask(tx, question)}` : (waitsFor ?? null);
      const set = {
        status: 'waiting' as const,
        waits_for: on,
        wake_at: wakeAt,
        ...(question?.error && { error: JSON.stringify(question.error) }),
        ...read,
      };
      Object.assign(row, set);
      await updateStep(tx, row.run_id, row.path, set);
    });
    return { state: 'waiting', wakeAt };
  }

  async function performWait(
    live: Live,
    { wait: what }: WaitStep,
    row: StepRow,
    input: Json,
    scope: Record<string, unknown>,
  ): Promise<StepEnd> {
    if (live.run.dry_run === 1) return ended('ok', input);
    if (row.status === 'waiting') {
      if (row.signal !== null)
        return {
          ...ended('ok', JSON.parse(row.signal) as Json),
          taken: [{ label: 'untrusted', from: `event ${'event' in what ? what.event : ''}` }],
        };
      if (row.wake_at !== null && clock.now() >= row.wake_at)
        return 'event' in what
          ? {
              ...ended('on_timeout', null),
              status: 'failed',
              error: { kind: 'unavailable', code: 'step.timeout', message: `The event "${what.event}" did not come in time` },
            }
          : ended('ok', input);
      return { state: 'waiting', wakeAt: row.wake_at };
    }
    if ('event' in what)
      return wait(row, { waitsFor: `event:${what.event}`, wakeAt: what.timeoutMs === undefined ? null : clock.now() + what.timeoutMs });
    if ('forMs' in what) return wait(row, { wakeAt: row.started_at + what.forMs });
    const text = await templates.render(what.until, scope);
    const until = Date.parse(text);
    if (Number.isNaN(until)) throw new AppError('invalid', 'step.bad_time', `"${text}" is not an ISO 8601 time`, { until: text });
    return until <= clock.now() ? ended('ok', input) : wait(row, { wakeAt: until });
  }

  async function performApproval(
    live: Live,
    step: ApprovalStep,
    row: StepRow,
    input: Json,
    scope: Record<string, unknown>,
  ): Promise<StepEnd> {
    const { approval } = step;
    if (live.run.dry_run === 1) {
      await runs.journal(row.run_id, 'approval.planned', row.path, {
        question: await templates.render(approval.question, scope),
        answer: approval.options[0]!.id,
      });
      return ended(approval.options[0]!.id, input);
    }
    if (row.status === 'waiting') {
      if (row.signal === null) return { state: 'waiting', wakeAt: row.wake_at };
      const { option } = JSON.parse(row.signal) as { option: string | null };
      if (option !== null) return ended(option, input);
      return {
        ...ended('on_timeout', input),
        status: 'failed',
        error: { kind: 'unavailable', code: 'approval.expired', message: 'Nobody answered in time' },
      };
    }
    const gate = step.id === GATE && live.definition.requires2fa;
    return wait(row, {
      question: {
        runId: row.run_id,
        step: row.path,
        kind: gate ? 'second_factor' : 'approval_step',
        title: live.run.title,
        // what the owner reads is what stands there: nothing in it can hide or turn around
        question: revealText(await templates.render(approval.question, scope)).text,
        options: approval.options,
        details: { input },
        expiresAt: approval.expiresInMs === undefined ? null : clock.now() + approval.expiresInMs,
      },
    });
  }

  async function performChild(live: Live, step: SubWorkflowStep, row: StepRow, input: Json, labels: readonly Label[]): Promise<StepEnd> {
    const { workflow } = step;
    if (row.status === 'waiting') {
      if (row.signal === null) return { state: 'waiting', wakeAt: null };
      const end = JSON.parse(row.signal) as {
        status: string;
        outcome: string | null;
        output: Json;
        error: ErrorInfo | null;
        labels: Label[];
      };
      const taken = end.labels
        .filter((label) => !labels.includes(label))
        .map((label) => ({ label, from: `${workflow.name} (run ${row.waits_for?.slice(4)})` }));
      if (end.status === 'succeeded') return { ...ended('ok', end.output), taken };
      const error = new AppError(
        'unavailable',
        'workflow.child_failed',
        `"${workflow.name}" ended as ${end.status}${end.error ? `: ${end.error.message}` : ''}`,
        { child: row.waits_for?.slice(4) },
      );
      return { ...failure(error, step, input, row), taken };
    }
    const definition = await deps.workflow(workflow.name); // read before the write, which only writes
    if (workflow.wait) {
      await store.write(async (tx) => {
        const child = await deps.startChild(tx, live.run, definition, input, labels);
        const set = { status: 'waiting' as const, waits_for: `run:${child}` };
        Object.assign(row, set);
        await updateStep(tx, row.run_id, row.path, set);
      });
      return { state: 'waiting', wakeAt: null };
    }
    const key = `child:${row.run_id}:${row.path}`;
    const known = await store.db
      .selectFrom('run_journal')
      .select('data')
      .where('run_id', '=', row.run_id)
      .where('type', '=', key)
      .executeTakeFirst();
    if (known) return ended('ok', JSON.parse(known.data) as Json);
    const started = await store.write(async (tx) => {
      const data = { runId: await deps.startChild(tx, live.run, definition, input, labels) };
      await runs.journal(row.run_id, key, row.path, data, tx);
      return data;
    });
    return ended('ok', started);
  }

  // ── maps ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  async function performMap(
    live: Live,
    frame: Frame,
    { map }: MapStep,
    row: StepRow,
    input: Json,
    labels: readonly Label[],
    scope: Record<string, unknown>,
  ): Promise<StepEnd> {
    const list: unknown = map.over === undefined ? input : await templates.evaluate(map.over, scope);
    if (!Array.isArray(list))
      throw new AppError('invalid', 'step.not_a_list', 'What the map goes over is not a list', { over: map.over ?? 'input' });
    if (list.length === 0) return ended('on_empty', []);
    const ends: WalkEnd[] = [];
    let stopped = false;
    const one = async (index: number): Promise<void> => {
      const item = list[index] as Json;
      const inner: Frame = {
        steps: map.steps,
        prefix: `${row.path}[${index}]/`,
        start: { output: item, outcome: 'ok', labels },
        extra: { ...frame.extra, item, index, outer: Object.fromEntries([...frame.left].map(([id, left]) => [id, left.output])) },
        left: new Map(),
      };
      const end = await deps.walkFrame(live, inner, async () => {});
      await store.write(end.flush);
      ends[index] = end;
      if (end.state === 'failed' && map.onItemError === 'fail') stopped = true;
    };
    const left = list.keys();
    const lane = async (): Promise<void> => {
      for (const index of left) {
        if (stopped || live.signal.aborted) return;
        await one(index);
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: Math.min(map.concurrency, list.length) }, lane));
    for (const result of lanes) if (result.status === 'rejected') throw result.reason;
    live.signal.throwIfAborted();
    const failed = ends.find((end) => end?.state === 'failed');
    if (failed?.state === 'failed' && map.onItemError === 'fail')
      return {
        state: 'ended',
        status: 'failed',
        outcome: 'on_error',
        output: null,
        labels: labelsUnder(live, `${row.path}[`),
        error: failed.error,
      };
    if (ends.some((end) => end.state === 'paused')) return { state: 'paused' };
    const waits = ends.filter((end) => end.state === 'waiting');
    if (waits.length > 0) {
      const wakeAt =
        waits
          .map((end) => end.wakeAt)
          .filter((at) => at !== null)
          .toSorted((a, b) => a - b)[0] ?? null;
      return wait(row, { wakeAt });
    }
    const results = ends.map((end): Json =>
      end.state === 'done' ? end.left.output : end.state === 'failed' ? { error: errorJson(end.error) } : null,
    );
    return ended(failed ? 'on_partial' : 'ok', results, labelsUnder(live, `${row.path}[`));
  }

  return perform;
}

// ── small things ────────────────────────────────────────────────────────────────────────────────────────────────────

function scopeOf(frame: Frame, input: Json): Record<string, unknown> {
  return { ...frame.extra, input, steps: Object.fromEntries([...frame.left].map(([id, left]) => [id, left.output])) };
}

function ended(outcome: string, output: Json, labels: readonly Label[] = []): Performed {
  return { state: 'ended', status: 'succeeded', outcome, output, labels };
}

function succeeded({ outcome, output, labels = [], onRunSucceeded = [] }: SkillResult, taken: readonly Taken[]): Performed {
  return { state: 'ended', status: 'succeeded', outcome, output, labels, taken, deferred: onRunSucceeded };
}

const labelsOf = (taken: readonly Taken[]): Label[] => taken.map(({ label }) => label);

function keepTaken(taken: Taken[], it: Taken): void {
  const isKnown = taken.some(({ label, from }) => label === it.label && from === it.from);
  if (!isKnown && (taken.length < MOST_TAKEN || !labelsOf(taken).includes(it.label))) taken.push(it);
}

function failure(error: unknown, step: Step, input: Json, _row: StepRow): Performed {
  const outcome = outcomeOf(error);
  if (step.onFailure === 'skip') return { state: 'ended', status: 'skipped', outcome: 'skipped', output: input, error: errorInfo(error) };
  return { state: 'ended', status: 'failed', outcome, output: null, error: errorInfo(error) };
}

function outcomeOf(error: unknown): string {
  return error instanceof AppError && error.code === 'skill.timeout' ? 'on_timeout' : 'on_error';
}

/** The owner said no to what policy asked about, or nothing. */
function refused({ message, details }: ErrorInfo, option: string | null): Performed {
  const why = option === null ? 'Nobody answered in time' : 'The owner refused';
  const error: ErrorInfo = { kind: 'forbidden', code: 'policy.denied', message: `${why}: ${message}`, ...(details && { details }) };
  return { state: 'ended', status: 'failed', outcome: 'on_error', output: null, error };
}

/** Trying again cannot help: the mistake is in the workflow, or it is not allowed. */
function isFinal(error: unknown): boolean {
  return error instanceof AppError && (error.kind === 'invalid' || error.code === 'skill.unknown' || error.code === 'policy.denied');
}

function errorJson(info: ErrorInfo): Json {
  return JSON.parse(JSON.stringify(info)) as Json;
}
