import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { JobQueue } from '#core/db/queue';
import type { Db, Store } from '#core/db/store';
import { AppError, errorInfo, type ErrorInfo } from '#core/errors';
import type { Json } from '#core/json';
import type { Service } from '#core/service';
import {
  deleteSteps,
  findRun,
  isOver,
  nextOpenRun,
  openRunsOf,
  stepsOf,
  toSummary,
  updateStep,
  waitingSteps,
  type Label,
  type NewRun,
  type RunRow,
  type Runs,
  type StepRow,
} from '#runs';
import type { RunSummary, TriggerRef } from '#runs/contract';
import type { SkillRunner } from '#skills/contract';
import { GATE, type Definition, type Workflow } from './contract.ts';
import { union } from './frame.ts';
import type { Templates } from './template.ts';
import { createWalk, type DeferredHandlers, FAILED, type Live, type Question, Stopped } from './walk.ts';

const QUEUE = 'runs';
const DEEPEST_CHAIN = 8;
const KEPT_DEFINITIONS = 200;

/** Starts runs and brings them to an end, through crashes, waits and the owner's hand. */
export interface Engine {
  /** In the caller's transaction, so that what caused the run and the run are one fact. */
  start(tx: Db, workflow: Workflow, start: StartOptions): Promise<RunSummary>;
  cancel(runId: string, by: string): Promise<RunSummary>;
  pause(runId: string, by: string): Promise<RunSummary>;
  resume(runId: string, by: string): Promise<RunSummary>;
  /** Again from the failed step, or from `from`; effects that were done are not repeated. */
  retry(runId: string, from: string | undefined, by: string): Promise<RunSummary>;
  /** Wakes the steps that wait for `event:NAME`, `approval:ID` or `run:ID`; answers how many. */
  signal(tx: Db, waitsFor: string, data: Json): Promise<number>;
  readonly service: Service;
}

export interface StartOptions {
  readonly trigger: TriggerRef;
  readonly input?: Json | undefined;
  readonly dryRun?: boolean;
  readonly idempotencyKey?: string | undefined;
  readonly parentRunId?: string;
  readonly labels?: readonly Label[];
}

export interface EngineDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly queue: JobQueue;
  readonly runs: Runs;
  readonly templates: Templates;
  readonly skills: SkillRunner;
  /** The definition a run was started with. */
  readonly workflow: (idOrName: string, version?: number) => Promise<Workflow>;
  /** Asks the owner; the answer comes back through `signal('approval:ID')`. */
  readonly ask: (tx: Db, question: Question) => Promise<string>;
  readonly withdraw: (tx: Db, approvalId: string) => Promise<void>;
  readonly grantExtra: (scope: string, key: string, usd: number) => Promise<void>;
  readonly deferred: DeferredHandlers;
  readonly concurrency: number;
  /** How many crashes one step may be cut off by before it is given up; 5 when left out. */
  readonly mostInterruptions?: number;
  readonly onCrash: (runId: string, error: Error) => void;
}

