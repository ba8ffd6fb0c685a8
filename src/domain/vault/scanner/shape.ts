import type { Alphabet, Characters } from './characters.ts';
import type { Runs } from './runs.ts';

type Step = { readonly text: string } | { readonly set: Characters; readonly min: number; readonly max: number; readonly text?: undefined };

/** The form of a token: fixed texts and runs of characters, one after the other. It never steps back, so matching it is linear. */
export interface Shape {
  readonly steps: readonly Step[];
  /** Fewest characters of a match. */
  readonly shortest: number;
  /** Most characters of a match; infinite for some. */
  readonly longest: number;
}

/** Where a shape ended; `cut` when the text ended first, or may go on; null for no match. */
export type Ending = number | 'cut' | null;

const PIECE = /(?:(?<set>\[[^\]]*\]|\\[wd])|\\(?<escaped>.)|(?<plain>[^{}[\]\\?]))(?<count>\{(?<min>\d+)(?<comma>,(?<max>\d+)?)?\}|\?)?/g;
type Piece = Partial<Record<'set' | 'escaped' | 'plain' | 'count' | 'min' | 'comma' | 'max', string>>;

/** Reads what regular expressions have in common with a token's form: texts, sets, `{n}`, `{n,}`, `{n,m}`, `?`. Nothing nests. */
export function readShape(source: string, alphabet: Alphabet): Shape {
  const steps: Step[] = [];
  let read = 0;
  for (const match of source.matchAll(PIECE)) {
    read += match[0].length;
    const piece = match.groups as Piece;
    const { set, escaped, plain, count } = piece;
    const text = escaped ?? plain ?? '';
    if (set === undefined && count === undefined) addText(steps, text);
    else steps.push({ set: alphabet.of(set ?? `[${text === '-' || text === '^' ? '\\' : ''}${text}]`), ...limitsOf(piece) });
  }
  if (read !== source.length) throw new Error(`The shape "${source}" cannot be read`);
  const lengths = steps.map((step) => (step.text === undefined ? step : { min: step.text.length, max: step.text.length }));
  return {
    steps,
    shortest: lengths.reduce((sum, { min }) => sum + min, 0),
    longest: lengths.reduce((sum, { max }) => sum + max, 0),
  };
}

function limitsOf({ count, min, comma, max }: Piece): { min: number; max: number } {
  if (count === undefined) return { min: 1, max: 1 };
  if (count === '?') return { min: 0, max: 1 };
  const least = Number(min);
  return { min: least, max: comma === undefined ? least : max === undefined ? Number.MAX_SAFE_INTEGER : Number(max) };
}

function addText(steps: Step[], text: string): void {
  const last = steps.at(-1);
  if (last?.text !== undefined) steps[steps.length - 1] = { text: last.text + text };
  else steps.push({ text });
}

/** Where the shape that begins at a place ends. `fold`: its texts in any case. A run takes all it can, up to its most. */
export function endOf(shape: Shape, runs: Pick<Runs, 'text' | 'length' | 'spend'>, from: number, fold: boolean): Ending {
  const { text } = runs;
  let at = from;
  for (const step of shape.steps) {
    if (step.text === undefined) {
      const run = runs.length(step.set, at);
      if (run < step.min) return at + run === text.length ? 'cut' : null;
      at += Math.min(run, step.max);
    } else {
      const same = sameLength(text, at, step.text, fold);
      runs.spend(same + 1);
      if (same < step.text.length) return at + same === text.length ? 'cut' : null;
      at += step.text.length;
    }
  }
  return at;
}

/** How many characters of a text stand at a place. */
export function sameLength(text: string, at: number, expected: string, fold: boolean): number {
  let same = 0;
  while (same < expected.length && at + same < text.length) {
    const code = text.charCodeAt(at + same);
    const wanted = expected.charCodeAt(same);
    if (code !== wanted && !(fold && lower(code) === lower(wanted))) break;
    same += 1;
  }
  return same;
}

function lower(code: number): number {
  return code >= 65 && code <= 90 ? code | 32 : code;
}
