import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalPattern, channelResource, nameMatcher, hostResource, resourceMatcher } from './patterns.ts';

describe('resources', () => {
  it('has one name for one host, however it is written', () => {
    for (const [url, canonical] of [
      ['https://Example.COM/a?b#c', 'example.com:443'],
      ['https://example.com.:443/', 'example.com:443'],
      ['http://example.com', 'example.com:80'],
      ['http://example.com:8080/x', 'example.com:8080'],
      ['https://bücher.example/', 'xn--bcher-kva.example:443'],
      ['https://user:pass@example.com@evil.example/', 'evil.example:443'],
      ['http://2130706433/', '127.0.0.1:80'],
      ['http://0x7f.1/', '127.0.0.1:80'],
      ['http://[::FFFF:127.0.0.1]/', '[::ffff:7f00:1]:80'],
      ['http:\\\\evil.example\\@good.example', 'evil.example:80'],
      ['file:///etc/passwd', null],
      ['javascript:alert(1)', null],
      ['no address', null],
    ] as const)
      assert.equal(hostResource(url), canonical, url);
  });

  it('covers what it names and nothing that only looks alike', () => {
    for (const [pattern, yes, no] of [
      ['*', ['anything', 'a:1'], []],
      ['example.com', ['example.com:443', 'example.com:80'], ['notexample.com:443', 'example.com.evil.org:443', 'a.example.com:443']],
      ['EXAMPLE.com:443', ['example.com:443'], ['example.com:80']],
      [
        '*.example.com:443',
        ['a.example.com:443', 'a.b.example.com:443'],
        ['example.com:443', 'badexample.com:443', 'a.example.com:80', '.example.com:443'],
      ],
      ['*.example.com', ['a.example.com:8443'], ['example.com:443']],
      ['https://example.com', ['example.com:443'], ['example.com:80']],
      ['[::1]:80', ['[::1]:80'], ['[::1]:81']],
      ['telegram:*', ['telegram:42'], ['telegram', 'telegram:', 'telegramx:42']],
      ['telegram', ['telegram'], ['telegram:42']],
      ['/home/ann/notes/**', ['/home/ann/notes', '/home/ann/notes/a/b'], ['/home/ann/notes2', '/home/ann', '/home/ann/notesx/a']],
      ['/home/./ann//notes', ['/home/ann/notes'], ['/home/ann/notes/a']],
    ] as const) {
      const canonical = canonicalPattern(pattern);
      assert.ok(canonical, pattern);
      assert.equal(canonicalPattern(canonical), canonical, `${pattern} is stable`);
      const covers = resourceMatcher(canonical);
      for (const each of yes) assert.ok(covers(each), `${pattern} covers ${each}`);
      for (const each of no) assert.ok(!covers(each), `${pattern} does not cover ${each}`);
    }
  });

  it('refuses a wildcard that stands nowhere in particular, and what would be wider than it looks', () => {
    for (const bad of [
      '',
      ' ',
      '**',
      'exam*ple.com',
      'example.*',
      '*example.com',
      'a.*.com',
      '/a/*/b',
      '/a/../b',
      '/a*',
      'telegram:4*',
      'https://example.com/path',
      'example.com/path',
      'https://u@example.com',
    ])
      assert.equal(canonicalPattern(bad), null, bad);
  });

  it('a canonical resource is its own pattern and covers itself alone', () => {
    const host = fc
      .tuple(fc.domain(), fc.integer({ min: 1, max: 65_535 }))
      .map(([name, port]) => `${hostResource(`http://${name}:${port}`)}`);
    fc.assert(
      fc.property(host, host, (one, other) => {
        assert.equal(canonicalPattern(one), one);
        assert.equal(resourceMatcher(one)(other), one === other);
      }),
    );
  });

  it('names a channel’s own people by the channel, and any other chat apart', () => {
    assert.deepEqual(
      [channelResource(undefined, undefined), channelResource('Home', undefined), channelResource('home', ' 42 ')],
      ['default', 'home', 'home:42'],
    );
  });
});

describe('principals and capabilities', () => {
  it('end where their kind does', () => {
    for (const [pattern, who, is] of [
      ['*', 'token:1', true],
      ['workflow:*', 'workflow:1', true],
      ['workflow:*', 'workflow:', false],
      ['workflow:*', 'workflows:1', false],
      ['channel:7:*', 'channel:7:42', true],
      ['channel:7:*', 'channel:77:42', false],
      ['skill:web', 'skill:web_fetch', false],
    ] as const)
      assert.equal(nameMatcher(pattern)(who), is, `${pattern} ${who}`);
    const net = nameMatcher('net:*');
    assert.deepEqual([net('net:fetch'), net('network:fetch'), nameMatcher('net:fetch')('net:fetchall')], [true, false, false]);
  });
});
