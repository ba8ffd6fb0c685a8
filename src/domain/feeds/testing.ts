import type { FeedFormat } from './contract.ts';
import { escapeHtml } from './text.ts';

/** A plausible feed of so many items, the same at every call; for tests and for the benchmark. */
export function sampleFeed(format: FeedFormat, count: number): Uint8Array {
  const items = Array.from({ length: count }, (_, i) => sampleItem(i));
  return Buffer.from(writers[format](items));
}

interface SampleItem {
  readonly id: string;
  readonly title: string;
  readonly url: string;
  readonly date: Date;
  readonly html: string;
}

const WORDS =
  'harbour council storm market river signal kernel orchard bridge winter archive lantern station copper garden planet violin paper engine window'.split(
    ' ',
  );
const START = Date.UTC(2026, 10, 2, 6);

function sampleItem(i: number): SampleItem {
  const words = (from: number, count: number): string =>
    Array.from({ length: count }, (_, k) => WORDS[(from * 7 + k * 3 + ((from * k) % 5)) % WORDS.length]).join(' ');
  return {
    id: `tag:example.org,2026:item-${i}`,
    title: `${words(i, 5)} & more, part ${i}`,
    url: `https://example.org/2026/11/item-${i}?utm_source=feed&page=${i % 3}`,
    date: new Date(START - i * 3_600_000),
    html: `<p>${words(i, 40)}.</p><p>See <a href="/item-${i}">${words(i + 1, 4)}</a> &amp; ${words(i + 2, 60)}.</p>`,
  };
}

const writers: Readonly<Record<FeedFormat, (items: readonly SampleItem[]) => string>> = {
  rss: (items) => `<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Sample</title><link>https://example.org/</link>
${items
  .map(
    (
      it,
    ) => `<item><title>${escapeHtml(it.title)}</title><link>${escapeHtml(it.url)}</link><guid isPermaLink="false">${it.id}</guid><pubDate>${it.date.toUTCString()}</pubDate>
<description>${escapeHtml(it.html)}</description><content:encoded><![CDATA[${it.html}]]></content:encoded></item>`,
  )
  .join('\n')}
</channel></rss>`,
  atom: (items) => `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><id>https://example.org/</id><title>Sample</title><link href="https://example.org/"/>
${items
  .map(
    (
      it,
    ) => `<entry><id>${it.id}</id><title>${escapeHtml(it.title)}</title><link rel="alternate" href="${escapeHtml(it.url)}"/><updated>${it.date.toISOString()}</updated><author><name>Ann Example</name></author>
<content type="html">${escapeHtml(it.html)}</content></entry>`,
  )
  .join('\n')}
</feed>`,
  rdf: (items) => `<?xml version="1.0" encoding="utf-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Sample</title><link>https://example.org/</link></channel>
${items.map((it) => `<item rdf:about="${it.id}"><title>${escapeHtml(it.title)}</title><link>${escapeHtml(it.url)}</link><dc:date>${it.date.toISOString()}</dc:date><description>${escapeHtml(it.html)}</description></item>`).join('\n')}
</rdf:RDF>`,
  json: (items) =>
    JSON.stringify({
      version: 'https://jsonfeed.org/version/1.1',
      title: 'Sample',
      home_page_url: 'https://example.org/',
      items: items.map((it) => ({ id: it.id, url: it.url, title: it.title, content_html: it.html, date_published: it.date.toISOString() })),
    }),
};
