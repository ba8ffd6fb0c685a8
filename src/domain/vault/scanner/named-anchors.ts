import type { Anchor, Reading } from './anchor.ts';
import { endsHere } from './boundary.ts';
import type { Alphabet, Characters } from './characters.ts';
import { passes } from './passes.ts';
import type { NamedRule } from './rule.ts';
import { endOf, readShape, type Shape } from './shape.ts';

/** `adafruit_io.main key` after the vendor's name; then quotes and at least one sign of an assignment. */
const LONGEST_NAME = 40;
const LONGEST_GAP = 14;
const LONGEST_LINE = 60;

interface Value {
  readonly rule: NamedRule;
  readonly shape: Shape;
}

/** What to look for to find values that stand after a vendor's name: one anchor a name, for all its rules. */
export function namedAnchors(rules: readonly NamedRule[], alphabet: Alphabet): Anchor[] {
  const byName = new Map<string, Value[]>();
  for (const rule of rules) {
    for (const name of rule.names) {
      const values = [rule.shape].flat().map((source) => ({ rule, shape: readShape(source, alphabet) }));
      byName.set(name, [...(byName.get(name) ?? []), ...values]);
    }
  }
  const sets = { name: alphabet.of('[\\w .\\t-]'), gap: alphabet.of('[\\s\'"`=:>|?,]'), line: alphabet.of('[^0-9\\n]') };
  return Array.from(byName, ([name, values]) => ({
    text: name,
    fold: true,
    visit: (reading, at) => {
      const after = at + name.length;
      const written = reading.text.slice(at, after);
      const inOneCase = written === name || written === name.toUpperCase() || written === name[0]!.toUpperCase() + name.slice(1);
      const usable = values.filter(({ rule }) => inOneCase || rule.cased !== true);
      const place = valueAt(reading, sets, after);
      if (place !== null) tryValues(reading, usable, place);
      const loose = usable.filter(({ rule }) => rule.loose === true);
      if (loose.length > 0) tryValues(reading, loose, after + Math.min(reading.runs.length(sets.line, after), LONGEST_LINE));
    },
  }));
}

function valueAt({ text, runs }: Reading, sets: Record<'name' | 'gap', Characters>, after: number): number | null {
  const name = runs.length(sets.name, after);
  if (name > LONGEST_NAME) return null;
  const gap = runs.length(sets.gap, after + name);
  if (gap === 0 || gap > LONGEST_GAP) return null;
  const at = after + name + gap;
  return /[=:>|,]/.test(text.slice(after + name, at)) ? at : null;
}

function tryValues(reading: Reading, values: readonly Value[], at: number): void {
  const { text, runs } = reading;
  for (const { rule, shape } of values) {
    const end = endOf(shape, runs, at, true);
    if (end === 'cut') reading.cut(at);
    if (typeof end !== 'number') continue;
    if (end === text.length) reading.cut(at);
    if (endsHere(text, end) && !/[-=]\w/.test(text.slice(end, end + 2)) && passes(rule, text.slice(at, end)))
      reading.hit({ start: at, end, provider: rule.provider, ...(rule.identifier && { identifier: true }) });
  }
}
