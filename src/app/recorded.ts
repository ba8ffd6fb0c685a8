import type { Audit } from '#audit';
import type { Route } from '#core/endpoint';

type Fields = Readonly<Record<string, unknown>>;

interface Act {
  readonly action: string;
  /** What it was done to, from what was asked and answered. */
  readonly on: (input: Fields, output: Fields) => string;
  /** Fields whose values are worth keeping; of the others only the names are. */
  readonly shown?: readonly string[];
}

const act = (action: string, kind: string, field: string, shown: readonly string[] = []): Act => ({
  action,
  on: (input, output) => `${kind}:${String(input[field] ?? output[field])}`,
  shown,
});

/** What the owner or a program changes through modules that keep no record of it themselves. */
const ACTS: Readonly<Record<string, Act>> = {
  'POST /api/providers': act('provider.add', 'provider', 'name', ['kind', 'baseUrl', 'secret']),
  'PUT /api/providers/{id}': act('provider.change', 'provider', 'id', ['baseUrl', 'secret', 'enabled']),
  'DELETE /api/providers/{id}': act('provider.remove', 'provider', 'id'),
  'PUT /api/budgets': act('budget.set', 'budget', 'scope', ['key', 'limitUsd']),
  'POST /api/budgets/extra': act('budget.extra', 'budget', 'scope', ['key', 'usd']),
  'POST /api/memories': act('memory.add', 'memory', 'id', ['kind']),
  'PUT /api/memories/{id}': act('memory.change', 'memory', 'id'),
  'DELETE /api/memories/{id}': act('memory.forget', 'memory', 'id'),
  'POST /api/memories/{id}/restore': act('memory.restore', 'memory', 'id'),
  'DELETE /api/conversations/{id}': act('conversation.remove', 'conversation', 'id'),
  'POST /api/workflows/{id}/runs': act('run.start', 'workflow', 'id', ['dryRun']),
  'POST /api/skills/{name}/run': act('skill.try', 'skill', 'name', ['dryRun']),
  'POST /api/runs/{id}/cancel': act('run.cancel', 'run', 'id'),
  'POST /api/runs/{id}/pause': act('run.pause', 'run', 'id'),
  'POST /api/runs/{id}/resume': act('run.resume', 'run', 'id'),
  'POST /api/runs/{id}/retry': act('run.retry', 'run', 'id', ['from']),
};

/** The routes, those that change something of consequence with a record of who did it, once it is done. */
export function recorded(audit: Pick<Audit, 'record'>, routes: readonly Route[], acts: Readonly<Record<string, Act>> = ACTS): Route[] {
  const missing = new Set(Object.keys(acts));
  const all = routes.map((route) => {
    const name = `${route.endpoint.method} ${route.endpoint.path}`;
    const found = acts[name];
    if (!found) return route;
    missing.delete(name);
    return withRecord(audit, route, found);
  });
  if (missing.size > 0) throw new Error(`There is nothing to record at ${[...missing].join(', ')}`);
  return all;
}

function withRecord(audit: Pick<Audit, 'record'>, route: Route, { action, on, shown = [] }: Act): Route {
  return {
    ...route,
    async handle(input: never, request) {
      const output = (await route.handle(input, request)) as Fields | undefined;
      const asked = input as Fields;
      const values = Object.fromEntries(shown.flatMap((name) => (asked[name] === undefined ? [] : [[name, asked[name]]])));
      const details = { ...values, fields: Object.keys(asked).filter((name) => asked[name] !== undefined) };
      await audit.record({ actor: request.caller.id, action, resource: on(asked, output ?? {}), details });
      return output;
    },
  };
}
