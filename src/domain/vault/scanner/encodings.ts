import type { Anchor, Hit, Reading } from './anchor.ts';
import type { Alphabet, Characters } from './characters.ts';
import { passes } from './passes.ts';
import type { TokenRule } from './rule.ts';
import { createPlainRuns } from './runs.ts';
import { endOf, type Shape } from './shape.ts';

/** The first look decodes a little more than the shortest token, the second, of what passed it, at most this. */
const LONGEST_DECODED = 512;
/** The most of a token that is looked for with spaces in it or from back to front: nothing remembers these runs. */
const LONGEST_DISGUISED = 256;

/** A form of the mark of a token in an encoded text; `skip` bytes stand before it in the decoded text. */
interface Form {
  readonly text: string;
  readonly skip: number;
}

/** Where to look for tokens of a shape in base64, in hex, with spaces between their characters, and from back to front. */
export function encodedAnchors(rule: TokenRule, shape: Shape, mark: string, fold: boolean, alphabet: Alphabet): Anchor[] {
  const characters = { base64: alphabet.of('[\\w+/-]'), hex: alphabet.of('[0-9a-fA-F]') };
  const anchors: Anchor[] = base64Forms(mark).map((form) => ({
    text: form.text,
    fold: false,
    visit: (reading, at) => visitEncoded(rule, shape, fold, reading, { at, form, set: characters.base64, encoding: 'base64' }),
  }));
  anchors.push({
    text: Buffer.from(mark).toString('hex'),
    fold: true,
    visit: (reading, at) =>
      visitEncoded(rule, shape, fold, reading, { at, form: { text: mark, skip: 0 }, set: characters.hex, encoding: 'hex' }),
  });
  const body = shape.steps[1];
  if (shape.steps.length !== 2 || !body || body.text !== undefined) return anchors;
  anchors.push(
    { text: mark.split('').join(' '), fold: true, visit: (reading, at) => visitSpaced(rule, mark, body, reading, at) },
    { text: backwards(mark), fold: true, visit: (reading, at) => visitReversed(rule, mark, body, reading, at) },
  );
  return anchors;
}

/** What any base64 of a text with the mark in it must hold, at each of the three alignments (RFC 4648, both alphabets). */
function base64Forms(mark: string): Form[] {
  return [0, 1, 2].flatMap((skip) => {
    const whole = Buffer.from('\0'.repeat(skip) + mark, 'latin1').toString('base64');
    const text = whole.slice(Math.ceil((skip * 8) / 6), Math.floor(((skip + mark.length) * 8) / 6));
    const forms = [{ text, skip }];
    return /[+/]/.test(text) ? [...forms, { text: text.replaceAll('+', '-').replaceAll('/', '_'), skip }] : forms;
  });
}

interface Place {
  readonly at: number;
  readonly form: Form;
  readonly set: Characters;
  readonly encoding: 'base64' | 'hex';
}

function visitEncoded(rule: TokenRule, shape: Shape, fold: boolean, reading: Reading, { at, form: { skip }, set, encoding }: Place): void {
  const { text, runs } = reading;
  const start = encoding === 'hex' ? at : at - Math.ceil((skip * 8) / 6);
  if (start < 0) return;
  const run = runs.length(set, at) + at - start;
  const each = encoding === 'hex' ? 2 : 4 / 3;
  const reaches = start + run === text.length;
  const longest = Math.max(shape.shortest, Math.min(shape.longest, LONGEST_DECODED)) + 1;
  for (const most of [shape.shortest + 16, longest]) {
    const length = Math.min(run, Math.ceil((skip + most) * each));
    if (!reaches && run < (skip + shape.shortest) * each - 1) return;
    runs.spend(length);
    const plain = Buffer.from(text.slice(start, start + length), encoding).toString('latin1');
    const end = endOf(shape, createPlainRuns(plain), skip, fold);
    if (end === 'cut' && reaches && length === run) return reading.cut(at);
    if (typeof end !== 'number') return;
    if (most < longest && end === plain.length && length < run) continue;
    if (reaches) reading.cut(at);
    let stop = start + Math.ceil(end * each);
    while (text[stop] === '=') stop += 1;
    if (passes(rule, plain.slice(skip, end))) reading.hit(hitOf(rule, at, stop));
    return;
  }
}

interface Body {
  readonly set: Characters;
  readonly min: number;
  readonly max: number;
}

/** `g h p _ …` */
function visitSpaced(rule: TokenRule, mark: string, { set, min, max }: Body, reading: Reading, at: number): void {
  const { text, runs } = reading;
  const from = at + 2 * mark.length - 1;
  const most = Math.max(min, Math.min(max, LONGEST_DISGUISED));
  let found = 0;
  while (found < most && text[from + 2 * found] === ' ' && set.member[text.charCodeAt(from + 2 * found + 1)] === 1) found += 1;
  runs.spend(found + 1);
  const end = from + 2 * found;
  if (end >= text.length - 1) reading.cut(at);
  if (found >= min && passes(rule, text.slice(at, end).replaceAll(' ', ''))) reading.hit(hitOf(rule, at, end));
}

function visitReversed(rule: TokenRule, mark: string, { set, min, max }: Body, reading: Reading, at: number): void {
  const { text, runs } = reading;
  const found = runs.before(set, at, Math.max(min, Math.min(max, LONGEST_DISGUISED)));
  const start = at - found;
  const end = at + mark.length;
  if (found >= min && standsAlone(text, start, end) && passes(rule, backwards(text.slice(start, end))))
    reading.hit(hitOf(rule, start, end));
}

/** Any mark stands back to front in one of some thousand hashes and base64 texts: what is cut out of the middle of one is no token. */
function standsAlone(text: string, start: number, end: number): boolean {
  const goesOn = (at: number): boolean => /[\w+/=-]/.test(text[at] ?? '');
  return !goesOn(start - 1) && !goesOn(end) && !/^[0-9a-f]+$/i.test(text.slice(start, end));
}

function hitOf(rule: TokenRule, start: number, end: number): Hit {
  return { start, end, provider: rule.provider, ...(rule.identifier && { identifier: true }) };
}

function backwards(text: string): string {
  return text.split('').toReversed().join('');
}
