import type { Audit } from '#audit';
import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import type { Json } from '#core/json';
import { redactJson, type Redact } from '#core/redact';
import type { Service } from '#core/service';
import type { JournalEntry, Label, LabelPath, RunDetail, RunKind, RunStatus, RunSummary, TriggerRef } from './contract.ts';
import { createEffects, type Effects } from './effects.ts';
import {
  appendJournal,
  deleteRuns,
  effectsOf,
  expiredRuns,
  findRun,
  findRunByKey,
  insertRun,
  journalOf,
  listRunRows,
  stepsOf,
  updateRun,
} from './queries.ts';
import { labelPaths } from './label-path.ts';
import { wayTo, type Way } from './way.ts';
import { toEffect, toStep, toSummary } from './shape.ts';
import type { RunRow } from './tables.ts';

export interface NewRun {
  readonly kind: RunKind;
  readonly title: string;
  readonly trigger: TriggerRef;
  readonly status?: RunStatus;
  readonly workflowId?: string;
  readonly workflowVersion?: number;
  readonly parentRunId?: string;
  /** A second run with the same key is the first one. */
  readonly idempotencyKey?: string;
  readonly dryRun?: boolean;
  readonly input?: Json;
  readonly labels?: readonly Label[];
}

/** The record of everything Castellan does. */
export interface Runs {
  readonly effects: Effects;
  /** In the caller's transaction. `existed` says the key was known and nothing was made. */
  create(tx: Db, run: NewRun): Promise<{ readonly run: RunSummary; readonly existed: boolean }>;
  /** Changes a run in the caller's transaction and tells the bus after the commit. */
  change(tx: Db, id: string, set: Partial<RunRow>): Promise<RunSummary>;
  get(id: string): Promise<RunSummary>;
  detail(id: string): Promise<RunDetail>;
  /** Where the labels at a step came from, the runs that started this one included. */
  labelPaths(id: string, step: string, db?: Db): Promise<LabelPath[]>;
  /** What came before a step, in this run and in those that started it, this one first. */
  wayTo(id: string, step: string): Promise<Way[]>;
  list(filter: {
    workflow?: string | undefined;
    status?: RunStatus | undefined;
    kind?: RunKind | undefined;
    cursor?: string | undefined;
    limit: number;
  }): Promise<{ items: RunSummary[]; next: string | null }>;
  /** One line of a run's journal, in a transaction of its own unless one is given. */
  journal(runId: string, type: string, step: string | null, data: Json, tx?: Db): Promise<void>;
  /** Books what a model call of this run cost. */
  addCost(tx: Db, runId: string, step: string | null, usd: number): Promise<void>;
  /** Deletes old runs now and then. */
  readonly retention: Service;
}

export interface RunsDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly newId: NewId;
  /** Where the outcome of each effect is recorded for the owner. */
  readonly audit?: Pick<Audit, 'record'>;
  /** How long and how many per workflow ended runs are kept. */
  /** Takes secrets out of what is kept; everything stays as it is when left out. */
  readonly redact?: Redact;
  readonly keep: () => { readonly days: number; readonly perWorkflow: number };
}

/** What stands for a secret that was taken out. */
const PLACEHOLDER = /\[(?:secret|redacted):[\w.-]+\]/g;

const RETENTION_EVERY_MS = 3_600_000;

