import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readPage } from './page.ts';

const article = readFileSync(new URL('fixtures/article.html', import.meta.url));

test('the article of a page comes out without its furniture', async () => {
  const page = await readPage(article, { url: 'https://courier.example/news/clock' });
  assert.equal(page.title, 'Why the harbour clock runs late');
  assert.equal(page.byline, 'Ines Example');
  assert.equal(page.date, '2026-11-02T06:15:00Z');
  assert.match(page.text, /^For eleven years .* is the ferry\.\n\nA pendulum and a pier\n\nEach morning/s);
  for (const noise of [/Sport/, /newsletter/, /Copyright/, /tracking/, /steal/, /color/])
    assert.doesNotMatch(page.text + page.markdown, noise);
});

test('what a reader would not see is no part of a page', async () => {
  const tags = Array.from('obey', (it) => String.fromCodePoint(it.charCodeAt(0) + 0xe0000)).join('');
  const hidden = [
    '<p style="display:none">HIDDEN 1</p>',
    '<span style="color:#fff;background:white">HIDDEN 2</span>',
    '<div class="quiet"><b>HIDDEN 3</b></div>',
    '<p hidden>HIDDEN 4</p>',
    '<!-- HIDDEN 5 -->',
    '<p style="position:absolute;left:-9999px">HIDDEN 6</p>',
    '<template>HIDDEN 7</template>',
  ];
  const seen = Array.from(
    { length: 12 },
    (_, n) => `<p>Paragraph ${n} tells of the harbour, its clock, and the people who wind it every day.</p>`,
  );
  const { text, markdown } = await readPage(
    `<html><head><style>.quiet{font-size:0} .x:hover{display:none}</style></head><body><article>${seen.map((it, n) => it + (hidden[n] ?? '')).join('')}<p>clo\u200Bck${tags}</p></article></body></html>`,
  );
  for (const it of [text, markdown]) {
    assert.doesNotMatch(it, /HIDDEN|[\u200B\u{E0000}-\u{E007F}]/u);
    assert.ok(it.endsWith('clock'));
    assert.equal(it.match(/Paragraph/g)!.length, 12);
  }
});

test('Markdown keeps structure and drops every address that is not for reading', async () => {
  const { markdown } = await readPage(article, { url: 'https://courier.example/news/clock' });
  for (const part of [
    '## A pendulum and a pier',
    '[ties up](https://courier.example/ferry?x=1)',
    '**four millimetres**',
    'const late = boats * 11;',
    'Boat | Seconds',
    '-   The pier will be braced in spring.',
    '![The sign](https://courier.example/sign.jpg)',
    'Watch the film or this one.',
  ])
    assert.ok(markdown.includes(part), `${part} in ${markdown}`);
  assert.doesNotMatch(markdown, /javascript:|data:/i);
});

test('a page without an article gives its words', async () => {
  const page = await readPage('<title>Board</title><nav>menu</nav><p>Platform 4: on time</p><p>Platform 5: late</p>');
  assert.deepEqual([page.title, page.text], ['Board', 'Platform 4: on time\n\nPlatform 5: late']);
});

test('a page in an old encoding is read by what it declares', async () => {
  const page = await readPage(
    Buffer.from('<html><head><meta charset="iso-8859-1"><title>Übersicht</title></head><body><p>Für später</p></body></html>', 'latin1'),
  );
  assert.deepEqual([page.title, page.text], ['Übersicht', 'Für später']);
});

test('a page without words says so', async () => {
  for (const html of ['', '<html><body><div id="app"></div><script>run()</script></body></html>']) {
    await assert.rejects(readPage(html), { code: 'feeds.unreadable_page' });
  }
});

test('a page nested without end costs one failure', async () => {
  const deep = readPage('<div>'.repeat(50_000));
  await assert.rejects(deep, { code: 'feeds.unreadable_page' });
});
