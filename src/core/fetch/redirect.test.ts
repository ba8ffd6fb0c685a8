import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextHop, parseUrl, redirectTarget, type Hop } from './redirect.ts';

const hop: Hop = {
  url: new URL('https://a.example/start'),
  method: 'GET',
  headers: { accept: 'text/xml', authorization: 'Bearer x', cookie: 'a=1', 'x-api-key': 'k', 'user-agent': 'C' },
  body: null,
  allowPrivate: true,
};

test('another origin is told nothing that could be a credential', () => {
  for (const url of ['https://b.example/', 'http://a.example/start', 'https://a.example:8443/']) {
    assert.deepEqual(nextHop(hop, 302, new URL(url)).headers, { accept: 'text/xml', 'user-agent': 'C' }, url);
  }
  assert.deepEqual(nextHop(hop, 302, new URL('https://a.example/next')).headers, hop.headers);
});

test('the way to a private address holds for its host and port alone', () => {
  assert.equal(nextHop(hop, 302, new URL('https://a.example/next')).allowPrivate, true);
  assert.equal(nextHop(hop, 302, new URL('http://a.example/')).allowPrivate, true);
  for (const url of ['https://a.example:6379/', 'https://b.a.example/'])
    assert.equal(nextHop(hop, 302, new URL(url)).allowPrivate, false, url);
});

test('a body is sent again only where the status says so, and never to another origin', () => {
  const post: Hop = { ...hop, method: 'POST', body: 'x', headers: { ...hop.headers, 'content-type': 'a/b' } };
  const methods = [301, 302, 303, 307, 308].map((status) => nextHop(post, status, new URL('https://a.example/n')).method);
  assert.deepEqual(methods, ['GET', 'GET', 'GET', 'POST', 'POST']);
  assert.equal(nextHop(post, 303, new URL('https://a.example/n')).headers['content-type'], undefined);
  assert.throws(() => nextHop(post, 307, new URL('https://b.example/')), { code: 'fetch.blocked' });
  assert.equal(nextHop({ ...post, method: 'PUT' }, 303, new URL('https://a.example/n')).body, null);
});

test('only web addresses without a password are fetched', () => {
  for (const text of ['', 'x', '/x', 'ftp://a.example/', 'javascript:1', 'https://u:p@a.example/', 'https://u@a.example/'])
    assert.throws(() => parseUrl(text), { code: 'fetch.bad_url' }, text);
  assert.equal(parseUrl('/b#c', new URL('https://a.example/a')).href, 'https://a.example/b');
  assert.equal(redirectTarget(302, Buffer.from('/é').toString('latin1')), '/é');
  assert.equal(redirectTarget(304, '/x'), null);
});