export function createRuns({ store, bus, clock, newId, keep, audit, redact = (text) => text }: RunsDeps): Runs {
  const kept = (value: Json): string => JSON.stringify(redactJson(redact, value));
  const effects = createEffects({ store, clock, kept, ...(audit && { audit }) });

  async function create(tx: Db, run: NewRun): Promise<{ run: RunSummary; existed: boolean }> {
    if (run.idempotencyKey) {
      const known = await findRunByKey(tx, run.idempotencyKey);
      if (known) return { run: toSummary(known), existed: true };
    }
    const at = clock.now();
    const row: RunRow = {
      id: newId(),
      kind: run.kind,
      status: run.status ?? 'queued',
      title: redact(run.title),
      workflow_id: run.workflowId ?? null,
      workflow_version: run.workflowVersion ?? null,
      parent_run_id: run.parentRunId ?? null,
      trigger_json: JSON.stringify(run.trigger),
      idempotency_key: run.idempotencyKey ?? null,
      dry_run: run.dryRun ? 1 : 0,
      input: run.input === undefined ? null : kept(run.input),
      output: null,
      outcome: null,
      error: null,
      labels: JSON.stringify(startLabels(run)),
      cost_usd: 0,
      created_at: at,
      started_at: run.status === 'running' ? at : null,
      ended_at: null,
      wake_at: null,
    };
    await insertRun(tx, row);
    if (row.input !== null && row.input !== JSON.stringify(run.input)) {
      const as = [...new Set(row.input.match(PLACEHOLDER))];
      await appendJournal(tx, row.id, at, 'secrets.taken_out', null, JSON.stringify({ from: 'input', as }));
    }
    const summary = toSummary(row);
    store.onCommit(() => bus.publish('run.changed', { run: summary }));
    return { run: summary, existed: false };
  }

  async function change(tx: Db, id: string, set: Partial<RunRow>): Promise<RunSummary> {
    const row = await updateRun(tx, id, set);
    if (!row) throw noRun(id);
    const run = toSummary(row);
    store.onCommit(() => {
      bus.publish('run.changed', { run });
      if (set.ended_at) bus.publish('run.ended', { run });
    });
    return run;
  }

  async function row(id: string): Promise<RunRow> {
    const found = await findRun(store.db, id);
    if (!found) throw noRun(id);
    return found;
  }

  async function detail(id: string): Promise<RunDetail> {
    const run = await row(id);
    const [steps, effectRows, journal] = await Promise.all([stepsOf(store.db, id), effectsOf(store.db, id), journalOf(store.db, id)]);
    return {
      ...toSummary(run),
      input: run.input === null ? null : (JSON.parse(run.input) as Json),
      output: run.output === null ? null : (JSON.parse(run.output) as Json),
      steps: steps.map(toStep),
      effects: effectRows.map(toEffect),
      journal: journal.map((line): JournalEntry => ({
        seq: line.seq,
        at: new Date(line.at).toISOString(),
        type: line.type,
        step: line.step,
        data: JSON.parse(line.data) as Json,
      })),
    };
  }

  const retention: Service = {
    name: 'run-retention',
    async start({ signal }) {
      const sweep = async (): Promise<void> => {
        const { days, perWorkflow } = keep();
        const ids = await expiredRuns(store.db, clock.now() - days * 86_400_000, perWorkflow, 200);
        if (ids.length > 0) await store.write((tx) => deleteRuns(tx, ids));
      };
      const timer = setInterval(() => void sweep().catch(() => {}), RETENTION_EVERY_MS);
      signal.addEventListener('abort', () => clearInterval(timer), { once: true });
      return { stop: async () => clearInterval(timer) };
    },
  };

  return {
    effects,
    create,
    change,
    get: async (id) => toSummary(await row(id)),
    detail,
    labelPaths: (id, step, db = store.db) => labelPaths(db, id, step),
    wayTo: (id, step) => wayTo(store.db, id, step),
    async list({ workflow, status, kind, cursor, limit }) {
      const rows = await listRunRows(store.db, { workflowId: workflow, status, kind, before: cursor, limit: limit + 1 });
      const items = rows.slice(0, limit).map(toSummary);
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
    async journal(runId, type, step, data, tx) {
      const append = (on: Db): Promise<void> => appendJournal(on, runId, clock.now(), type, step, kept(data));
      await (tx ? append(tx) : store.write(append));
    },
    async addCost(tx, runId, step, usd) {
      await tx
        .updateTable('run_run')
        .set((eb) => ({ cost_usd: eb('cost_usd', '+', usd) }))
        .where('id', '=', runId)
        .execute();
      if (step)
        await tx
          .updateTable('run_step')
          .set((eb) => ({ cost_usd: eb('cost_usd', '+', usd) }))
          .where('run_id', '=', runId)
          .where('path', '=', step)
          .execute();
    },
    retention,
  };
}

/** What comes by these doors was written by strangers, whoever passes it on. */
const OUTSIDE: readonly TriggerRef['kind'][] = ['webhook', 'event', 'mcp'];

function startLabels({ labels = [], trigger }: NewRun): Label[] {
  return [...new Set<Label>([...labels, ...(OUTSIDE.includes(trigger.kind) ? ['untrusted' as const] : [])])];
}

function noRun(id: string): AppError {
  return new AppError('not_found', 'run.not_found', 'No such run', { id });
}
