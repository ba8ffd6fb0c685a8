import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createCapabilityTokens, type Caveat, type TokenClaims, type TokenRoot } from './capability-tokens.ts';

const NOON = Date.UTC(2026, 10, 21, 12);
const KEY = Buffer.alloc(32, 7);
const tokens = createCapabilityTokens({ key: async () => KEY, now: () => NOON });
const root: TokenRoot = {
  chain: ['owner', 'workflow:w', 'skill:a'],
  run: 'r',
  step: 's',
  capabilities: ['net:*', 'memory:read', 'llm:call'],
  expiresAt: NOON + 1_000,
};

const CAPABILITIES = ['net:fetch', 'net:post', 'memory:read', 'memory:write', 'llm:call', 'shell:run'];
const RESOURCES = ['a.example:443', 'b.example:443', 'a.example:80', '*', 'home:42'];
const caveat: fc.Arbitrary<Caveat> = fc.record(
  {
    to: fc.constantFrom('skill:b', 'skill:c'),
    capabilities: fc.subarray([...CAPABILITIES, 'net:*', '*']),
    resources: fc.subarray([...RESOURCES, '*.example:443', 'a.example:*']),
    expiresAt: fc.integer({ min: NOON - 5, max: NOON + 2_000 }),
    maxDepth: fc.integer({ min: 1, max: 8 }),
  },
  { requiredKeys: [] },
);

const allowed = (claims: TokenClaims | string): string[] =>
  typeof claims === 'string'
    ? []
    : CAPABILITIES.flatMap((capability) => RESOURCES.filter((it) => claims.permits(capability, it)).map((it) => `${capability} ${it}`));

describe('capability tokens', () => {
  it('say who acts for which step and what may be done, without a look-up', async () => {
    const claims = (await tokens.verify(await tokens.mint(root))) as TokenClaims;
    assert.deepEqual([claims.chain, claims.run, claims.step], [root.chain, 'r', 's']);
    assert.ok(claims.permits('net:fetch', 'a.example:443') && !claims.permits('shell:run', 'ls') && !claims.permits('memory:write', 'x'));
  });

  it('no sequence of attenuations widens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(caveat, { maxLength: 6 }), async (caveats) => {
        let token = await tokens.mint(root);
        let before = await tokens.verify(token);
        for (const each of caveats) {
          token = tokens.attenuate(token, each);
          const after = await tokens.verify(token);
          assert.ok(allowed(after).every((it) => allowed(before).includes(it)));
          if (typeof before === 'string') assert.equal(typeof after, 'string', 'what does not hold never holds again');
          else if (typeof after !== 'string') assert.deepEqual(after.chain.slice(0, before.chain.length), before.chain);
          before = after;
        }
      }),
    );
  });

  it('any bit flipped, any part left out, moved or doubled is refused', async () => {
    const token = tokens.attenuate(tokens.attenuate(await tokens.mint(root), { to: 'skill:b', capabilities: ['net:fetch'] }), {
      resources: ['a.example:443'],
    });
    assert.notEqual(typeof (await tokens.verify(token)), 'string');
    const bytes = Buffer.from(token);
    for (let at = 0; at < bytes.length; at += 1)
      for (let bit = 0; bit < 8; bit += 1) {
        const bent = Buffer.from(bytes);
        bent[at]! ^= 1 << bit;
        assert.equal(typeof (await tokens.verify(bent.toString('latin1'))), 'string', `bit ${bit} of character ${at}`);
      }
    const [version, first, one, two, signature] = token.split('.') as [string, string, string, string, string];
    for (const parts of [
      [version, first, one, signature],
      [version, first, signature],
      [version, first, two, one, signature],
      [version, first, one, two, two, signature],
      [version, first, one, two],
      [version, one, two, signature],
      [version, signature],
      ['ct2', first, one, two, signature],
    ])
      assert.equal(typeof (await tokens.verify(parts.join('.'))), 'string', parts.length.toString());
  });

  it('another key, another program or a caveat nobody understands makes none', async () => {
    const token = await tokens.mint(root);
    assert.equal(await createCapabilityTokens({ key: async () => Buffer.alloc(32, 8), now: () => NOON }).verify(token), 'forged');
    const part = Buffer.from(JSON.stringify({ only_on_sundays: true })).toString('base64url');
    const [, first, signature] = token.split('.') as [string, string, string];
    const signed = createHmac('sha256', Buffer.from(signature, 'base64url')).update(part).digest('base64url');
    assert.equal(await tokens.verify(['ct1', first, part, signed].join('.')), 'malformed');
    for (const nonsense of ['', 'ct1', 'ct1.', 'ct1..', 'a.b.c', 'x'.repeat(20_000), `ct1.${'e30.'.repeat(40)}e30`])
      assert.equal(await tokens.verify(nonsense), 'malformed');
  });

  it('end with their time, and when the chain is too long', async () => {
    assert.equal(await tokens.verify(await tokens.mint({ ...root, expiresAt: NOON })), 'expired');
    const token = await tokens.mint(root);
    assert.equal(await tokens.verify(tokens.attenuate(token, { expiresAt: NOON })), 'expired');
    assert.equal(await tokens.verify(tokens.attenuate(token, { to: 'skill:b', maxDepth: 3 })), 'too_deep');
    let deep = token;
    for (let i = 0; i < 14; i += 1) deep = tokens.attenuate(deep, { to: 'skill:b' });
    assert.equal(await tokens.verify(deep), 'too_deep');
  });
});
