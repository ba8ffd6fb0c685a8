import { assertFactor, route, type Request, type Route } from '#core/endpoint';
import type { Store } from '#core/db/store';
import {
  createWorkflow,
  deleteWorkflow,
  exportFeeds,
  exportWorkflow,
  getWorkflow,
  importFeeds,
  importWorkflow,
  listFeeds,
  listVersions,
  listWorkflows,
  saveWorkflow,
  sendEvent,
  startRun,
  validateWorkflow,
} from './contract.ts';
import type { Engine } from './engine.ts';
import type { WorkflowFeeds } from './feeds.ts';
import type { Workflows } from './workflows.ts';
import { cancelRun, pauseRun, resumeRun, retryRun, type RunSummary } from '#runs/contract';

export interface WorkflowRouteDeps {
  readonly store: Store;
  readonly workflows: Workflows;
  readonly engine: Engine;
  readonly feeds: WorkflowFeeds;
  /** Cancels a run that is a turn of a conversation; null when it is none. */
  readonly cancelTurn: (runId: string) => Promise<RunSummary | null>;
}

export function workflowRoutes({ store, workflows, engine, feeds, cancelTurn }: WorkflowRouteDeps): readonly Route[] {
  /** What asks for a second factor is changed with one: else the mark could be taken off it, or its steps put in its name. */
  async function assertMayChange(id: string, request: Request): Promise<void> {
    if ((await workflows.get(id)).definition.requires2fa) await assertFactor(request);
  }

  return [
    route(listWorkflows, (page) => workflows.list(page)),
    route(getWorkflow, ({ id, version }) => workflows.get(id, version)),
    route(createWorkflow, ({ definition, enabled = false }, { caller }) => workflows.create(definition, { enabled, by: caller.id })),
    route(saveWorkflow, async ({ id, ...change }, request) => {
      if (change.definition !== undefined) await assertMayChange(id, request);
      return workflows.save(id, change, request.caller.id);
    }),
    route(deleteWorkflow, async ({ id }, request) => {
      await assertMayChange(id, request);
      await workflows.remove(id, request.caller.id);
      return { ok: true as const };
    }),
    route(validateWorkflow, async ({ definition }) => {
      const issues = await workflows.inspect(definition);
      return { ok: issues.length === 0, issues: [...issues] };
    }),
    route(importWorkflow, ({ document }, { caller }) => workflows.importDocument(document, caller.id)),
    route(exportWorkflow, async ({ id }) => (await workflows.get(id)).definition),
    route(listVersions, async ({ id }) => ({ items: await workflows.versions(id) })),
    route(listFeeds, async () => ({ items: await feeds.list(), next: null })),
    route(importFeeds, async ({ id, opml }, request) => {
      await assertMayChange(id, request);
      return feeds.importOpml(id, opml, request.caller.id);
    }),
    route(exportFeeds, async ({ id }) => ({ opml: await feeds.exportOpml(id) })),
    route(startRun, async ({ id, input, dryRun }, { caller, idempotencyKey }) => {
      const workflow = await workflows.get(id);
      const trigger = { kind: caller.id === 'owner' ? ('owner' as const) : ('api' as const), by: caller.id };
      const labels = caller.id === 'owner' || caller.id === 'cli' ? (['owner'] as const) : [];
      return store.write((tx) => engine.start(tx, workflow, { trigger, input, dryRun, idempotencyKey, labels }));
    }),
    route(sendEvent, async ({ name, data }) => ({ woken: await store.write((tx) => engine.signal(tx, `event:${name}`, data ?? null)) })),
    route(cancelRun, async ({ id }, { caller }) => (await cancelTurn(id)) ?? engine.cancel(id, caller.id)),
    route(pauseRun, ({ id }, { caller }) => engine.pause(id, caller.id)),
    route(resumeRun, ({ id }, { caller }) => engine.resume(id, caller.id)),
    route(retryRun, ({ id, from }, { caller }) => engine.retry(id, from, caller.id)),
  ];
}
