import { parseInline } from './markdown-inline.ts';
import { tableText } from './markdown-table.ts';

/** A stretch of text in one style. What a platform cannot show it leaves out; the text alone always makes sense. */
export interface Span {
  readonly text: string;
  readonly bold?: boolean;
  readonly italic?: boolean;
  readonly strike?: boolean;
  readonly code?: boolean;
  /** http, https, mailto or tg. */
  readonly href?: string;
  /** Preformatted, with the language of the code or ''. */
  readonly pre?: string;
  readonly quote?: boolean;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/;
const HEADING = /^ {0,3}#{1,6}\s+(.*)$/;
const QUOTE = /^ {0,3}> ?/;
const RULE = /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/;
const ITEM = /^(\s*)[-*+]\s+(?:\[([ xX])\]\s+)?(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

/**
 * Reads the Markdown that models write (CommonMark's common part, tables, strike-through) as styled text. A line break
 * stays a line break. Nothing is an error: what is not understood stays as it was written.
 */
export function parseMarkdown(markdown: string): Span[] {
  const lines = markdown.replaceAll('\r\n', '\n').replaceAll('\0', '').split('\n');
  const spans: Span[] = [];
  for (let at = 0; at < lines.length;) {
    const { block, next } = readBlock(lines, at);
    spans.push(...block);
    if (next < lines.length)
      spans.push(QUOTE.test(lines[next - 1]!) && QUOTE.test(lines[next]!) ? { text: '\n', quote: true } : { text: '\n' });
    at = next;
  }
  return join(spans);
}

interface Block {
  readonly block: readonly Span[];
  readonly next: number;
}

function readBlock(lines: readonly string[], at: number): Block {
  const line = lines[at]!;
  const fence = FENCE.exec(line);
  if (fence) return readFence(lines, at, fence[1]!, fence[2]!);
  if (line.includes('|') && lines[at + 1]?.includes('-') && TABLE_RULE.test(lines[at + 1]!)) return readTable(lines, at);
  const heading = HEADING.exec(line);
  if (heading) return { block: parseInline(heading[1]!.trimEnd().replace(/(?:^|\s)#+$/, ''), { bold: true }), next: at + 1 };
  if (RULE.test(line)) return { block: [{ text: '———' }], next: at + 1 };
  if (QUOTE.test(line)) return { block: parseInline(line.replace(QUOTE, ''), { quote: true }), next: at + 1 };
  const item = ITEM.exec(line);
  if (item) {
    const mark = item[2] === undefined ? '•' : item[2] === ' ' ? '☐' : '☑';
    return { block: [{ text: `${item[1]!.replaceAll('\t', '  ')}${mark} ` }, ...parseInline(item[3]!, {})], next: at + 1 };
  }
  return { block: parseInline(line, {}), next: at + 1 };
}

/** To its closing fence, or to the end: a fence that is still being written must not lose its text. */
function readFence(lines: readonly string[], at: number, fence: string, language: string): Block {
  const close = new RegExp(`^ {0,3}${fence[0] === '`' ? '`' : '~'}{${fence.length},}\\s*$`);
  const found = lines.findIndex((line, index) => index > at && close.test(line));
  const end = found === -1 ? lines.length : found;
  const text = lines.slice(at + 1, end).join('\n');
  return {
    block: text === '' ? [] : [{ text, pre: /^[\w+#.-]{1,30}$/.test(language) ? language : '' }],
    next: Math.min(end + 1, lines.length),
  };
}

function readTable(lines: readonly string[], at: number): Block {
  let end = at + 2;
  while (end < lines.length && lines[end]!.includes('|')) end += 1;
  const rows = [lines[at]!, ...lines.slice(at + 2, end)];
  return { block: [{ text: tableText(rows), pre: '' }], next: end };
}

/** One span where neighbours have the same style. */
function join(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (span.text === '') continue;
    if (last && isSameStyle(last, span)) joined[joined.length - 1] = { ...last, text: last.text + span.text };
    else joined.push(span);
  }
  return joined;
}

function isSameStyle(a: Span, b: Span): boolean {
  return (
    a.bold === b.bold &&
    a.italic === b.italic &&
    a.strike === b.strike &&
    a.code === b.code &&
    a.href === b.href &&
    a.pre === b.pre &&
    a.quote === b.quote
  );
}
