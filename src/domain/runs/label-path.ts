import type { Db } from '#core/db/store';
import type { Label, LabelPath, Taken, TriggerRef } from './contract.ts';
import { findRun, traceOf, type StepTrace } from './queries.ts';
import type { RunRow } from './tables.ts';

const MOST_SOURCES = 5;
const MOST_STEPS = 8;
const MOST_PARENTS = 8;

/** For each label at a step, where it came from and through which steps: what an approval shows. */
export async function labelPaths(db: Db, runId: string, path: string): Promise<LabelPath[]> {
  const run = await findRun(db, runId);
  if (!run) return [];
  const steps = await traceOf(db, runId);
  const here = steps.find((step) => step.path === path);
  const labels = here ? (JSON.parse(here.labels) as Label[]) : (JSON.parse(run.labels) as Label[]);
  const taken = here?.taken ? (JSON.parse(here.taken) as Taken[]) : [];
  const before = here ? steps.filter((step) => step.seq <= here.seq && isOnTheWay(step.path, path)) : [];
  const all = [...new Set([...labels, ...taken.map(({ label }) => label)])];
  return Promise.all(all.map((label) => pathOf(db, run, before, label)));
}

async function pathOf(db: Db, run: RunRow, steps: readonly StepTrace[], label: Label): Promise<LabelPath> {
  const sources: string[] = [];
  let first: number | null = null;
  for (const [at, step] of steps.entries())
    for (const taken of step.taken ? (JSON.parse(step.taken) as Taken[]) : [])
      if (taken.label === label) {
        sources.push(taken.from);
        first ??= at;
      }
  const cameIn = first === null ? await entry(db, run, label) : { from: [], via: [] };
  const via = [...cameIn.via, ...new Set(steps.slice(first ?? 0).map(({ path }) => topOf(path, steps.at(-1)?.path ?? '')))];
  return { label, from: [...new Set([...cameIn.from, ...sources])].slice(0, MOST_SOURCES), via: shortened(via) };
}

/** How a label came into a run that did not read it itself: from the run that started it, or by its trigger. */
async function entry(db: Db, run: RunRow, label: Label): Promise<Pick<LabelPath, 'from' | 'via'>> {
  const from: string[] = [];
  const via: string[] = [];
  for (let up: RunRow | undefined = run, depth = 0; up && depth < MOST_PARENTS; depth += 1) {
    if (up.parent_run_id === null) {
      const { kind, id, by } = JSON.parse(up.trigger_json) as TriggerRef;
      from.push(['the input', kind, by ?? id].filter(Boolean).join(' '));
      break;
    }
    const child: RunRow = up;
    up = await findRun(db, child.parent_run_id!);
    if (!up) break;
    const steps = await traceOf(db, up.id);
    const starter = steps.find(({ waits_for: waits }) => waits === `run:${child.id}`);
    const before = steps.filter((step) => !starter || step.seq <= starter.seq);
    via.unshift(`${up.title}/${starter?.path ?? ''}`);
    const found = before.flatMap((step) => (step.taken ? (JSON.parse(step.taken) as Taken[]) : [])).filter((it) => it.label === label);
    from.push(...found.map((it) => it.from));
    if (found.length > 0) break;
  }
  return { from, via };
}

/** A step of another item of a map is beside the way, not on it. */
export function isOnTheWay(path: string, to: string): boolean {
  const item = /^(.*\[\d+\]\/)/.exec(path)?.[1];
  return item === undefined || to.startsWith(item) || !to.startsWith(item.slice(0, item.lastIndexOf('[')) + '[');
}

/** Steps inside a map that is over are told as the map. */
function topOf(path: string, to: string): string {
  const item = /^(.*?)\[\d+\]\//.exec(path);
  return item && !to.startsWith(item[0]) ? item[1]! : path;
}

function shortened(via: readonly string[]): string[] {
  return via.length <= MOST_STEPS ? [...via] : [...via.slice(0, 3), '…', ...via.slice(-(MOST_STEPS - 4))];
}
