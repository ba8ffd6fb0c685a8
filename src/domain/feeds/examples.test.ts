import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseOpml } from './opml.ts';
import { parseFeed } from './parse.ts';

const folder = new URL('../../../examples/feeds/', import.meta.url);

test('the sample feeds are whole, and the outline lists them all', () => {
  const listed = parseOpml(readFileSync(new URL('feeds.opml', folder), 'utf8'), new URL('feeds.opml', folder).href);
  const files = readdirSync(folder)
    .filter((it) => /\.(xml|atom|rdf|json)$/.test(it))
    .map((it) => new URL(it, folder).href);
  assert.deepEqual(listed.map((it) => it.xmlUrl).toSorted(), files.toSorted());
  const feeds = listed.map((it) => parseFeed(readFileSync(new URL(it.xmlUrl))));
  assert.deepEqual(
    feeds.map((it) => it.title),
    listed.map((it) => it.title),
  );
  assert.deepEqual(new Set(feeds.map((it) => it.format)), new Set(['rss', 'atom', 'rdf', 'json']));
  const items = feeds.flatMap((it) => it.items);
  assert.ok(items.length >= 60);
  assert.equal(new Set(items.map((it) => it.key)).size, items.length);
  for (const { title, url, date, summary } of items) assert.ok(title && url && summary && date?.startsWith('2026-11'), title ?? '');
});
