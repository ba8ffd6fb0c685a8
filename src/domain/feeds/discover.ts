import type { FeedLink } from './contract.ts';
import { collapse } from './text.ts';
import { resolveUrl } from './urls.ts';
import { attribute, scanXml, type Element } from './xml.ts';

const FEED_TYPE = /^(application\/(rss|atom|rdf|feed)\+(xml|json)|application\/x?-?rss|text\/(rss|atom)\+?x?m?l?)\s*(;|$)/i;

/** The feeds that an HTML page points at with `<link rel="alternate">`, in its order (the RSS Advisory Board's autodiscovery). */
export function discoverFeeds(html: string, pageUrl: string): FeedLink[] {
  const elements = scanXml(html).flatMap(withDescendants);
  const base = elements.find((it) => it.name === 'base');
  const baseUrl = resolveUrl(base ? attribute(base, 'href') : null, pageUrl) ?? pageUrl;
  const found = elements.flatMap((it): FeedLink[] => {
    if (it.name !== 'link' && it.name !== 'xhtml:link') return [];
    const type = attribute(it, 'type') ?? '';
    const rels = (attribute(it, 'rel') ?? '').toLowerCase().split(/\s+/);
    const url = resolveUrl(attribute(it, 'href'), baseUrl);
    if (!url || !FEED_TYPE.test(type) || !(rels.includes('alternate') || rels.includes('feed'))) return [];
    return [{ url, title: collapse(attribute(it, 'title') ?? '') || null, type: type.toLowerCase() }];
  });
  return found.filter((it, index) => found.findIndex((other) => other.url === it.url) === index);
}

function withDescendants(element: Element): Element[] {
  return [element, ...element.children.flatMap(withDescendants)];
}
