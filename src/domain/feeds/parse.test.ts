import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseFeed } from './parse.ts';
import { sampleFeed } from './testing.ts';

interface Expected {
  readonly nofeed?: true;
  readonly title?: string;
  readonly link?: string;
  readonly items?: readonly { readonly title?: string; readonly link?: string; readonly guid?: string; readonly date?: string }[];
}

const fixture = (name: string): Buffer => readFileSync(new URL(`fixtures/${name}`, import.meta.url));
const parse = (text: string, url?: string) => parseFeed(Buffer.from(text), url === undefined ? {} : { url });
const rss = (items: string, more = ''): string =>
  `<rss version="2.0" ${more}><channel><title>T</title><link>https://example.org/blog/</link>${items}</channel></rss>`;

const corpus = JSON.parse(fixture('expected.json').toString()) as Record<string, Expected>;
for (const [name, expected] of Object.entries(corpus)) {
  test(`reads ${name} as other readers do`, () => {
    if (expected.nofeed) {
      assert.deepEqual(itemsOrNone(fixture(name)), []);
      return;
    }
    const feed = parseFeed(fixture(name));
    if (expected.title !== undefined) assert.equal(feed.title, expected.title);
    if (expected.link !== undefined) assert.equal(feed.link, expected.link);
    assert.equal(feed.items.length, expected.items!.length);
    expected.items!.forEach((want, i) => {
      const { title, url: link, id: guid, date } = feed.items[i]!;
      const got: Record<string, unknown> = { title, link, guid, date };
      for (const [field, value] of Object.entries(want)) assert.equal(got[field], value, `item ${i} ${field}`);
    });
  });
}

/** Of a document in which readers see no feed: an envelope without items is as good as an error. */
function itemsOrNone(bytes: Uint8Array): unknown[] {
  try {
    return parseFeed(bytes).items;
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'feeds.not_a_feed');
    return [];
  }
}

test('a whole item of each format comes out in one shape', () => {
  const atom = parse(`<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://example.org/a/"><title>T</title>
    <link href="/"/><entry><id>urn:1</id><title type="html">A &amp;lt;b&amp;gt; &lt;em&gt;big&lt;/em&gt; day</title><link href="one"/>
    <published>2026-11-02T08:00:00+01:00</published><updated>2026-11-03T08:00:00Z</updated><author><name>Ann</name></author>
    <summary>Short</summary><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Long &amp; good</p></div></content></entry></feed>`);
  assert.deepEqual(atom, {
    format: 'atom',
    title: 'T',
    link: 'https://example.org/',
    items: [
      {
        id: 'urn:1',
        key: 'urn:1',
        title: 'A <b> big day',
        url: 'https://example.org/a/one',
        date: '2026-11-02T07:00:00Z',
        summary: 'Short',
        author: 'Ann',
        contentHtml: '<div xmlns="http://www.w3.org/1999/xhtml"><p>Long &amp; good</p></div>',
      },
    ],
  });
  const json = parse(
    JSON.stringify({
      version: 'https://jsonfeed.org/version/1.1',
      title: 'T',
      home_page_url: 'https://example.org/',
      items: [
        { id: 7, url: '/seven', content_text: 'a < b', date_published: '2026-11-02T08:00:00Z', authors: [{ name: 'Ann' }, { name: 'Bo' }] },
      ],
    }),
  );
  assert.deepEqual(json.items, [
    {
      id: '7',
      key: '7',
      title: null,
      url: 'https://example.org/seven',
      date: '2026-11-02T08:00:00Z',
      summary: 'a < b',
      author: 'Ann, Bo',
      contentHtml: 'a &lt; b',
    },
  ]);
});

test('broken markup loses nothing but itself', () => {
  const feed = parse(
    rss(
      '<item><title>I <3 feeds & tea &nbsp;&eacute;</title><guid>1</guid><item><title>Never </i><b>closed</title><guid>2</guid></item><item><guid>3</guid><description>cut <![CDATA[in the mid',
    ),
  );
  assert.deepEqual(
    feed.items.map((it) => [it.id, it.title]),
    [
      ['1', 'I <3 feeds & tea é'],
      ['2', 'Never closed'],
      ['3', null],
    ],
  );
  assert.equal(feed.items[2]!.summary, 'cut in the mid');
});

test('entities of a DTD are neither expanded nor fetched', () => {
  const feed = parse(
    `<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>${rss('<item><title>&b;&x;</title></item>')}`,
  );
  assert.equal(feed.items[0]!.title, '&b;&x;');
});

test('what is no feed says so, and what it is', () => {
  for (const text of ['', '   ', '<!doctype html><html><body>hi</body></html>', '{"a":1}', '{"broken', 'plain words', '<svg/>', '[]']) {
    assert.throws(() => parse(text), { code: 'feeds.not_a_feed' }, text);
  }
});

