import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Json } from '#core/json';
import { createFeedParser } from '#feeds';
import { sampleFeed } from '#feeds/testing';
import { testContext, type WebPage } from '../testing.ts';
import { webFetch } from './index.ts';

const URL = 'https://example.org/x';
const parser = createFeedParser();
after(() => parser.close());
const skill = webFetch({ parser });
const ARTICLE =
  '<!doctype html><html><head><title>The bridge</title></head><body><nav>Menu Menu</nav><article><h1>The bridge</h1><p>The old bridge over the river opens <a href="/more">again</a> after two years of work.</p><p>It carries trams and walkers, and no cars at all.</p></article><script>alert(1)</script></body></html>';

async function get(page: WebPage, config: Json = {}, input: Json = URL) {
  const context = testContext({ web: { [URL]: page } });
  const result = await skill.run({ config: skill.config.parse(config), input, context });
  return {
    outcome: result.outcome,
    context,
    ...(result.output as { text: string; title: string | null; status: number; leftOut: number }),
  };
}

test('hands on the article as words, as Markdown with absolute links, or as it was sent', async () => {
  const words = await get({ body: ARTICLE });
  assert.equal(words.outcome, 'on_success');
  assert.equal(words.title, 'The bridge');
  assert.match(words.text, /opens again after two years/);
  assert.doesNotMatch(words.text, /Menu|alert/);
  assert.match((await get({ body: ARTICLE }, { as: 'markdown' })).text, /\[again\]\(https:\/\/example\.org\/more\)/);
  assert.equal((await get({ body: ARTICLE }, { as: 'html' })).text, ARTICLE);
});

test('reads feeds, JSON and plain text, in their own charset', async () => {
  assert.match(
    (await get({ body: sampleFeed('atom', 2), contentType: 'application/atom+xml' })).text,
    /^- \[.*\]\(https:\/\/example\.org\//,
  );
  assert.equal((await get({ body: '{"a":1}', contentType: 'application/json' })).text, '{"a":1}');
  assert.equal((await get({ body: Uint8Array.of(0xe9, 0x74, 0xe9), contentType: 'text/plain; charset=iso-8859-1' })).text, 'été');
  assert.equal((await get({ body: '<note>not a feed</note>', contentType: 'application/xml' })).text, '<note>not a feed</note>');
  await assert.rejects(get({ body: 'GIF89a', contentType: 'image/gif' }), { code: 'skill.not_text' });
});

test('a page that is gone is an outcome, one that fails an error', async () => {
  for (const status of [404, 410])
    assert.deepEqual([(await get({ status })).outcome, (await get({ status })).status], ['on_not_found', status]);
  for (const status of [403, 500]) await assert.rejects(get({ status }), { code: 'skill.http_status' });
});

test('takes its address from the step, the input, or the item that is the input', async () => {
  for (const [config, input] of [
    [{ url: URL }, null],
    [{}, URL],
    [{}, { url: URL }],
  ] as const)
    assert.equal((await get({ body: 'x', contentType: 'text/plain' }, config, input)).text, 'x');
  for (const input of [null, '', {}, 7]) await assert.rejects(get({}, {}, input), { code: 'skill.no_url' });
});

test('cuts a text that is too long and says by how much', async () => {
  const { text, leftOut } = await get({ body: 'z'.repeat(250), contentType: 'text/plain' }, { maxChars: 100 });
  assert.ok(text.startsWith('z'.repeat(100)));
  assert.equal(leftOut, 150);
});
