import type { Json } from '#core/json';
import type { Label, RunRow, StepRow } from '#runs';
import type { Step } from './contract.ts';

/** The end of a graph, as `next` is stored. */
export const END = '';

/** What a step left behind. */
export interface Left {
  readonly output: Json;
  readonly outcome: string;
  readonly labels: readonly Label[];
}

/** One walk through one list of steps: the workflow's own, or that of a map's item. */
export interface Frame {
  readonly steps: readonly Step[];
  /** Put before each step's id: empty, or `pages[3]/`. */
  readonly prefix: string;
  readonly start: Left;
  /** What templates see besides `input` and `steps`. */
  readonly extra: Readonly<Record<string, unknown>>;
  /** What steps of this walk and of the walks around it left, by id. */
  readonly left: Map<string, Left>;
}

const isError = (outcome: string): boolean => outcome === 'on_error' || outcome === 'on_timeout';

/** Where the graph says to go, or null when it says nothing about this error. */
export function nextOf(steps: readonly Step[], index: number, outcome: string): string | null {
  const { next } = steps[index]!;
  const following = steps[index + 1]?.id ?? END;
  const named = typeof next === 'object' ? next : {};
  const target = named[outcome] ?? (outcome === 'on_timeout' ? named['on_error'] : undefined);
  if (target !== undefined) return target === 'end' ? END : target;
  if (isError(outcome)) return null;
  if (outcome === 'skipped') return following;
  const fallback = typeof next === 'string' ? next : named['default'];
  if (fallback === undefined) return following;
  return fallback === 'end' ? END : fallback;
}

/**
 * What goes into a step: the outputs it asks for, or what the step before it left. Its labels are those of the whole way to it: its
 * templates may name any step before it, and that it runs at all may be their doing.
 */
export function inputOf(step: Step, frame: Frame, before: Left): { input: Json; labels: readonly Label[] } {
  const { inputFrom } = step;
  if (inputFrom === undefined) return { input: before.output, labels: before.labels };
  if (typeof inputFrom === 'string') {
    const left = frame.left.get(inputFrom);
    return { input: left?.output ?? null, labels: union(before.labels, left?.labels ?? []) };
  }
  const sources = inputFrom.map((id) => [id, frame.left.get(id)] as const);
  return {
    input: Object.fromEntries(sources.map(([id, left]) => [id, left?.output ?? null])),
    labels: union(before.labels, ...sources.map(([, left]) => left?.labels ?? [])),
  };
}

export function union(...all: readonly (readonly Label[])[]): Label[] {
  return [...new Set(all.flat())];
}

/** Labels of the run and of all its steps whose path begins so. */
export function labelsUnder(of: { readonly run: RunRow; readonly steps: ReadonlyMap<string, StepRow> }, prefix: string): Label[] {
  const rows = [...of.steps].filter(([path]) => path.startsWith(prefix)).map(([, row]) => JSON.parse(row.labels) as Label[]);
  return union(JSON.parse(of.run.labels) as Label[], ...rows);
}

export const isClosed = (row: StepRow): boolean => row.next !== null;

export function leftBy(row: StepRow): Left {
  return {
    output: row.output === null ? null : (JSON.parse(row.output) as Json),
    outcome: row.outcome ?? 'ok',
    labels: JSON.parse(row.labels) as Label[],
  };
}
