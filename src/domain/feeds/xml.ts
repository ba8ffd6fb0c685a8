import { decodeEntities } from './entities.ts';

/** An element of a scanned document. Its text and attributes are read from the source when asked for. */
export interface Element {
  /** Local name in lower case, with a prefix that stands for its namespace whatever prefix the document uses: `dc:date`. */
  readonly name: string;
  readonly parent: Element | null;
  readonly children: Element[];
  /** The document. */
  readonly source: string;
  /** What stands between the start tag and the end tag, as offsets. */
  readonly start: number;
  end: number;
  /** What stands in the start tag after the name. */
  readonly tag: string;
}

/** The namespaces that feeds use, by a part of their address that all spellings share. The empty name is RSS itself. */
const NAMESPACES: readonly (readonly [part: string, prefix: string])[] = [
  ['w3.org/2005/atom', 'atom'],
  ['purl.org/atom/ns', 'atom'],
  ['purl.org/dc/elements', 'dc'],
  ['purl.org/dc/terms', 'dcterms'],
  ['purl.org/rss/1.0/modules/content', 'content'],
  ['purl.org/rss/1.0/modules/', 'module'],
  ['purl.org/rss/1.0', ''],
  ['my.netscape.com/rdf/simple/0.9', ''],
  ['channel.netscape.com/rdf/simple/0.9', ''],
  ['backend.userland.com/rss', ''],
  ['purl.org/net/rss1.1', ''],
  ['1999/02/22-rdf-syntax-ns', 'rdf'],
  ['itunes.com/dtds/podcast', 'itunes'],
  ['search.yahoo.com/mrss', 'media'],
  ['w3.org/1999/xhtml', 'xhtml'],
  ['feedburner', 'feedburner'],
];

/** Deeper than any feed; what is nested below is flattened, so that no document can exhaust the stack of a reader. */
const MAX_DEPTH = 200;

const NAME = /[^\s/>]+/y;

/**
 * Reads a document in one pass and forgives what real feeds do: stray `<` and `&`, HTML entities, elements that are
 * never closed or closed in the wrong order, a cut end. A DTD is skipped and its entities are never expanded, so
 * there are no entity bombs and no external entities. Gives the root elements, normally one.
 */
export function scanXml(source: string): Element[] {
  const roots: Element[] = [];
  const prefixes = new Map<string, string>();
  const names = new Map<string, string>();
  /** Open elements and, in step with them, their names as written and the default namespace inside each. */
  const open: Element[] = [];
  const written: string[] = [];
  const defaults: string[] = [''];
  let at = source.indexOf('<');

  function close(count: number, end: number): void {
    for (let i = 0; i < count; i += 1) {
      open.pop()!.end = end;
      written.pop();
      defaults.pop();
    }
  }

  function startTag(from: number): number {
    NAME.lastIndex = from + 1;
    const raw = NAME.exec(source)![0];
    const afterName = from + 1 + raw.length;
    const gt = tagEnd(source, afterName);
    const selfClosing = source.charCodeAt(gt - 1) === 47;
    const tag = source.slice(afterName, selfClosing ? gt - 1 : gt);
    let inner = defaults.at(-1)!;
    if (tag.includes('xmlns')) {
      inner = declare(tag, inner);
      names.clear();
    }
    const name = resolve(raw, inner);
    // An item that was never closed does not swallow the next one.
    if ((name === 'item' || name === 'entry' || name === 'atom:entry') && open.length > 0) {
      const unclosed = open.findLastIndex((it) => it.name === name);
      if (unclosed >= 0) close(open.length - unclosed, from);
    }
    const parent = open.at(-1) ?? null;
    const element: Element = { name, parent, children: [], source, start: gt + 1, end: selfClosing ? gt + 1 : source.length, tag };
    (parent?.children ?? roots).push(element);
    if (!selfClosing && open.length < MAX_DEPTH) {
      open.push(element);
      written.push(raw.toLowerCase());
      defaults.push(inner);
    }
    return gt + 1;
  }

  function endTag(from: number): number {
    NAME.lastIndex = from + 2;
    const name = NAME.exec(source)?.[0].toLowerCase() ?? '';
    const opened = written.lastIndexOf(name);
    if (opened >= 0) close(open.length - opened, from);
    const gt = source.indexOf('>', from + 2);
    return gt < 0 ? source.length : gt + 1;
  }

  /** Learns the prefixes a start tag declares; gives the default namespace inside it. */
  function declare(tag: string, inherited: string): string {
    let inner = inherited;
    for (const [name, uri] of attributesOf(tag)) {
      if (name === 'xmlns') inner = prefixOf(uri) ?? 'other';
      else if (name.startsWith('xmlns:')) {
        const known = prefixOf(uri);
        if (known !== null) prefixes.set(name.slice(6), known);
      }
    }
    return inner;
  }

  function resolve(raw: string, inner: string): string {
    const key = `${inner} ${raw}`;
    const known = names.get(key);
    if (known !== undefined) return known;
    const lower = raw.toLowerCase();
    const colon = lower.indexOf(':');
    const prefix = colon < 0 ? inner : (prefixes.get(lower.slice(0, colon)) ?? lower.slice(0, colon));
    const name = (prefix && `${prefix}:`) + lower.slice(colon + 1);
    names.set(key, name);
    return name;
  }

  while (at >= 0 && at < source.length) {
    const code = source.charCodeAt(at + 1);
    let next = at + 1;
    if (code === 47) next = endTag(at);
    else if (code === 33) next = skipDeclaration(source, at);
    else if (code === 63) next = after(source, '?>', at + 2);
    else if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code > 127) next = startTag(at);
    at = source.indexOf('<', next);
  }
  return roots;
}

