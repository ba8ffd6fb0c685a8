import { decodeEntities } from './entities.ts';
import { hidesFromView, revealText } from '#content';
import { tagEnd } from './xml.ts';

/** A tag, a comment, a declaration or an instruction starts so; any other `<` is text. */
const TAG_NAME = /\/?[a-zA-Z][a-zA-Z0-9:-]*|!--|[!?](?=[a-zA-Z[\]])/y;
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
    const isHidden = !name.startsWith('/') && !VOID.has(name) && hidesFromView(styleOf(html.slice(lt, gt)));
    if (isHidden && !unclosed.has(name)) {
      const end = endOf(html, name, at);
      if (end === -1) unclosed.add(name);
      else at = end;
    } else if (SILENT.has(name) && !unclosed.has(name)) {
      const end = new RegExp(`</${name}\\b[^>]*>`, 'gi');
      end.lastIndex = at;
      if (end.exec(html)) at = end.lastIndex;
      else unclosed.add(name);
    }
  }
}

const VOID = new Set(['br', 'hr', 'img', 'input', 'wbr', 'meta', 'link', 'source']);
const STYLE = /\sstyle\s?=\s?(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i;

function styleOf(tag: string): string {
  const style = STYLE.exec(tag);
  return style ? decodeEntities(style[1] ?? style[2] ?? style[3] ?? '') : '';
}

/** Behind the end tag of an element whose content begins at `from`, those of the same name inside it counted; -1 when it has none. */
function endOf(html: string, name: string, from: number): number {
  const tag = new RegExp(`<(/?)${name}\\b[^<>]*>`, 'gi');
  tag.lastIndex = from;
  let depth = 1;
  for (let found = tag.exec(html); found; found = tag.exec(html)) {
    depth += found[1] === '/' ? -1 : 1;
    if (depth === 0) return tag.lastIndex;
  }
  return -1;
}

/** Runs of white space, no-break spaces included, as one space; what has no look of its own removed. */
export function collapse(text: string): string {
  return revealText(text)
    .text.replace(/\s{2,}|[^\S ]/g, ' ')
    .trim();
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