export function createEngine(deps: EngineDeps): Engine {
  const { store, clock, queue, runs, workflow: definitionOf, withdraw } = deps;
  const lives = new Map<string, Live>();
  const definitions = new Map<string, Definition>();
  const walk = createWalk({ ...deps, startChild });

  async function start(tx: Db, workflow: Workflow, options: StartOptions): Promise<RunSummary> {
    const { definition } = workflow;
    const busy = definition.concurrency === 'allow' || options.parentRunId ? [] : await openRunsOf(tx, workflow.id);
    const held = busy.length > 0 && definition.concurrency === 'queue';
    const { run, existed } = await runs.create(tx, newRun(workflow, options));
    if (existed) return run;
    if (busy.length > 0 && definition.concurrency === 'skip') {
      const error: ErrorInfo = {
        kind: 'conflict',
        code: 'workflow.overlap',
        message: `Run ${busy[0]!.id} is still going; this one was skipped`,
      };
      return runs.change(tx, run.id, { status: 'cancelled', outcome: 'skipped', error: JSON.stringify(error), ended_at: clock.now() });
    }
    if (busy.length > 0 && definition.concurrency === 'replace')
      for (const old of busy) await cancelIn(tx, old, `replaced by run ${run.id}`);
    if (held) await runs.journal(run.id, 'run.held', null, { behind: busy[0]!.id }, tx);
    else await queue.add(tx, { queue: QUEUE, id: run.id, payload: null });
    return run;
  }

  async function startChild(tx: Db, parent: RunRow, child: Workflow, input: Json, labels: readonly Label[]): Promise<string> {
    let depth = 1;
    for (let up: RunRow | undefined = parent; up?.parent_run_id; up = await findRun(tx, up.parent_run_id)) depth += 1;
    if (depth >= DEEPEST_CHAIN)
      throw new AppError('limited', 'workflow.too_deep', `Workflows start each other more than ${DEEPEST_CHAIN} deep`, { depth });
    const run = await start(tx, child, {
      trigger: { kind: 'workflow', id: parent.id },
      input,
      dryRun: parent.dry_run === 1,
      parentRunId: parent.id,
      labels,
    });
    return run.id;
  }

  /** One job: drives a run until it ends, waits or is held. */
  async function drive(runId: string, shutdown: AbortSignal, done: (tx: Db) => Promise<void>): Promise<void> {
    const row = await findRun(store.db, runId);
    if (!row || isOver(row.status) || row.status === 'paused') return store.write(done);
    const definition = await definitionFor(row);
    if (!definition) {
      const gone = new AppError('not_found', 'workflow.deleted', 'The workflow of this run was deleted');
      return finish(row, done, { status: 'failed', error: errorInfo(gone) }, async () => {});
    }
    const abort = new AbortController();
    const [steps, chain] = await Promise.all([stepsOf(store.db, runId), chainOf(row)]);
    const live: Live = {
      run: row,
      definition,
      chain,
      steps: new Map(steps.map((step) => [step.path, step])),
      lastSeq: steps.at(-1)?.seq ?? 0,
      signal: AbortSignal.any([abort.signal, shutdown]),
      stop: (why) => abort.abort(new Stopped(why)),
      pausing: false,
    };
    lives.set(runId, live);
    try {
      await driveLive(live, done);
    } catch (error) {
      if (shutdown.aborted) throw error; // stays as it is: the next start goes on from here
      if (live.signal.reason instanceof Stopped && live.signal.reason.why === 'cancelled') return await leave(runId, done);
      await finish(row, done, { status: 'failed', error: errorInfo(error) }, async () => {});
    } finally {
      lives.delete(runId);
    }
  }

  async function chainOf(row: RunRow): Promise<readonly string[]> {
    const chain: string[] = [];
    for (let up: RunRow | undefined = row; up; up = up.parent_run_id === null ? undefined : await findRun(store.db, up.parent_run_id))
      chain.unshift(`workflow:${up.workflow_id}`);
    return ['owner', ...chain];
  }

  /** A version never changes, so it is read once; null when the workflow was deleted. */
  async function definitionFor({ workflow_id: id, workflow_version: version }: RunRow): Promise<Definition | null> {
    const key = `${id}@${version}`;
    const kept = definitions.get(key);
    if (kept) return kept;
    const workflow = await definitionOf(id!, version ?? undefined).catch(() => null);
    if (!workflow) return null;
    if (definitions.size >= KEPT_DEFINITIONS) definitions.delete(definitions.keys().next().value!);
    definitions.set(key, workflow.definition);
    return workflow.definition;
  }

  /** A step may have begun in the moment of the cancel. */
  async function leave(runId: string, done: (tx: Db) => Promise<void>): Promise<void> {
    await store.write(async (tx) => {
      for (const step of await stepsOf(tx, runId))
        if (step.status === 'running') await updateStep(tx, runId, step.path, { status: 'cancelled', ended_at: clock.now() });
      await done(tx);
    });
  }

  async function driveLive(live: Live, done: (tx: Db) => Promise<void>): Promise<void> {
    const { run, definition } = live;
    const startedAt = run.started_at ?? clock.now();
    const deadline = definition.timeoutMs === undefined ? null : startedAt + definition.timeoutMs;
    const end = await withDeadline(live, deadline, () =>
      walk(live, async (tx) => {
        if (run.status !== 'running') Object.assign(run, { status: 'running', started_at: startedAt, wake_at: null });
        await runs.change(tx, run.id, { status: 'running', started_at: startedAt, wake_at: null });
      }),
    );
    switch (end.state) {
      case 'done':
        return finish(
          run,
          done,
          {
            status: 'succeeded',
            outcome: end.left.outcome,
            output: end.left.output,
            labels: end.left.labels,
            ...(definition.workspace !== undefined && { workspace: definition.workspace }),
          },
          end.flush,
        );
      case 'failed':
        return finish(run, done, { status: 'failed', outcome: end.outcome, error: end.error }, end.flush);
      case 'refused':
        return finish(run, done, { status: 'cancelled', outcome: 'refused', error: end.error }, end.flush);
      case 'paused':
        await store.write(async (tx) => {
          await end.flush(tx);
          await runs.change(tx, run.id, { status: 'paused' });
          await done(tx);
        });
        return;
      case 'waiting': {
        const wakeAt = [end.wakeAt, deadline].filter((at) => at !== null).toSorted((a, b) => a - b)[0] ?? null;
        await store.write(async (tx) => {
          await end.flush(tx);
          await runs.change(tx, run.id, { status: live.pausing ? 'paused' : 'waiting', wake_at: wakeAt });
          if (wakeAt !== null) await queue.add(tx, { queue: QUEUE, id: run.id, payload: null, runAt: wakeAt });
          await done(tx);
        });
      }
    }
  }

  async function withDeadline<T>(live: Live, deadline: number | null, fn: () => Promise<T>): Promise<T> {
    if (deadline === null) return fn();
    const timeout = new AppError('unavailable', 'run.timeout', 'The run took longer than its limit', {
      timeoutMs: live.definition.timeoutMs,
    });
    if (clock.now() >= deadline) throw timeout;
    const timer = setTimeout(() => live.stop('timeout'), Math.min(deadline - clock.now(), 2 ** 31 - 1));
    try {
      return await fn();
    } catch (error) {
      throw live.signal.reason instanceof Stopped && live.signal.reason.why === 'timeout' ? timeout : error;
    } finally {
      clearTimeout(timer);
    }
  }

  interface Ending {
    readonly status: 'succeeded' | 'failed' | 'cancelled';
    readonly outcome?: string | null;
    readonly output?: Json;
    readonly labels?: readonly Label[];
    readonly error?: ErrorInfo;
    /** Whose memories the deferred acts are for; none are the owner's. */
    readonly workspace?: string;
  }

  /** The last step's result, the run's end, its deferred acts and its job: one transaction. */
  async function finish(run: RunRow, done: (tx: Db) => Promise<void>, ending: Ending, flush: (tx: Db) => Promise<void>): Promise<void> {
    try {
      await store.write(async (tx) => {
        const now = await findRun(tx, run.id);
        if (!now || isOver(now.status)) return done(tx); // cancelled in the last moment
        await flush(tx);
        if (ending.status === 'succeeded' && run.dry_run === 0) await performDeferred(tx, run, ending.workspace ?? null);
        await close(tx, run, ending);
        await done(tx);
      });
    } catch (error) {
      if (ending.status !== 'succeeded') throw error;
      await finish(run, done, { status: 'failed', error: errorInfo(error) }, flush);
    }
  }

  async function performDeferred(tx: Db, run: RunRow, workspace: string | null): Promise<void> {
    const rows = await tx
      .selectFrom('run_step')
      .select(['path', 'labels', 'deferred'])
      .where('run_id', '=', run.id)
      .where('deferred', 'is not', null)
      .orderBy('seq')
      .execute();
    for (const row of rows) {
      for (const { kind, data } of JSON.parse(row.deferred!) as { kind: string; data: Json }[]) {
        const handler = deps.deferred[kind];
        if (!handler) throw new AppError('invalid', 'workflow.unknown_act', `No part of the program knows how to do "${kind}"`, { kind });
        await handler(tx, data, { runId: run.id, step: row.path, workspace, labels: JSON.parse(row.labels) as Label[] });
      }
    }
  }

  /** What every end has in common: the row, who waits for it, and who comes next. */
  async function close(tx: Db, run: RunRow, { status, outcome = null, output, labels: given, error }: Ending): Promise<RunSummary> {
    const labels = given ?? labelsOf(run, await stepsOf(tx, run.id));
    const summary = await runs.change(tx, run.id, {
      status,
      outcome: outcome ?? (status === 'succeeded' ? 'ok' : null),
      output: output === undefined ? null : JSON.stringify(output),
      labels: JSON.stringify(labels),
      error: error ? JSON.stringify(error) : null,
      ended_at: clock.now(),
      wake_at: null,
    });
    if (run.parent_run_id)
      await signal(tx, `run:${run.id}`, {
        status,
        outcome,
        output: output ?? null,
        error: (error ?? null) as Json,
        labels: [...labels],
      });
    if (run.workflow_id) await releaseNext(tx, run.workflow_id, run.id);
    return summary;
  }

  /** The oldest run held behind this one may start. */
  async function releaseNext(tx: Db, workflowId: string, except: string): Promise<void> {
    const next = await nextOpenRun(tx, workflowId, except);
    if (next?.status === 'queued') await queue.add(tx, { queue: QUEUE, id: next.id, payload: null });
  }

  async function signal(tx: Db, waitsFor: string, data: Json): Promise<number> {
    const waiting = await waitingSteps(tx, waitsFor);
    for (const step of waiting) {
      await updateStep(tx, step.run_id, step.path, { signal: JSON.stringify(data) });
      const run = await findRun(tx, step.run_id);
      if (run && run.status !== 'paused' && !isOver(run.status)) await queue.add(tx, { queue: QUEUE, id: step.run_id, payload: null });
    }
    return waiting.length;
  }

  async function cancel(runId: string, by: string): Promise<RunSummary> {
    return store.write(async (tx) => {
      const row = await existing(tx, runId);
      if (isOver(row.status)) throw new AppError('conflict', 'run.over', `The run is already over (${row.status})`, { status: row.status });
      return cancelIn(tx, row, `by ${by}`);
    });
  }

  async function cancelIn(tx: Db, row: RunRow, why: string): Promise<RunSummary> {
    const at = clock.now();
    for (const step of await stepsOf(tx, row.id)) {
      if (step.waits_for?.startsWith('approval:')) await withdraw(tx, step.waits_for.slice('approval:'.length));
      if (step.waits_for?.startsWith('run:')) {
        const child = await findRun(tx, step.waits_for.slice('run:'.length));
        if (child && !isOver(child.status)) await cancelIn(tx, child, 'with the run that started it');
      }
      if (step.status === 'running' || step.status === 'waiting')
        await updateStep(tx, row.id, step.path, { status: 'cancelled', waits_for: null, wake_at: null, ended_at: at });
    }
    await runs.journal(row.id, 'run.cancelled', null, { why }, tx);
    const summary = await close(tx, row, { status: 'cancelled' });
    await queue.remove(tx, QUEUE, row.id);
    store.onCommit(() => lives.get(row.id)?.stop('cancelled'));
    return summary;
  }

  async function pause(runId: string, by: string): Promise<RunSummary> {
    const live = lives.get(runId);
    return store.write(async (tx) => {
      const row = await existing(tx, runId);
      if (isOver(row.status)) throw new AppError('conflict', 'run.over', `The run is already over (${row.status})`, { status: row.status });
      await runs.journal(runId, 'run.paused', null, { by }, tx);
      if (live) {
        live.pausing = true; // it stops at its next step
        return toSummary(row);
      }
      return runs.change(tx, runId, { status: 'paused' });
    });
  }

  async function resume(runId: string, by: string): Promise<RunSummary> {
    return store.write(async (tx) => {
      const row = await existing(tx, runId);
      const live = lives.get(runId);
      if (live?.pausing) live.pausing = false;
      else if (row.status !== 'paused')
        throw new AppError('conflict', 'run.not_paused', `The run is not paused (${row.status})`, { status: row.status });
      await runs.journal(runId, 'run.resumed', null, { by }, tx);
      await queue.add(tx, { queue: QUEUE, id: runId, payload: null });
      return runs.change(tx, runId, { status: 'queued' });
    });
  }

  async function retry(runId: string, from: string | undefined, by: string): Promise<RunSummary> {
    const before = await findRun(store.db, runId);
    const isGuarded = before !== undefined && (await definitionFor(before))?.requires2fa === true;
    return store.write(async (tx) => {
      const row = await existing(tx, runId);
      if (!isOver(row.status))
        throw new AppError('conflict', 'run.not_over', `The run is not over yet (${row.status})`, { status: row.status });
      const steps = await stepsOf(tx, runId);
      const first = from === undefined ? undefined : steps.find(({ path }) => path === from);
      if (from !== undefined && !first)
        throw new AppError('not_found', 'run.no_step', `The run has no step "${from}"`, {
          step: from,
          steps: steps.map(({ path }) => path),
        });
      // a yes with a second factor was for the first time only
      const again = steps.filter((step) => isUnfinished(step) || (first && comesWith(step, first)) || (isGuarded && step.path === GATE));
      await runs.journal(
        runId,
        'run.retried',
        first?.path ?? null,
        { by, discarded: again.map(({ path, status, outcome, error }) => ({ path, status, outcome, error })) },
        tx,
      );
      if (again.length > 0)
        await deleteSteps(
          tx,
          runId,
          again.map(({ path }) => path),
        );
      await queue.add(tx, { queue: QUEUE, id: runId, payload: null });
      return runs.change(tx, runId, { status: 'queued', outcome: null, error: null, output: null, ended_at: null, wake_at: null });
    });
  }

  async function existing(tx: Db, runId: string): Promise<RunRow> {
    const row = await findRun(tx, runId);
    if (!row) throw new AppError('not_found', 'run.not_found', 'No such run', { id: runId });
    return row;
  }

  const worker = queue.worker(
    QUEUE,
    { concurrency: deps.concurrency, maxAttempts: 5, backoffMs: (attempt) => Math.min(60_000, 500 * 2 ** attempt) },
    ({ id }, { signal: shutdown, done }) =>
      drive(id, shutdown, done).catch((error: unknown) => {
        if (!shutdown.aborted) deps.onCrash(id, error as Error);
        throw error;
      }),
  );

  return { start, cancel, pause, resume, retry, signal, service: { ...worker, name: 'engine' } };
}

