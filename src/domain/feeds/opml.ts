import { AppError } from '#core/errors';
import type { Subscription } from './contract.ts';
import { collapse, escapeHtml } from './text.ts';
import { attribute, child, localName, scanXml, type Element } from './xml.ts';

/**
 * The feeds of an OPML document (opml.org, 1.0 to 2.0) with the folders they stand in; a feed listed twice comes once.
 * Relative addresses are resolved against `base`. Throws `feeds.not_opml`.
 */
export function parseOpml(text: string, base?: string): Subscription[] {
  const opml = scanXml(text).find((it) => localName(it) === 'opml');
  if (!opml) throw new AppError('invalid', 'feeds.not_opml', 'The document is not OPML; expected <opml> with a <body> of outlines');
  const found = outlinesOf(child(opml, 'body') ?? opml).flatMap((it) => readOutline(it, [], base));
  return found.filter((it, index) => found.findIndex((other) => other.xmlUrl === it.xmlUrl) === index);
}

function outlinesOf(element: Element): Element[] {
  return element.children.filter((it) => it.name === 'outline');
}

function readOutline(outline: Element, folders: readonly string[], base: string | undefined): Subscription[] {
  const name = collapse(attribute(outline, 'title') || attribute(outline, 'text') || '');
  const xmlUrl = address(attribute(outline, 'xmlurl'), base);
  const inside = outlinesOf(outline).flatMap((it) => readOutline(it, name === '' ? folders : [...folders, name], base));
  if (!xmlUrl) return inside;
  return [{ title: name || xmlUrl, xmlUrl, htmlUrl: address(attribute(outline, 'htmlurl'), base), folders: [...folders] }, ...inside];
}

/** `feed://example.org/x` and `feed:https://example.org/x` are old spellings of web addresses. */
function address(text: string | null, base: string | undefined): string | null {
  const plain = (text ?? '').replace(/^feed:\/\//i, 'http://').replace(/^feed:/i, '');
  const url = plain === '' ? null : URL.parse(plain, base);
  return url && /^(https?|file):$/.test(url.protocol) ? url.href : null;
}

/** An OPML 2.0 document of the subscriptions, folders and order kept. */
export function toOpml(title: string, subscriptions: readonly Subscription[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<opml version="2.0">',
    `  <head><title>${escapeHtml(title)}</title></head>`,
    '  <body>',
    ...writeFolder(subscriptions, 0),
    '  </body>',
    '</opml>',
    '',
  ].join('\n');
}

function writeFolder(subscriptions: readonly Subscription[], depth: number): string[] {
  const indent = '  '.repeat(depth + 2);
  const groups = Map.groupBy(subscriptions, (it) => it.folders[depth]);
  return [...groups].flatMap(([folder, inside]) => {
    if (folder === undefined) return inside.map((it) => indent + writeFeed(it));
    return [`${indent}<outline text="${escapeHtml(folder)}">`, ...writeFolder(inside, depth + 1), `${indent}</outline>`];
  });
}

function writeFeed({ title, xmlUrl, htmlUrl }: Subscription): string {
  const site = htmlUrl === null ? '' : ` htmlUrl="${escapeHtml(htmlUrl)}"`;
  return `<outline type="rss" text="${escapeHtml(title)}" title="${escapeHtml(title)}" xmlUrl="${escapeHtml(xmlUrl)}"${site}/>`;
}