/** Where a tag ends: the `>` outside quotes, the next one when a quote is never closed, the end of the text when there is none. */
export function tagEnd(source: string, from: number): number {
  const gt = source.indexOf('>', from);
  if (gt < 0) return source.length;
  let at = from;
  let end = gt;
  for (;;) {
    const quote = nextQuote(source, at, end);
    if (quote < 0) return end;
    const closing = source.indexOf(source[quote]!, quote + 1);
    if (closing < 0 || closing - quote > 10_000) return gt;
    at = closing + 1;
    if (at > end) {
      end = source.indexOf('>', at);
      if (end < 0) return gt;
    }
  }
}

function nextQuote(source: string, from: number, to: number): number {
  for (let i = from; i < to; i += 1) {
    const code = source.charCodeAt(i);
    if (code === 34 || code === 39) return i;
  }
  return -1;
}

function skipDeclaration(source: string, at: number): number {
  if (source.startsWith('<![CDATA[', at)) return after(source, ']]>', at + 9);
  if (source.startsWith('<!--', at)) return after(source, '-->', at + 4);
  if (!/^<!doctype/i.test(source.slice(at, at + 9))) return at + 2;
  const gt = source.indexOf('>', at);
  if (gt < 0) return source.length;
  const subset = source.slice(at, gt).indexOf('[');
  return subset < 0 ? gt + 1 : after(source, ']>', at + subset);
}

function after(source: string, what: string, from: number): number {
  const found = source.indexOf(what, from);
  return found < 0 ? source.length : found + what.length;
}

function prefixOf(uri: string): string | null {
  const lower = uri.toLowerCase();
  return NAMESPACES.find(([part]) => lower.includes(part))?.[1] ?? null;
}

const ATTRIBUTE = /([^\s=/"'<>]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g;

function attributesOf(tag: string): [name: string, value: string][] {
  return Array.from(tag.matchAll(ATTRIBUTE), ([, name, double, single, bare]) => [
    name!.toLowerCase(),
    decodeEntities(double ?? single ?? bare ?? ''),
  ]);
}

/** The value of an attribute by its name as written, in lower case; null when there is none. */
export function attribute(element: Element, name: string): string | null {
  if (element.tag === '') return null;
  return (
    attributesOf(element.tag)
      .find(([each]) => each === name)?.[1]
      ?.trim() ?? null
  );
}

export function child(element: Element, ...names: readonly string[]): Element | null {
  for (const name of names) {
    const found = element.children.find((it) => it.name === name);
    if (found) return found;
  }
  return null;
}

export function childrenOf(element: Element, name: string): Element[] {
  return element.children.filter((it) => it.name === name);
}

/** The name of an element without the prefix of its namespace. */
export function localName(element: Element): string {
  return element.name.slice(element.name.indexOf(':') + 1);
}

/** The markup inside an element, as written. */
export function markupOf(element: Element): string {
  return element.source.slice(element.start, element.end);
}

/** The character data inside an element: CDATA unwrapped, entities decoded once, tags of inner elements kept as written. */
export function textOf(element: Element): string {
  const raw = markupOf(element);
  if (!raw.includes('<!')) return decodeEntities(raw);
  let text = '';
  let at = 0;
  for (;;) {
    const cdata = raw.indexOf('<![CDATA[', at);
    const upTo = cdata < 0 ? raw.length : cdata;
    text += decodeEntities(raw.slice(at, upTo).replace(/<!--[\s\S]*?-->/g, ''));
    if (cdata < 0) return text;
    const end = raw.indexOf(']]>', cdata + 9);
    text += raw.slice(cdata + 9, end < 0 ? raw.length : end);
    if (end < 0) return text;
    at = end + 3;
  }
}
