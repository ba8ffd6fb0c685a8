import type { Span } from './markdown.ts';

/**
 * Cuts styled text into pieces whose rendering has at most `limit` UTF-16 units, at the end of a paragraph, line,
 * sentence or word where one is near. `render` must grow with its input. Blank pieces are left out.
 */
export function splitSpans(spans: readonly Span[], limit: number, render: (spans: readonly Span[]) => string): Span[][] {
  const text = spans.map((span) => span.text).join('');
  const isPre = preformatted(spans);
  const pieces: Span[][] = [];
  for (let start = 0; start < text.length;) {
    const fits = longest(start, Math.min(text.length, start + limit), (end) => render(slice(spans, start, end)).length <= limit);
    const end = fits === text.length ? fits : cut(text, start, fits);
    const piece = slice(spans, start, end);
    if (text.slice(start, end).trim() !== '') pieces.push(trim(piece));
    start = end;
    while (start < text.length && /\s/.test(text[start]!) && !isPre(start)) start += 1;
  }
  return pieces;
}

/** The part of the spans from one offset of their text to another. */
function slice(spans: readonly Span[], from: number, to: number): Span[] {
  const piece: Span[] = [];
  let at = 0;
  for (const span of spans) {
    const end = at + span.text.length;
    if (end > from && at < to) piece.push({ ...span, text: span.text.slice(Math.max(0, from - at), to - at) });
    at = end;
  }
  return piece;
}

/** The largest end that fits, at least one unit on. */
function longest(start: number, most: number, fits: (end: number) => boolean): number {
  if (fits(most)) return most;
  let low = start + 1;
  let high = most;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

function cut(text: string, start: number, end: number): number {
  const window = text.slice(start, end);
  const near = window.length * 0.4;
  const paragraph = window.lastIndexOf('\n\n');
  if (paragraph > near) return start + paragraph + 2;
  const line = window.lastIndexOf('\n');
  if (line > near) return start + line + 1;
  const sentence = Math.max(window.lastIndexOf('. '), window.lastIndexOf('! '), window.lastIndexOf('? '));
  if (sentence > near) return start + sentence + 2;
  const word = window.lastIndexOf(' ');
  if (word > 0) return start + word + 1;
  return wholeCharacter(text, start, end);
}

/** What belongs to the unit before it: low surrogates, the joiner, variation selectors, combining marks. */
const CLINGS = /[\udc00-\udfff]|\u200d|[\ufe00-\ufe0f]|\p{Mn}/u;

/** Not between the halves of a surrogate pair, nor before a joiner, a variation selector or a combining mark. */
function wholeCharacter(text: string, start: number, end: number): number {
  const clings = (at: number): boolean => CLINGS.test(text[at] ?? '') || text[at - 1] === '\u200d';
  for (let at = end; at > start + 1 && at > end - 24; at -= 1) if (!clings(at)) return at;
  const half = /[\udc00-\udfff]/.test(text[end] ?? '') && /[\ud800-\udbff]/.test(text[end - 1] ?? '');
  return half && end - 1 > start ? end - 1 : end;
}

/** Without blanks at its ends, but for the indentation of code. */
function trim(spans: readonly Span[]): Span[] {
  const piece = [...spans];
  while (piece.length > 0 && piece[0]!.pre === undefined && piece[0]!.text.trim() === '') piece.shift();
  while (piece.length > 0 && piece.at(-1)!.text.trim() === '') piece.pop();
  const last = piece.at(-1);
  if (last) piece[piece.length - 1] = { ...last, text: last.text.trimEnd() };
  return piece;
}

function preformatted(spans: readonly Span[]): (at: number) => boolean {
  const stretches: { readonly from: number; readonly to: number }[] = [];
  let at = 0;
  for (const { text, pre } of spans) {
    if (pre !== undefined) stretches.push({ from: at, to: at + text.length });
    at += text.length;
  }
  return (offset) => stretches.some(({ from, to }) => offset >= from && offset < to);
}