test('relative links are resolved against xml:base, the feed and the document, nearest first', () => {
  assert.equal(parse(rss('<item xml:base="https://b.example/x/"><link>y</link></item>')).items[0]!.url, 'https://b.example/x/y');
  assert.equal(parse(rss('<item><link>y</link></item>')).items[0]!.url, 'https://example.org/blog/y');
  assert.equal(
    parse('<rss><channel><item><link>y</link></item></channel></rss>', 'https://doc.example/d/feed.xml').items[0]!.url,
    'https://doc.example/d/y',
  );
  assert.equal(parse('<rss><channel><item><link>y</link></item></channel></rss>').items[0]!.url, null);
  assert.equal(parse(rss('<item><link>javascript:alert(1)</link></item>')).items[0]!.url, null);
});

test('an item keeps its identity when tracking, order or the rest of the feed change', () => {
  const one = parse(rss('<item><title>A</title><link>https://example.org/a?utm_source=rss&amp;id=3#top</link></item>')).items[0]!;
  const other = parse(
    rss('<item><title>New</title></item><item><title>A, corrected</title><link>https://example.org/a?id=3&amp;utm_medium=x</link></item>'),
  ).items[1]!;
  assert.equal(one.key, other.key);
  const bare = '<item><title>No link</title><pubDate>Mon, 02 Nov 2026 08:00:00 GMT</pubDate></item>';
  assert.equal(parse(rss(bare)).items[0]!.id, parse(rss(`<item><title>x</title></item>${bare}`)).items[1]!.id);
});

test('repetitions are dropped; different items under one id get keys of their own', () => {
  const item = (title: string, link: string): string =>
    `<item><guid>same</guid><title>${title}</title><link>https://example.org/${link}</link></item>`;
  const feed = parse(rss(item('A', 'a') + item('A', 'a?utm_campaign=x') + item('B', 'b')));
  assert.deepEqual(
    feed.items.map((it) => it.title),
    ['A', 'B'],
  );
  assert.equal(new Set(feed.items.map((it) => it.key)).size, 2);
  assert.deepEqual(
    feed.items.map((it) => it.id),
    ['same', 'same'],
  );
});

test('every encoding a feed can claim is honoured', () => {
  const text = rss('<item><title>Grüße, naïve café</title></item>');
  const cases: [string, Buffer, string?][] = [
    ['utf-8 mark', Buffer.from(`\ufeff${text}`)],
    ['utf-16le mark', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['utf-16be, unmarked', Buffer.from(text, 'utf16le').swap16()],
    ['declared latin 1', Buffer.from(`<?xml version="1.0" encoding="iso-8859-1"?>${text}`, 'latin1')],
    ['content type', Buffer.from(text, 'latin1'), 'text/xml; charset="windows-1252"'],
    ['claims utf-8, is not', Buffer.from(`<?xml version="1.0" encoding="utf-8"?>${text}`, 'latin1')],
    ['claims utf-16, is utf-8', Buffer.from(`<?xml version="1.0" encoding="utf-16"?>${text}`)],
    ['unknown label', Buffer.from(`<?xml version="1.0" encoding="x-nosuch"?>${text}`)],
  ];
  for (const [name, bytes, contentType = ''] of cases)
    assert.equal(parseFeed(bytes, { contentType }).items[0]!.title, 'Grüße, naïve café', name);
});

test('any titles survive the way through a feed', () => {
  const word = fc.stringMatching(/^[a-zA-Z0-9äöüß日本&<>"'.,-]{1,12}$/u).filter((it) => !/[<&]/.test(it));
  fc.assert(
    fc.property(fc.array(fc.array(word, { minLength: 1, maxLength: 5 }), { maxLength: 20 }), (titles) => {
      const items = titles
        .map((words, i) => `<item><guid>${i}</guid><title>${words.join(' ').replaceAll('&', '&amp;')}</title></item>`)
        .join('\n');
      assert.deepEqual(
        parse(rss(items)).items.map((it) => it.title),
        titles.map((words) => words.join(' ')),
      );
    }),
  );
});

test('no input makes it hang or fail in another way than it says', () => {
  const piece = fc.constantFrom(
    '<rss>',
    '<channel>',
    '<item>',
    '</item>',
    '<title>',
    '</title>',
    '<![CDATA[',
    ']]>',
    '<!--',
    '-->',
    '<!DOCTYPE',
    '[',
    '<a "',
    "<a '",
    '&',
    '&#',
    'x',
    ' ',
    '<?xml',
    '?>',
    '<',
    '>',
    '/',
    '{',
    '"',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 400 }), (pieces) => {
      try {
        parse(pieces.join(''));
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'feeds.not_a_feed');
      }
    }),
  );
  for (const bomb of ['<a "', '<script>', '<![CDATA[', '<!--', '<item><title>', '&#x', '<!doctype [', '<div>']) {
    parse(rss(`<item><description>${bomb.repeat(10_000)}`));
  }
});

test('the sample feeds of other tests and the benchmark are real feeds', () => {
  for (const format of ['rss', 'atom', 'rdf', 'json'] as const) {
    const feed = parseFeed(sampleFeed(format, 200));
    assert.equal(feed.format, format);
    assert.equal(new Set(feed.items.map((it) => it.key)).size, 200);
    assert.ok(feed.items.every((it) => it.title && it.url && it.date && it.summary));
  }
});
