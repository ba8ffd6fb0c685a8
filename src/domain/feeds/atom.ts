import type { DraftFeed, DraftItem } from './draft.ts';
import { authorOf, basesOf } from './rss.ts';
import { collapse, escapeHtml, plainText } from './text.ts';
import { resolveUrl } from './urls.ts';
import { attribute, child, childrenOf, localName, markupOf, textOf, type Element } from './xml.ts';

/** Reads Atom 1.0 (RFC 4287), the Atom 0.3 draft and what calls itself one of them. */
export function readAtom(root: Element, documentUrl: string | null): DraftFeed {
  const own = root.name.slice(0, -localName(root).length);
  const base = selfOf(root, own) ?? documentUrl;
  const link = linkOf(root, own, [base]) ?? resolveUrl(textIn(root, `${own}id`));
  const feedAuthor = authorIn(root, own);
  return {
    format: 'atom',
    title: titleOf(child(root, `${own}title`, 'dc:title')),
    link,
    items: childrenOf(root, `${own}entry`).map((entry) => readEntry(entry, own, [link, base], feedAuthor)),
  };
}

function readEntry(entry: Element, own: string, bases: readonly (string | null)[], feedAuthor: string | null): DraftItem {
  const text = (name: string): string | null => textIn(entry, name);
  const id = text(`${own}id`);
  const group = child(entry, 'media:group') ?? entry;
  const summary = child(entry, `${own}summary`) ?? child(group, 'media:description') ?? child(entry, 'dc:description');
  const content = child(entry, `${own}content`);
  const summaryHtml = summary && htmlOf(summary);
  return {
    guid: id ?? text('dc:identifier'),
    title: titleOf(child(entry, `${own}title`)) ?? titleOf(child(group, 'media:title', 'dc:title')),
    url:
      linkOf(entry, own, bases) ??
      (content && resolveUrl(attribute(content, 'src'), ...basesOf(content), ...bases)) ??
      resolveUrl(id) ??
      selfOf(entry, own, bases),
    dates: [
      text(`${own}published`),
      text(`${own}issued`),
      text(`${own}created`),
      text('dcterms:created'),
      text('dc:date'),
      text(`${own}updated`),
      text(`${own}modified`),
      text('dcterms:modified'),
      text(`${own}pubdate`),
    ],
    author: authorIn(entry, own) ?? authorOf(text('dc:creator')) ?? feedAuthor,
    summaryHtml,
    contentHtml: (content && htmlOf(content)) ?? summaryHtml,
  };
}

function titleOf(element: Element | null): string | null {
  return (element && plainText(htmlOf(element) ?? '')) || null;
}

/**
 * A text construct as HTML (RFC 4287 section 3.1): `text` is escaped, `html` unescaped once, `xhtml` taken as written.
 * Atom 0.3 says `mode` instead. Null for what is no text, such as an image in base64.
 */
function htmlOf(element: Element): string | null {
  const type = attribute(element, 'type')?.toLowerCase() ?? 'text';
  const mode = attribute(element, 'mode')?.toLowerCase();
  if (mode === 'base64') return Buffer.from(textOf(element), 'base64').toString('utf8');
  if (type === 'xhtml' || mode === 'xml' || element.children.length > 0) return textOf(element).trim() === '' ? null : markupOf(element);
  const text = textOf(element);
  if (text.trim() === '') return null;
  if (/^(image|audio|video|application)\//.test(type) && !/xml|html/.test(type)) return null;
  return type === 'text' || type === 'text/plain' ? escapeHtml(text) : text;
}

/** The page of an entry or feed: an alternate link, a web page before other kinds, before any other link that is not the feed itself. */
function linkOf(element: Element, own: string, bases: readonly (string | null)[]): string | null {
  const links = childrenOf(element, `${own}link`).flatMap((it) => {
    const url = resolveUrl(attribute(it, 'href') ?? collapse(textOf(it)), ...basesOf(it), ...bases);
    return url ? [{ url, rel: (attribute(it, 'rel') ?? 'alternate').toLowerCase(), type: attribute(it, 'type') ?? 'text/html' }] : [];
  });
  const alternates = links.filter((it) => it.rel === 'alternate');
  return (alternates.find((it) => /html/.test(it.type)) ?? alternates[0])?.url ?? null;
}

/** Where the feed or entry says it is itself. */
function selfOf(element: Element, own: string, bases: readonly (string | null)[] = []): string | null {
  const self = childrenOf(element, `${own}link`).find((it) => attribute(it, 'rel') === 'self');
  return self ? resolveUrl(attribute(self, 'href'), ...basesOf(self), ...bases) : null;
}

function textIn(element: Element, name: string): string | null {
  const found = child(element, name);
  return found && (textOf(found).trim() || null);
}

function authorIn(element: Element, own: string): string | null {
  const names = childrenOf(element, `${own}author`).flatMap((author) => {
    const person = child(author, `${own}name`) ?? child(author, `${own}email`);
    return authorOf(textOf(person ?? author).trim() || null) ?? [];
  });
  return names.join(', ') || null;
}
