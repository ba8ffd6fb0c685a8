import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeHtml, plainText, shorten } from './text.ts';

test('HTML becomes its words on one line', () => {
  const cases: Record<string, string> = {
    '<p>One</p><p>two<br>three</p>': 'One two three',
    'un<b>believ</b>able': 'unbelievable',
    'I <3 you, a < b, x<y>z': 'I <3 you, a < b, x z',
    'AT&T &amp; co &#8211; caf&eacute;&nbsp;!': 'AT&T & co – café !',
    '<script>alert("<b>")</script>safe<style>p{}</style>': 'safe',
    'before<script>never closed': 'before never closed',
    '<!-- a > b -->shown<!-- x -->': 'shown',
    '<a title="a > b" href=\'x\'>link</a>': 'link',
    '&lt;em&gt;twice&lt;/em&gt; escaped': 'twice escaped',
    'the &lt;video&gt; element': 'the <video> element',
    'zero\u200bwidth \u0007bell': 'zerowidth bell',
    'a<span style="display:none">b<span>c</span>d</span>e <i style="color:red">f</i>': 'ae f',
    '<b style=font-size:0>never closed': 'never closed',
    'می\u200cخواهم 👩\u200d🚒': 'می\u200cخواهم 👩\u200d🚒',
    '&#146;quoted&#x92; &#0; &#xD800;': '’quoted’ � �',
    '<unclosed tag': '<unclosed tag',
  };
  for (const [html, text] of Object.entries(cases)) assert.equal(plainText(html), text, html);
});

test('escaped text is read back as it was', () => {
  const word = fc.stringMatching(/^[\x21-\x7e]{1,8}$/).filter((it) => !it.includes('<') && !/&\w/.test(it));
  fc.assert(fc.property(fc.array(word), (words) => assert.equal(plainText(escapeHtml(words.join(' '))), words.join(' '))));
});

test('a cut text ends after a word and says that something was left out', () => {
  assert.equal(shorten('one two three', 13), 'one two three');
  assert.equal(shorten('one two, three', 12), 'one two…');
  assert.equal(shorten('😀😀😀😀', 4), '😀…');
});
