import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalUrl, resolveUrl } from './urls.ts';

test('two links to one page have one canonical address', () => {
  const cases: Record<string, string> = {
    'HTTPS://Example.org:443/a?utm_source=x&b=2&fbclid=y#top': 'https://example.org/a?b=2',
    'http://example.org:80': 'http://example.org/',
    'https://example.org/a?': 'https://example.org/a',
    'https://example.org/?b=2&a=1&a=1': 'https://example.org/?b=2&a=1&a=1',
    'https://user:pw@example.org/': 'https://example.org/',
    'https://example.org/app#!/page': 'https://example.org/app#!/page',
    'https://example.org/?utm=1&ref=x&q=utm_source': 'https://example.org/?utm=1&ref=x&q=utm_source',
    'https://example.org/a%20b?c=%C3%A9': 'https://example.org/a%20b?c=%C3%A9',
    ' urn:x ': 'urn:x',
  };
  for (const [url, canonical] of Object.entries(cases)) assert.equal(canonicalUrl(url), canonical, url);
});

test('a canonical address is its own canonical address', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
      assert.equal(canonicalUrl(canonicalUrl(url)), canonicalUrl(url));
      assert.equal(canonicalUrl(`${url.split(/[?#]/)[0]}?utm_source=x`), canonicalUrl(url.split(/[?#]/)[0]!));
    }),
  );
});

test('only absolute web addresses come out of resolving', () => {
  assert.equal(resolveUrl('b', '../x/', 'https://example.org/a/c/'), 'https://example.org/a/x/b');
  assert.equal(resolveUrl('//cdn.example/x', 'https://example.org/'), 'https://cdn.example/x');
  for (const [text, base] of [
    ['b', null],
    ['javascript:x', 'https://example.org/'],
    ['', 'https://example.org/'],
    ['mailto:a@b', null],
    [null, 'https://example.org/'],
  ] as const)
    assert.equal(resolveUrl(text, base), null);
});
