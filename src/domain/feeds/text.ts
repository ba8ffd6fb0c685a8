import { decodeEntities } from './entities.ts';
import { tagEnd } from './xml.ts';

/** A tag, a comment, a declaration or an instruction starts so; any other `<` is text. */
const TAG_NAME = /\/?[a-zA-Z][a-zA-Z0-9:-]*|!--|[!?](?=[a-zA-Z[\]])/y;
// oxlint-disable-next-line no-control-regex -- those are what it finds
const INVISIBLE = /[\0-\x08\x0e-\x1f\x7f\u200b\u2060\ufeff]/;
const FORMATTING = /<(?:\/(?:a|b|i|p|em|strong|span|div)|br ?\/?)>/i;
/** Elements whose content is not text to read. */
const SILENT = new Set(['script', 'style', 'template', 'noscript', 'svg', 'iframe']);
/** Elements that run inside a line; every other tag ends a word. */
const INLINE = new Set([
  'a',
  'abbr',
  'acronym',
  'b',
  'bdi',
  'bdo',
  'big',
  'blink',
  'cite',
  'code',
  'del',
  'dfn',
  'em',
  'font',
  'i',
  'ins',
  'kbd',
  'mark',
  'q',
  's',
  'samp',
  'small',
  'span',
  'strike',
  'strong',
  'sub',
  'sup',
  'time',
  'tt',
  'u',
  'var',
  'wbr',
]);

/** The words of a piece of HTML on one line: tags stripped, entities decoded, white space collapsed. `<3` and `a < b` survive. */
export function plainText(html: string): string {
  const text = decodeEntities(html.includes('<') ? stripTags(html) : html);
  // Some publishers escape twice. What then looks like formatting is; `the <video> element` is not.
  return collapse(FORMATTING.test(text) ? decodeEntities(stripTags(text)) : text);
}

/** One pass, no backtracking: this reads whatever strangers publish. */
function stripTags(html: string): string {
  const unclosed = new Set<string>();
  let text = '';
  let at = 0;
  for (;;) {
    const lt = html.indexOf('<', at);
    if (lt < 0) return text + html.slice(at);
    TAG_NAME.lastIndex = lt + 1;
    const name = TAG_NAME.exec(html)?.[0].toLowerCase();
    const gt = name === undefined ? -1 : tagEnd(html, lt + 1);
    if (name === undefined || gt >= html.length) {
      text += html.slice(at, lt + 1);
      at = lt + 1;
      if (name !== undefined) return text + html.slice(at);
      continue;
    }
    text += INLINE.has(name.replace('/', '')) ? html.slice(at, lt) : `${html.slice(at, lt)} `;
    at = name === '!--' ? Math.max(gt + 1, html.indexOf('-->', lt + 4) + 3) : gt + 1;
    if (SILENT.has(name) && !unclosed.has(name)) {
      const end = new RegExp(`</${name}\\b[^>]*>`, 'gi');
      end.lastIndex = at;
      if (end.exec(html)) at = end.lastIndex;
      else unclosed.add(name);
    }
  }
}

/** Runs of white space, no-break spaces and invisible marks included, as one space; control characters removed. */
export function collapse(text: string): string {
  return (INVISIBLE.test(text) ? text.replace(new RegExp(INVISIBLE, 'g'), '') : text).replace(/\s{2,}|[^\S ]/g, ' ').trim();
}

/** At most `length` characters, cut after a word, with an ellipsis where something was left out. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  const cut = text.slice(0, length - 1);
  const space = cut.lastIndexOf(' ');
  return `${(space > length / 2 ? cut.slice(0, space) : cut).replace(/[\s,;:.\ud800-\udbff]+$/, '')}…`;
}

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
