import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { FetchRequest } from '#core/fetch';
import type { Json } from '#core/json';
import { secret } from '#core/secret';
import { createHandles, type Borrower } from '#vault';
import { covers, hostAllowed, SecretHosts, SecretScope } from './scope.ts';
import { sendingFetch } from './sending.ts';

const VALUE = 'v4lue of the secret+/=?&';

function setup(hosts = 'api.example.com') {
  const handles = createHandles();
  const sent: FetchRequest[] = [];
  const lent: [string, Borrower][] = [];
  const fetch = sendingFetch({
    handles,
    as: ['skill:web_fetch'],
    fetch: async (request) => {
      sent.push(request);
      return { status: 200, headers: new Headers(), url: request.url, contentType: '', notModified: false, body: new Uint8Array() };
    },
    lend: async (name, by) => {
      lent.push([name, by]);
      if (by.onlyNamedHosts && !hostAllowed(hosts, new URL(by.to!))) throw new Error(`not to ${by.to}`);
      return secret(VALUE);
    },
  });
  const ask = (request: Partial<FetchRequest> & { url: string }) =>
    fetch({ signal: new AbortController().signal, timeoutMs: 1_000, maxBytes: 1_000, ...request });
  const hold = (text: string): string => handles.hold(text) as string;
  return { handles, hold, ask, sent, lent };
}

describe('a secret in a request', () => {
  it('is put into headers, the query and the body, as each of them is written, and no redirect is followed', async () => {
    const t = setup();
    await t.ask({
      url: t.hold('https://api.example.com/v1?key=@secret:api&q=1'),
      headers: {
        authorization: t.hold('Bearer @secret:api'),
        'x-login': t.hold('Basic ann:@secret:api'),
        'content-type': 'application/json',
      },
      body: t.hold('{"token":"@secret:api"}'),
    });
    const [{ url, headers, body, maxRedirects }] = t.sent as [FetchRequest];
    assert.equal(new URL(url).searchParams.get('key'), VALUE);
    assert.deepEqual(headers?.['authorization'], `Bearer ${VALUE}`);
    assert.equal(headers?.['x-login'], `Basic ${Buffer.from(`ann:${VALUE}`).toString('base64')}`);
    assert.deepEqual(JSON.parse(body as string), { token: VALUE });
    assert.equal(maxRedirects, 0);
    assert.deepEqual(
      t.lent.map(([name, by]) => [name, by.as[0], by.purpose]),
      [['api', 'skill:web_fetch', 'fetch api.example.com']],
    );
  });

  it('goes to no host that was not named, and is no part of a host', async () => {
    const t = setup();
    await assert.rejects(t.ask({ url: 'https://evil.example/', headers: { a: t.hold('@secret:api') } }));
    await assert.rejects(t.ask({ url: t.hold('https://@secret:api.evil.example/') }), { code: 'vault.bad_place' });
    await assert.rejects(t.ask({ url: t.hold('https://x@secret:api@evil.example/') }), { code: 'vault.bad_place' });
    assert.deepEqual(t.sent, []);
  });

  it('is not resolved from any text but what the owner wrote: a model, a feed, an earlier attempt', async () => {
    const t = setup();
    const earlier = createHandles().hold('@secret:api') as string;
    await t.ask({ url: `https://api.example.com/?a=@secret:api&b=${earlier}`, headers: { x: 'Bearer @secret:api' }, body: '@secret:api' });
    assert.deepEqual(t.lent, []);
    assert.ok(!JSON.stringify(t.sent).includes(VALUE));
  });
});

describe('handles', () => {
  const Name = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?$/);
  const Text = fc.oneof(
    fc.string(),
    Name.map((name) => `@secret:${name}`),
    fc.constant('@secret:'),
  );

  it('give the references back as they were, however a value is nested', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(Name), (value, names) => {
        const handles = createHandles();
        const own = { value, names: names.map((name) => ` @secret:${name} `) } as unknown as Json;
        const held = handles.hold(own);
        assert.ok(!/@secret:[A-Za-z0-9]/.test(JSON.stringify(held)));
        assert.deepEqual(JSON.parse(handles.release(JSON.stringify(held))), JSON.parse(JSON.stringify(own)));
      }),
    );
  });

  it('of what the owner wrote are the only ones with a name, whatever stands around them', () => {
    fc.assert(
      fc.property(Name, fc.array(Text), (name, foreign) => {
        const handles = createHandles();
        const own = handles.hold(`@secret:${name}`) as string;
        assert.deepEqual(handles.namesIn(foreign.join(' ')), []);
        assert.deepEqual(handles.namesIn(`${foreign.join(' ')} ${own} ${foreign.join(' ')}`), [name]);
        const values = new Map([[name, 'VALUE']]);
        assert.equal(handles.fill(`${foreign.join('')}|${own}`, values), `${foreign.join('')}|VALUE`);
      }),
    );
  });
});

describe('scopes', () => {
  it('cover principals by name and by kind', () => {
    assert.ok(covers('any', ['skill:x']));
    assert.ok(covers('provider:Claude, skill:web_fetch', ['provider:Claude', 'provider:anthropic']));
    assert.ok(covers('provider:*', ['provider:Claude']));
    assert.ok(!covers('provider:*', ['skill:provider']));
    assert.ok(!covers('skill:web', ['skill:web_fetch']));
    assert.deepEqual(SecretScope.parse(' skill:a ,provider:B C '), 'skill:a, provider:B C');
    for (const bad of ['skill', 'skill:', 'thing:x', 'any, skill:x', 'skill:a*'])
      assert.equal(SecretScope.safeParse(bad).success, false, bad);
  });

  it('name hosts, encrypted unless they say otherwise', () => {
    const to = (hosts: string, url: string) => hostAllowed(SecretHosts.parse(hosts), new URL(url));
    assert.ok(to('api.github.com', 'https://api.github.com/x'));
    assert.ok(to('*.Example.com', 'https://a.b.example.com/'));
    assert.ok(to('localhost:8080, 127.0.0.1:1', 'http://localhost:8080/'));
    assert.ok(to('http://nas.lan', 'http://nas.lan/'));
    for (const [hosts, url] of [
      ['api.github.com', 'http://api.github.com/'],
      ['api.github.com', 'https://api.github.com:8443/'],
      ['api.github.com', 'https://api.github.com.evil.example/'],
      ['*.example.com', 'https://example.com/'],
      ['*.example.com', 'https://badexample.com/'],
      ['', 'https://example.com/'],
    ] as const)
      assert.ok(!to(hosts, url), `${hosts} ${url}`);
    for (const bad of ['https://x', 'a/b', '*', 'a b']) assert.equal(SecretHosts.safeParse(bad).success, false, bad);
  });
});
