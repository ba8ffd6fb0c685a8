// Feeds of 200 items, parsed with repair, normalising and de-duplication, beside feedsmith alone on the same bytes.
import { parseFeed as parseWithFeedsmith } from 'feedsmith';
import { parseFeed } from '#feeds';
import { median, type Bench } from './figure.ts';

const ITEMS = 200;

const bench: Bench = {
  name: 'Feed parsing: 200 items',
  goal: 'at most 1.3 of the time feedsmith takes',
  async run({ quick }) {
    const feeds = [rss(), atom()].map((text) => ({ text, bytes: new TextEncoder().encode(text) }));
    const pairs: { base: number; ours: number }[] = [];
    for (let i = 0; i < (quick ? 30 : 150); i += 1) {
      for (const { text, bytes } of feeds) {
        const base = time(() => parseWithFeedsmith(text));
        const ours = time(() => parseFeed(bytes, { contentType: 'application/xml' }));
        if (i >= 10) pairs.push({ base, ours });
      }
    }
    const of = (pick: (pair: (typeof pairs)[number]) => number): number => median(pairs.map(pick));
    return {
      baseline: of((p) => p.base),
      value: of((p) => p.ours),
      unit: 'ms',
      ratio: of((p) => p.ours / p.base),
      extra: { bytes: feeds.map(({ bytes }) => bytes.length) },
    };
  },
};
export default bench;

function time(fn: () => unknown): number {
  const started = performance.now();
  fn();
  return performance.now() - started;
}

const words = (seed: number, count: number): string =>
  Array.from(
    { length: count },
    (_, i) => ['castle', 'keeper', 'wall', 'gate', 'tower', 'bridge', 'moat', 'hall'][(seed * 7 + i * 3) % 8],
  ).join(' ');

function rss(): string {
  const items = Array.from(
    { length: ITEMS },
    (_, i) =>
      `<item><title>${words(i, 9)} ${i}</title><link>https://example.org/${i}?utm_source=rss</link><guid isPermaLink="false">tag:example.org,2026:${i}</guid><pubDate>Sat, 21 Nov 2026 ${String(i % 24).padStart(2, '0')}:00:00 GMT</pubDate><dc:creator>${words(i, 2)}</dc:creator><description><![CDATA[<p>${words(i, 60)} <a href="/x">link</a></p>]]></description></item>`,
  );
  return `<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Bench</title><link>https://example.org/</link><description>d</description>${items.join('')}</channel></rss>`;
}

function atom(): string {
  const items = Array.from(
    { length: ITEMS },
    (_, i) =>
      `<entry><title>${words(i, 9)} ${i}</title><link href="https://example.org/${i}"/><id>tag:example.org,2026:${i}</id><updated>2026-11-21T${String(i % 24).padStart(2, '0')}:00:00Z</updated><author><name>${words(i, 2)}</name></author><summary type="html">&lt;p&gt;${words(i, 60)}&lt;/p&gt;</summary></entry>`,
  );
  return `<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Bench</title><id>tag:example.org,2026:feed</id><updated>2026-11-21T00:00:00Z</updated>${items.join('')}</feed>`;
}
