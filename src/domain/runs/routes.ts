import { route, type Route } from '#core/endpoint';
import { AppError } from '#core/errors';
import { explainRun as explainEndpoint, getLabelPaths, getRun, listRuns, settleEffect } from './contract.ts';
import { explainRun, type Line } from './explain.ts';
import type { Runs } from './runs.ts';

/** Explains what is not a run: an occurrence, a message, a decision; null when the id is not its own. */
export type Explainer = (id: string) => Promise<{ readonly title: string; readonly lines: readonly Line[] } | null>;

export interface RunRouteDeps {
  readonly runs: Runs;
  readonly explainers: readonly Explainer[];
  /** The id of a workflow by its name or id. */
  readonly workflowId: (idOrName: string) => Promise<string>;
}

export function runRoutes({ runs, explainers, workflowId }: RunRouteDeps): readonly Route[] {
  return [
    route(listRuns, async ({ workflow, ...filter }) =>
      runs.list({ ...filter, ...(workflow !== undefined && { workflow: await workflowId(workflow) }) }),
    ),
    route(getRun, ({ id }) => runs.detail(id)),
    route(getLabelPaths, async ({ id, step }) => ({ items: await runs.labelPaths(id, step) })),
    route(settleEffect, ({ key, as }) => runs.effects.settle(key, as)),
    route(explainEndpoint, async ({ id }) => {
      for (const explain of explainers) {
        const found = await explain(id);
        if (found) return { id, title: found.title, lines: [...found.lines] };
      }
      const run = await runs.detail(id).catch((error: unknown) => {
        if (error instanceof AppError && error.kind === 'not_found')
          throw new AppError('not_found', 'explain.unknown', 'Nothing has this id: no run, message, occurrence or decision', { id });
        throw error;
      });
      return { id, title: run.title, lines: explainRun(run) };
    }),
  ];
}
