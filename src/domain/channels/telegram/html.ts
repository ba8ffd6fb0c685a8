import type { RenderedPart } from '../kind.ts';
import { parseMarkdown, type Span } from '../markdown.ts';
import { splitSpans } from '../split.ts';

/** Bot API, sendMessage: 1 to 4096 characters. The limit is counted after the tags are read; we stay below it with them. */
export const LONGEST_TEXT = 4096;

/** Markdown as messages in the HTML of the Bot API ("Formatting options"), each valid by itself. */
export function toTelegram(markdown: string): RenderedPart[] {
  const pieces = splitSpans(parseMarkdown(markdown), LONGEST_TEXT, toHtml);
  const usable = pieces.length > 0 || markdown.trim() === '' ? pieces : splitSpans([{ text: markdown }], LONGEST_TEXT, toHtml);
  return usable.map((piece) => ({ text: toHtml(piece), plain: plainText(piece).slice(0, LONGEST_TEXT) }));
}

/** Spans as HTML: quotes around styles, styles around text, nothing nested in code. */
export function toHtml(spans: readonly Span[]): string {
  let html = '';
  let inQuote = false;
  for (const span of spans) {
    const isQuote = span.quote === true;
    if (isQuote !== inQuote) html += isQuote ? '<blockquote>' : '</blockquote>';
    inQuote = isQuote;
    html += spanHtml(span);
  }
  return inQuote ? `${html}</blockquote>` : html;
}

function spanHtml({ text, bold, italic, strike, code, href, pre }: Span): string {
  let html = escapeHtml(text);
  if (pre !== undefined) return pre === '' ? `<pre>${html}</pre>` : `<pre><code class="language-${escapeHtml(pre)}">${html}</code></pre>`;
  if (code) html = `<code>${html}</code>`;
  else {
    if (strike) html = `<s>${html}</s>`;
    if (italic) html = `<i>${html}</i>`;
    if (bold) html = `<b>${html}</b>`;
  }
  return href === undefined ? html : `<a href="${escapeHtml(href)}">${html}</a>`;
}

/** Bot API: `<`, `>` and `&` that are not part of a tag or an entity must be replaced; a quote only matters in attributes. */
function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function plainText(spans: readonly Span[]): string {
  return spans.map(({ text, href }) => (href === undefined || href === text ? text : `${text} (${href})`)).join('');
}
