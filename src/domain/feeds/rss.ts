import type { DraftFeed, DraftItem } from './draft.ts';
import { collapse, plainText } from './text.ts';
import { resolveUrl } from './urls.ts';
import { attribute, child, childrenOf, localName, textOf, type Element } from './xml.ts';

/** Reads RSS 0.91 to 2.0 and RSS 0.90, 1.0 and 1.1 in RDF, which differ in where items stand and what names them. */
export function readRss(root: Element, format: 'rss' | 'rdf', documentUrl: string | null): DraftFeed {
  const channel = root.children.find((it) => localName(it) === 'channel') ?? root;
  const own = channel.name.slice(0, -localName(channel).length);
  const self = childrenOf(channel, 'atom:link').find((it) => attribute(it, 'rel') === 'self');
  const base = resolveUrl(self ? attribute(self, 'href') : null) ?? documentUrl;
  const link = linkOf(channel, own, [base]);
  const list = child(channel, `${own}items`);
  const items = [channel, root === channel ? null : root, list].flatMap((it) => (it ? childrenOf(it, `${own}item`) : []));
  return {
    format,
    title: titleOf(child(channel, `${own}title`)),
    link,
    items: items.map((item) => readItem(item, own, [link, base])),
  };
}

function readItem(item: Element, own: string, bases: readonly (string | null)[]): DraftItem {
  const text = (...names: string[]): string | null => {
    for (const name of names) {
      for (const found of childrenOf(item, name)) {
        const value = textOf(found).trim();
        if (value !== '') return value;
      }
    }
    return null;
  };
  const guid = child(item, `${own}guid`);
  const guidText = guid && (textOf(guid).trim() || null);
  const isPermalink = guid !== null && attribute(guid, 'ispermalink')?.toLowerCase() !== 'false';
  const encoded = text('content:encoded', 'xhtml:body', 'atom:content', 'content');
  const description = text(
    `${own}description`,
    'description',
    'dcterms:abstract',
    'dc:description',
    'itunes:summary',
    'media:description',
    `${own}abstract`,
    'itunes:subtitle',
    'atom:summary',
  );
  return {
    guid: guidText ?? attribute(item, 'rdf:about') ?? text('dc:identifier', 'atom:id'),
    title: titleOf(child(item, `${own}title`)) ?? titleOf(child(item, 'dc:title', 'media:title', 'itunes:title', 'atom:title')),
    url:
      linkOf(item, own, bases) ??
      (isPermalink ? resolveUrl(guidText) : null) ??
      resolveUrl(attribute(item, 'rdf:about')) ??
      enclosureOf(item, own, bases),
    dates: [
      text(`${own}pubdate`, 'pubdate'),
      text('dc:date'),
      text('dcterms:issued'),
      text('dcterms:created'),
      text('atom:published'),
      text(`${own}published`),
      text('dcterms:modified'),
      text('atom:updated'),
      text('atom:modified'),
      text(`${own}lastbuilddate`),
    ],
    author: authorOf(
      text('dc:creator') ?? text(`${own}author`) ?? personIn(child(item, 'atom:author')) ?? text('itunes:author', 'media:credit'),
    ),
    summaryHtml: description,
    contentHtml: encoded ?? description,
  };
}

/** Markup in a title is shown, not read: `<title>A <b>bold</b> word</title>` and its escaped form are the same. */
function titleOf(element: Element | null): string | null {
  return (element && plainText(textOf(element))) || null;
}

/** Text of `<link>`, else its `href`, else an Atom link; resolved against `xml:base` and then the bases given. */
function linkOf(element: Element, own: string, bases: readonly (string | null)[]): string | null {
  const links = childrenOf(element, `${own}link`);
  for (const link of links) {
    const url = resolveUrl(collapse(textOf(link)) || attribute(link, 'href'), ...basesOf(link), ...bases);
    if (url) return url;
  }
  const atomLinks = childrenOf(element, 'atom:link').filter((it) => (attribute(it, 'rel') ?? 'alternate') === 'alternate');
  for (const link of atomLinks) {
    const url = resolveUrl(attribute(link, 'href'), ...basesOf(link), ...bases);
    if (url) return url;
  }
  return resolveUrl(attribute(element, 'href'), ...basesOf(element), ...bases);
}

function enclosureOf(item: Element, own: string, bases: readonly (string | null)[]): string | null {
  const enclosure = child(item, `${own}enclosure`);
  return enclosure && resolveUrl(attribute(enclosure, 'url'), ...bases);
}

/** The `xml:base` of an element and its ancestors, nearest first. */
export function basesOf(element: Element): string[] {
  const bases: string[] = [];
  for (let each: Element | null = element; each; each = each.parent) {
    if (!each.tag.includes('xml:base')) continue;
    const base = attribute(each, 'xml:base');
    if (base) bases.push(base);
  }
  return bases;
}

function personIn(author: Element | null): string | null {
  if (!author) return null;
  const name = author.children.find((it) => localName(it) === 'name');
  return textOf(name ?? author).trim() || null;
}

/** `jo@example.org (Jo Doe)` and `Jo Doe <jo@example.org>` are Jo Doe (RSS 2.0 asks for the address first). */
export function authorOf(text: string | null): string | null {
  if (text === null) return null;
  const plain = plainText(text.replace(/<[^<>\s]+@[^<>\s]+>/g, ' '));
  return (/^\S+@\S+\s*\((.+)\)$/.exec(plain)?.[1] ?? plain) || null;
}
