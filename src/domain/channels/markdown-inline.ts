import type { Span } from './markdown.ts';

type Style = Omit<Span, 'text'>;

const CODE = /(`+)([\s\S]*?[^`])\1(?!`)/y;
const LINK = /!?\[((?:[^[\]\\]|\\.|\[[^[\]]*\])*)\]\(\s*<?((?:[^()\s<>]|\([^()\s]*\))+)>?(?:\s+"[^"]*")?\s*\)/y;
const AUTOLINK = /<((?:https?|mailto):[^\s<>]+)>/y;
const ESCAPE = /\\([!-/:-@[-`{-~])/y;
const EMPHASIS = /\*\*\*|\*\*|\*|___|__|_|~~/y;
/** What may begin something; all else is text. */
const PLAIN = /[^\\`![<*_~]+/y;
const SAFE_LINK = /^(?:https?:\/\/|mailto:|tg:)/i;
const DEEPEST = 6;
/** A longer line is no prose; it is shown as it is. */
const LONGEST_LINE = 20_000;

/** One line of Markdown in styles, on top of the style given. */
export function parseInline(line: string, style: Style): Span[] {
  return line.length > LONGEST_LINE ? [{ ...style, text: line }] : read(line, style, 0);
}

function read(text: string, style: Style, depth: number): Span[] {
  const spans: Span[] = [];
  const without = new Set<string>();
  const put = (piece: string, more: Style = {}): void => void spans.push({ ...style, ...more, text: piece });
  for (let at = 0; at < text.length;) {
    const match = (pattern: RegExp): RegExpExecArray | null => {
      pattern.lastIndex = at;
      return pattern.exec(text);
    };
    const plain = match(PLAIN);
    if (plain) {
      put(plain[0]);
      at += plain[0].length;
      continue;
    }
    const taken = special(text, at, match, style, depth, without);
    if (taken) spans.push(...taken.spans);
    else put(text[at]!);
    at = taken?.end ?? at + 1;
  }
  return spans;
}

interface Taken {
  readonly spans: readonly Span[];
  readonly end: number;
}

function special(
  text: string,
  at: number,
  match: (pattern: RegExp) => RegExpExecArray | null,
  style: Style,
  depth: number,
  without: Set<string>,
): Taken | null {
  const escaped = match(ESCAPE);
  if (escaped) return { spans: [{ ...style, text: escaped[1]! }], end: at + 2 };
  const ticks = text[at] === '`' && !without.has('`') ? match(CODE) : null;
  if (ticks) return { spans: [{ ...style, code: true, text: ticks[2]!.replace(/^ (.*\S.*) $/, '$1') }], end: at + ticks[0].length };
  if (text[at] === '`') {
    without.add('`');
    return null;
  }
  const link = style.href === undefined && depth < DEEPEST ? match(LINK) : null;
  if (link) {
    const href = safeLink(link[2]!);
    const label = link[1] === '' ? link[2]! : link[1]!;
    return { spans: read(label, href === null ? style : { ...style, href }, depth + 1), end: at + link[0].length };
  }
  const auto = style.href === undefined ? match(AUTOLINK) : null;
  if (auto) return { spans: [{ ...style, text: auto[1]!.replace(/^mailto:/, ''), href: auto[1]! }], end: at + auto[0].length };
  const mark = depth < DEEPEST ? match(EMPHASIS)?.[0] : undefined;
  return mark === undefined ? null : emphasis(text, at, mark, style, depth, without);
}

function emphasis(text: string, at: number, mark: string, style: Style, depth: number, without: Set<string>): Taken | null {
  const whole = { spans: [{ ...style, text: mark }], end: at + mark.length };
  const inWord = mark[0] === '_' && /\w/.test(text[at - 1] ?? '');
  if (without.has(mark) || inWord || /^\s?$/.test(text[at + mark.length] ?? '')) return whole;
  const close = closing(text, at + mark.length, mark);
  if (close === -1) {
    without.add(mark);
    return whole;
  }
  const more: Style =
    mark === '~~'
      ? { strike: true }
      : mark.length === 3
        ? { bold: true, italic: true }
        : mark.length === 2
          ? { bold: true }
          : { italic: true };
  return { spans: read(text.slice(at + mark.length, close), { ...style, ...more }, depth + 1), end: close + mark.length };
}

/** Where the same mark ends it: after something that is not blank, and not inside a longer mark. */
function closing(text: string, from: number, mark: string): number {
  const letter = mark[0]!;
  for (let at = text.indexOf(mark, from + 1); at !== -1; at = text.indexOf(mark, at + 1)) {
    let end = at;
    while (text[end] === letter) end += 1;
    const isLone = end - at === mark.length && text[at - 1] !== letter;
    const isRest = end - at > mark.length && mark.length > 1 && text[at - 1] !== letter;
    const endsWord = letter !== '_' || !/\w/.test(text[end] ?? '');
    if ((isLone || isRest) && endsWord && !/\s/.test(text[at - 1]!) && text[at - 1] !== '\\') return isRest ? end - mark.length : at;
  }
  return -1;
}

function safeLink(address: string): string | null {
  return address.length <= 1_500 && SAFE_LINK.test(address) ? address : null;
}