/** How a run ends changes nothing of what it has read. */
function labelsOf(run: RunRow, steps: readonly StepRow[]): Label[] {
  return union(JSON.parse(run.labels) as Label[], ...steps.map((step) => JSON.parse(step.labels) as Label[]));
}

/** Open, or ended in the error that stopped the run. */
const isUnfinished = ({ next }: StepRow): boolean => next === null || next === FAILED;

/** Goes when `first` is run again: what came after it, and the map it is in, but not the map's other items. */
function comesWith(step: StepRow, first: StepRow): boolean {
  if (step.path === first.path || first.path.startsWith(`${step.path}[`)) return true;
  const item = /^(.*?)\[\d+\]\//.exec(first.path);
  if (item && step.path.startsWith(`${item[1]}[`) && !step.path.startsWith(item[0])) return false;
  return step.seq > first.seq;
}

function newRun(workflow: Workflow, { trigger, input, dryRun, idempotencyKey, parentRunId, labels }: StartOptions): NewRun {
  return {
    kind: 'workflow',
    title: workflow.title,
    trigger,
    workflowId: workflow.id,
    workflowVersion: workflow.version,
    ...(input !== undefined && { input }),
    ...(dryRun && { dryRun }),
    ...(idempotencyKey && { idempotencyKey: `${workflow.id}:${idempotencyKey}` }),
    ...(parentRunId && { parentRunId }),
    ...(labels && { labels }),
  };
}
