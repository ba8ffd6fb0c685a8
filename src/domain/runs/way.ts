import type { Db } from '#core/db/store';
import type { Json } from '#core/json';
import type { RunKind, Taken } from './contract.ts';
import { isOnTheWay } from './label-path.ts';
import { findRun, outputOf, traceOf } from './queries.ts';

/** The steps of one run that lead to a step, without it. */
export interface Way {
  readonly kind: RunKind;
  /** Nobody handed it over: a trigger brought it. */
  readonly input: Json | null;
  readonly steps: readonly WayStep[];
}

export interface WayStep {
  readonly skill: string | null;
  readonly taken: readonly Taken[];
  readonly output: () => Promise<Json | null>;
}

const MOST_PARENTS = 8;

export async function wayTo(db: Db, id: string, step: string): Promise<Way[]> {
  const ways: Way[] = [];
  let here: string | null = step;
  for (let next: string | null = id; next !== null && ways.length < MOST_PARENTS;) {
    const run = await findRun(db, next);
    if (!run) break;
    const to: string | null = here;
    const steps = (await traceOf(db, run.id)).filter(({ path }) => path !== to && (to === null || isOnTheWay(path, to)));
    ways.push({
      kind: run.kind,
      input: run.parent_run_id === null && run.input !== null ? (JSON.parse(run.input) as Json) : null,
      steps: steps.map(({ path, skill, taken }) => ({
        skill,
        taken: taken === null ? [] : (JSON.parse(taken) as Taken[]),
        output: async () => {
          const output = await outputOf(db, run.id, path);
          return output === null ? null : (JSON.parse(output) as Json);
        },
      })),
    });
    next = run.parent_run_id;
    here = null;
  }
  return ways;
}
