import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { discoverFeeds } from './discover.ts';
import { parseOpml, toOpml } from './opml.ts';

test('an outline of subscriptions is read with its folders, whatever its shape', () => {
  const text = `<?xml version="1.0"?><!-- old --><opml version="1.1"><head><title>x</title></head><body>
    <outline text="News &amp; views"><outline text="Wire" xmlUrl="https://wire.example/rss" htmlUrl="https://wire.example/"/>
      <outline title="Deep" text="ignored"><outline text="" title="" xmlUrl="feed://deep.example/a"/></outline></outline>
    <outline text="Again" xmlUrl="https://wire.example/rss"/>
    <outline text="Bad" xmlUrl="javascript:alert(1)"/><outline text="Just a heading & a stray <"/>
    <outline text="Near" XMLURL="near.xml">`;
  assert.deepEqual(parseOpml(text, 'https://host.example/lists/all.opml'), [
    { title: 'Wire', xmlUrl: 'https://wire.example/rss', htmlUrl: 'https://wire.example/', folders: ['News & views'] },
    { title: 'http://deep.example/a', xmlUrl: 'http://deep.example/a', htmlUrl: null, folders: ['News & views', 'Deep'] },
    { title: 'Near', xmlUrl: 'https://host.example/lists/near.xml', htmlUrl: null, folders: [] },
  ]);
  assert.throws(() => parseOpml('<rss/>'), { code: 'feeds.not_opml' });
});

test('what is written is read back', () => {
  const name = fc
    .stringMatching(/^[A-Za-zäöü&<>"'][A-Za-z äöü&<>"']{0,10}[A-Za-zé]$/)
    .map((it) => it.replace(/\s+/g, ' '))
    .filter((it) => !/&\w+;/.test(it));
  const url = fc.stringMatching(/^[a-z]{1,8}[?]a=[a-z&=]{0,8}$/).map((it) => `https://example.org/${it}`);
  const subscription = fc.record(
    { title: name, xmlUrl: url, htmlUrl: fc.option(url), folders: fc.array(name, { maxLength: 3 }) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.uniqueArray(subscription, { maxLength: 8, selector: (it) => it.xmlUrl }), name, (subscriptions, title) => {
      const byUrl = (list: readonly { xmlUrl: string }[]) => list.toSorted((a, b) => (a.xmlUrl < b.xmlUrl ? -1 : 1));
      assert.deepEqual(byUrl(parseOpml(toOpml(title, subscriptions))), byUrl(subscriptions));
    }),
  );
});

test('the feeds of a page are found, other alternates are not', () => {
  const html = `<!doctype html><html><head><base href="/site/"><meta charset=utf-8>
    <link rel="alternate" type="application/rss+xml" title="News &amp; more" href="news.xml">
    <LINK REL='feed alternate' TYPE='application/atom+xml' HREF='https://cdn.example/a.atom'/>
    <link rel=alternate type=application/feed+json href=/f.json>
    <link rel="alternate" hreflang="de" href="/de"><link rel="alternate" type="application/json+oembed" href="/o">
    <link rel="alternate" type="application/rss+xml" href="news.xml"><link rel="stylesheet" href="x.css"></head><body><p>1 < 2`;
  assert.deepEqual(discoverFeeds(html, 'https://example.org/x/y'), [
    { url: 'https://example.org/site/news.xml', title: 'News & more', type: 'application/rss+xml' },
    { url: 'https://cdn.example/a.atom', title: null, type: 'application/atom+xml' },
    { url: 'https://example.org/f.json', title: null, type: 'application/feed+json' },
  ]);
});
