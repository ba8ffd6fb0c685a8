import type { Anchor, Reading } from './anchor.ts';
import { beginsHere, endsHere } from './boundary.ts';
import type { Alphabet } from './characters.ts';
import { encodedAnchors } from './encodings.ts';
import { passes } from './passes.ts';
import { entropyOf, looksDrawn } from './randomness.ts';
import type { TokenRule } from './rule.ts';
import { endOf, readShape, type Shape } from './shape.ts';
import { wrappedEnd } from './wrapped.ts';

/** A mark of hex digits alone (`EAA`, `4b1d`) stands at the beginning of some hashes. */
const HASH = /^[0-9a-f]+$/i;
/** How far after a token its companion may end. */
const NEAR = 100;

/** What to look for to find the tokens of a rule. */
export function tokenAnchors(rule: TokenRule, alphabet: Alphabet): Anchor[] {
  return [rule.shape].flat().flatMap((source) => {
    const shape = readShape(source, alphabet);
    const { text, offset } = anchorOf(shape);
    const fold = rule.cased !== true;
    const anchor: Anchor = { text, fold, visit: (reading, at) => visit(rule, shape, fold, reading, at - offset) };
    return offset === 0 && text.length >= 4 && new Set(text).size >= 3
      ? [anchor, ...encodedAnchors(rule, shape, text, fold, alphabet)]
      : [anchor];
  });
}

/** The first fixed text of three characters or more; before it stand runs of a fixed length only. */
function anchorOf(shape: Shape): { text: string; offset: number } {
  let offset = 0;
  for (const step of shape.steps) {
    if (step.text === undefined) offset += step.min;
    else if (step.text.length >= 3) return { text: step.text, offset };
    else offset += step.text.length;
  }
  return { text: '', offset };
}

function visit(rule: TokenRule, shape: Shape, fold: boolean, reading: Reading, start: number): void {
  const { text, runs } = reading;
  if (start < 0 || (!rule.anywhere && !beginsHere(text, start))) return;
  const end = endOf(shape, runs, start, fold) ?? wrappedEnd(shape, runs, start);
  if (end === 'cut') return reading.cut(start);
  if (end === null) return;
  if (end === text.length) reading.cut(start);
  const value = text.slice(start, end);
  if (!(rule.open || endsHere(text, end)) || HASH.test(value) || !passes(rule, value)) return;
  reading.hit({ start: start + leading(text, start), end, provider: rule.provider, ...(rule.identifier && { identifier: true }) });
  if (rule.companion) companion(rule, rule.companion, reading, end);
}

function companion({ provider }: TokenRule, form: RegExp, { text, runs, hit, cut }: Reading, from: number): void {
  const near = text.slice(from, from + NEAR);
  runs.spend(near.length);
  if (from + NEAR > text.length) cut(from);
  const found = form.exec(near);
  if (found && looksDrawn(found[0]) && entropyOf(found[0]) > 4)
    hit({ start: from + found.index, end: from + found.index + found[0].length, provider });
}

/** A rule may name the quote or space before its token. */
function leading(text: string, start: number): number {
  return /[\s"'=]/.test(text[start]!) ? 1 : 0;
}
