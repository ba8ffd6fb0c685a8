import type { Runs } from './runs.ts';
import type { Ending, Shape } from './shape.ts';

/** A token of a fixed length that a line break cuts in two, as mail and terminals do: where it ends, or null. */
export function wrappedEnd(shape: Shape, runs: Runs, start: number): Ending {
  const [mark, body] = shape.steps;
  if (shape.steps.length !== 2 || mark?.text === undefined || body?.text !== undefined || !body || body.min !== body.max) return null;
  const from = start + mark.text.length;
  const first = runs.length(body.set, from);
  if (first < 8 || first >= body.min) return null;
  const gap = gapLength(runs.text, from + first);
  if (gap === 0) return null;
  const rest = runs.length(body.set, from + first + gap);
  return rest === body.min - first ? from + first + gap + rest : null;
}

/** A line break as it is, or as JSON writes it. */
function gapLength(text: string, at: number): number {
  for (const gap of ['\r\n', '\n', '\\r\\n', '\\n']) if (text.startsWith(gap, at)) return gap.length;
  return 0;
}
