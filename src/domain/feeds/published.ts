import { parseDate } from './dates.ts';
import type { PageDocument } from './dom.ts';

/** Where pages say when they were published, surest first. */
const PLACES: readonly (readonly [selector: string, attribute: string])[] = [
  ['meta[property="article:published_time"]', 'content'],
  ['meta[property="og:published_time"]', 'content'],
  ['meta[itemprop="datePublished"]', 'content'],
  ['[itemprop="datePublished"][datetime]', 'datetime'],
  ['meta[name="parsely-pub-date"]', 'content'],
  ['meta[name="dc.date"]', 'content'],
  ['meta[name="dc.date.issued"]', 'content'],
  ['meta[name="dcterms.created"]', 'content'],
  ['meta[name="date"]', 'content'],
  ['meta[name="pubdate"]', 'content'],
  ['meta[name="publish-date"]', 'content'],
  ['time[pubdate][datetime]', 'datetime'],
  ['article time[datetime]', 'datetime'],
  ['main time[datetime]', 'datetime'],
];

/** When a page says it was published: ISO 8601, UTC. To be asked before scripts are removed. */
export function readPublished(document: PageDocument): string | null {
  for (const [selector, name] of PLACES) {
    const date = parseDate(document.querySelector(selector)?.getAttribute(name) ?? '');
    if (date) return date;
  }
  for (const script of document.querySelectorAll('script[type="application/ld+json"]')) {
    const date = parseDate(/"datePublished"\s*:\s*"([^"]{8,40})"/.exec(script.textContent ?? '')?.[1] ?? '');
    if (date) return date;
  }
  return null;
}
