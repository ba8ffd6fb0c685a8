import { AppError } from '#core/errors';
import { hidesFromView, hidingSelectors, revealText } from '#content';
import { decodeText } from './charset.ts';
import type { ReadablePage, SourceHints } from './contract.ts';
import { parseDate } from './dates.ts';
import { parseHtml, type PageDocument, type PageElement, type PageNode } from './dom.ts';
import { readPublished } from './published.ts';
import { collapse } from './text.ts';
import { resolveUrl } from './urls.ts';

/** What is never part of an article's words; taken out before anything reads the page. */
const NOISE = 'script:not([type="application/ld+json"]), style, template, object, embed, svg, canvas, dialog';
/** Below so many characters Readability has given up and returns whatever there is. */
const LEAST_ARTICLE_LENGTH = 250;
/** Reading takes time in the square of the depth. */
const MAX_DEPTH = 1_000;
const SELF_CLOSING =
  /^(area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr|p|li|dt|dd|tr|td|th|thead|tbody|tfoot|option|colgroup)$/i;
const MAX_ELEMENTS = 100_000;
/** Where a page keeps what is not its subject, for pages in which no article is found. */
const FURNITURE =
  'title, script, noscript, iframe, button, nav, header, footer, aside, [role=navigation], [role=banner], [role=contentinfo], [aria-hidden=true], [hidden]';
const BLOCKS = new Set([
  'ADDRESS',
  'ARTICLE',
  'ASIDE',
  'BLOCKQUOTE',
  'DD',
  'DIV',
  'DL',
  'DT',
  'FIGCAPTION',
  'FIGURE',
  'H1',
  'H2',
  'H3',
  'H4',
  'H5',
  'H6',
  'HR',
  'LI',
  'MAIN',
  'OL',
  'P',
  'PRE',
  'SECTION',
  'TABLE',
  'TR',
  'UL',
]);

/**
 * The readable article of a web page. A page without one (a list, an app) gives all its words but the furniture.
 * Throws `feeds.unreadable_page` when there are none. Heavy: see `createFeedParser`.
 */
export async function readPage(page: Uint8Array | string, { url, contentType }: SourceHints = {}): Promise<ReadablePage> {
  const html = typeof page === 'string' ? page : decodeText(page, contentType);
  if (isTooDeep(html)) throw new AppError('invalid', 'feeds.unreadable_page', `The page is nested deeper than ${MAX_DEPTH} elements`);
  const { Readability } = await import('@mozilla/readability');
  try {
    const document = await parseHtml(html);
    const published = readPublished(document);
    const heading = document.querySelector('title')?.textContent ?? '';
    dropHidden(document);
    clean(document, resolveUrl(document.querySelector('base[href]')?.getAttribute('href') ?? null, url ?? null) ?? url ?? null);
    const article = new Readability<PageElement>(document.cloneNode(true), {
      maxElemsToParse: MAX_ELEMENTS,
      serializer: (node: unknown) => node as PageElement,
    }).parse();
    const isArticle = (article?.length ?? 0) >= LEAST_ARTICLE_LENGTH;
    const body = isArticle && article?.content ? article.content : withoutFurniture(document.body);
    const text = paragraphs(body);
    if (text === '') throw new AppError('invalid', 'feeds.unreadable_page', 'The page holds no text; it may need a browser to show any');
    return {
      title: collapse(article?.title || heading) || null,
      byline: collapse(article?.byline ?? '') || null,
      date: parseDate(article?.publishedTime ?? '') ?? published,
      text,
      markdown: revealText(await toMarkdown(body)).text,
    };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('invalid', 'feeds.unreadable_page', 'The page could not be read', {}, error);
  }
}

/** Takes out what a reader of the page would not see: by its own style, by a style sheet of the page, by the attribute for it. */
function dropHidden(document: PageDocument): void {
  const selectors = Array.from(document.querySelectorAll('style')).flatMap((style) => hidingSelectors(style.textContent ?? ''));
  for (const selector of selectors) for (const each of matching(document, selector)) each.remove();
  for (const each of document.querySelectorAll('[hidden]')) each.remove();
  for (const each of document.querySelectorAll('[style]'))
    if (hidesFromView(each.getAttribute('style') ?? '') && each.nodeName !== 'BODY') each.remove();
}

function matching(document: PageDocument, selector: string): PageElement[] {
  try {
    return Array.from(document.querySelectorAll(selector));
  } catch {
    return []; // strangers write selectors that nobody can read
  }
}

/** Makes every link absolute, and takes out scripts and every address that is not for reading (`javascript:`, `data:`). */
function clean(document: PageDocument, base: string | null): void {
  for (const each of document.querySelectorAll(NOISE)) each.remove();
  for (const link of document.querySelectorAll('a[href]')) {
    const href = link.getAttribute('href') ?? '';
    const target = /^\s*mailto:[^\s]+$/i.test(href) ? href.trim() : resolveUrl(href, base);
    if (target) link.setAttribute('href', target);
    else link.removeAttribute('href');
  }
  for (const image of document.querySelectorAll('img')) {
    const source = resolveUrl(image.getAttribute('src'), base) ?? resolveUrl(image.getAttribute('data-src'), base);
    if (source) image.setAttribute('src', source);
    else image.removeAttribute('src');
  }
}

/** Judged by the tags before anything is built; elements that close by themselves do not count. */
function isTooDeep(html: string): boolean {
  let depth = 0;
  for (const [, slash, name, rest] of html.matchAll(/<(\/?)([a-z][\w-]*)([^<>]*)/gi)) {
    if (SELF_CLOSING.test(name!) || rest!.endsWith('/')) continue;
    depth = slash === '/' ? Math.max(0, depth - 1) : depth + 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

function withoutFurniture(body: PageElement): PageElement {
  for (const each of body.querySelectorAll(FURNITURE)) each.remove();
  return body;
}

/** The words of an element, a blank line between blocks. */
function paragraphs(root: PageElement): string {
  const blocks: string[] = [];
  let line = '';
  const end = (): void => {
    const text = collapse(line);
    if (text !== '') blocks.push(text);
    line = '';
  };
  const walk = (node: PageNode): void => {
    if (node.nodeType === 3) line += node.nodeValue ?? '';
    if (node.nodeType !== 1) return;
    const name = node.nodeName.toUpperCase();
    if (name === 'BR' || name === 'TD' || name === 'TH') line += ' ';
    const isBlock = BLOCKS.has(name);
    if (isBlock) end();
    for (const each of node.childNodes) walk(each);
    if (isBlock) end();
  };
  walk(root);
  end();
  return blocks.join('\n\n');
}

async function toMarkdown(root: PageElement): Promise<string> {
  const [{ default: Turndown }, { gfm }] = await Promise.all([import('turndown'), import('@truto/turndown-plugin-gfm')]);
  const turndown = new Turndown({ headingStyle: 'atx', codeBlockStyle: 'fenced', bulletListMarker: '-', hr: '---' });
  turndown.use(gfm);
  turndown.remove(['script', 'style', 'noscript', 'iframe', 'button']);
  turndown.addRule('anchors and pictures without an address', {
    filter: (node) => (node.nodeName === 'A' && !node.getAttribute('href')) || (node.nodeName === 'IMG' && !node.getAttribute('src')),
    replacement: (content) => content,
  });
  // As text: the table rules of turndown need a fuller DOM, which it brings.
  return turndown
    .turndown(root.outerHTML)
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
