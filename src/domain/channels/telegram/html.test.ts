import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anyText } from '#core/testing';
import { readTelegramHtml } from './fake-html.ts';
import { LONGEST_TEXT, toTelegram } from './html.ts';

const htmlOf = (markdown: string): string =>
  toTelegram(markdown)
    .map(({ text }) => text)
    .join('|');

/** The text as the reader sees it, without blanks. */
function shown(html: string): string {
  const read = readTelegramHtml(html);
  assert.ok('text' in read, `${'error' in read ? read.error : ''}: ${html.slice(0, 300)}`);
  return read.text.replace(/\s/g, '');
}

const word = fc.oneof(
  fc.constantFrom(
    '**',
    '*',
    '_',
    '`',
    '```',
    '~~',
    '[',
    '](https://x.y/a?b="<',
    ')',
    '<b>',
    '&amp;',
    '&',
    '<',
    '\n',
    '\n\n',
    '# ',
    '> ',
    '- ',
    '| a | b |\n|---|---|\n',
    '\\',
    '👩‍👩‍👧',
    '```js\n',
  ),
  fc.string({ maxLength: 20, unit: 'grapheme' }),
  anyText({ maxLength: 20 }),
);
const markdown = fc.array(word, { maxLength: 60 }).map((words) => words.join(''));

describe('Markdown as Telegram HTML', () => {
  it('reads what models write', () => {
    assert.equal(
      htmlOf('# Title\n\nSome **bold**, *italic*, ~~gone~~ and `code <x>`.'),
      '<b>Title</b>\n\nSome <b>bold</b>, <i>italic</i>, <s>gone</s> and <code>code &lt;x&gt;</code>.',
    );
    assert.equal(htmlOf('- one\n* two\n  - [x] three\n1. four'), '• one\n• two\n  ☑ three\n1. four');
    assert.equal(htmlOf('```ts\nif (a < b) {}\n```\nafter'), '<pre><code class="language-ts">if (a &lt; b) {}</code></pre>\nafter');
    assert.equal(
      htmlOf('[a *b*](https://e.org/x_(y)?q="1") & <https://e.org>'),
      '<a href="https://e.org/x_(y)?q=&quot;1&quot;">a </a><i><a href="https://e.org/x_(y)?q=&quot;1&quot;">b</a></i> &amp; <a href="https://e.org">https://e.org</a>'.replace(
        '<i><a href="https://e.org/x_(y)?q=&quot;1&quot;">b</a></i>',
        '<a href="https://e.org/x_(y)?q=&quot;1&quot;"><i>b</i></a>',
      ),
    );
    assert.equal(htmlOf('> one\n> two\n\nthree'), '<blockquote>one\ntwo</blockquote>\n\nthree');
    assert.equal(htmlOf('| Name | n |\n|---|--:|\n| Ada | 1 |'), '<pre>Name  n\n────  ─\nAda   1</pre>');
  });

  it('leaves alone what only looks like Markdown', () => {
    assert.equal(htmlOf('snake_case_name 2*3*4 a * b'), 'snake_case_name 2<i>3</i>4 a * b');
    assert.equal(htmlOf('an **open end'), 'an **open end');
    assert.equal(htmlOf('[run](javascript:alert(1))'), 'run');
    assert.equal(htmlOf('\\*not\\*'), '*not*');
  });

  it('shows a fence that was never closed, and text that is nothing but marks', () => {
    assert.equal(htmlOf('```\ncode'), '<pre>code</pre>');
    assert.equal(shown(htmlOf('```')), '```');
    assert.deepEqual(toTelegram('  \n '), []);
  });

  it('is valid in every part and never too long, whatever the Markdown', () => {
    fc.assert(
      fc.property(markdown, fc.nat(6), (text, doublings) => {
        const parts = toTelegram(Array.from({ length: 2 ** doublings }, () => text).join(' '));
        for (const { text: html, plain } of parts) {
          assert.ok(html.length <= LONGEST_TEXT && plain.length <= LONGEST_TEXT);
          assert.ok(shown(html) !== '' || plain.trim() !== '');
        }
        if (text.trim() !== '') assert.ok(parts.length > 0);
      }),
      { numRuns: 300 },
    );
  });

  it('loses no word in the cutting, and cuts no character in half', () => {
    const plainWord = fc
      .string({ minLength: 1, maxLength: 300, unit: 'grapheme' })
      .map((text) => text.replace(/[\s\\`![<*_~|>#\-+=&:;]/g, 'x') || 'x');
    fc.assert(
      fc.property(fc.array(fc.tuple(plainWord, fc.constantFrom(' ', '\n', '\n\n', '. ')), { minLength: 40, maxLength: 200 }), (words) => {
        const text = words.map(([each, space]) => each + space).join('');
        const whole = toTelegram(text)
          .map(({ text: html }) => shown(html))
          .join('');
        assert.equal(whole, text.replace(/\s/g, ''));
        assert.ok(toTelegram(text).every(({ text: html }) => html.isWellFormed() || !text.isWellFormed()));
      }),
      { numRuns: 60 },
    );
  });

  it('cuts at paragraphs and goes on in the same style', () => {
    const paragraph = `${'word '.repeat(500).trim()}.`;
    const parts = toTelegram([paragraph, paragraph, paragraph].join('\n\n'));
    assert.deepEqual(
      parts.map(({ text }) => text),
      [paragraph, paragraph, paragraph],
    );
    const code = toTelegram(`\`\`\`py\n${'print("x")\n'.repeat(800)}\`\`\``);
    assert.ok(code.length > 1);
    for (const { text } of code) assert.match(text, /^<pre><code class="language-py">[\s\S]*<\/code><\/pre>$/);
  });
});
