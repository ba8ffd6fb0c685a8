import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { endpoint, route } from '#core/endpoint';
import { allows, assertAllowed, grantCatalogue } from '#policy';
import { GrantPattern } from '#policy/contract';

const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,5}$/);
const capability = fc.tuple(word, word).map(([area, verb]) => `${area}:${verb}`);
const pattern = fc.oneof(
  capability,
  word.map((area) => `${area}:*`),
  fc.constant('*'),
);

describe('allows', () => {
  it('denies whatever is not granted', () => {
    fc.assert(
      fc.property(capability, (needed) => {
        assert.equal(allows(new Set(), needed), false);
      }),
    );
  });

  it('is exactly: the capability itself, all of its area, or everything', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 6 }), capability, (grants, needed) => {
        const expected = grants.some((grant) => grant === '*' || grant === needed || grant === `${needed.split(':')[0]}:*`);
        assert.equal(allows(new Set(grants), needed), expected);
      }),
    );
  });

  it('a further grant never takes anything away', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 4 }), pattern, capability, (grants, more, needed) => {
        if (allows(new Set(grants), needed)) assert.equal(allows(new Set([...grants, more]), needed), true);
      }),
    );
  });

  it('who may hand on a pattern may do all that it covers', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 4 }), pattern, capability, (grants, given, needed) => {
        if (allows(new Set(grants), given) && allows(new Set([given]), needed)) assert.equal(allows(new Set(grants), needed), true);
      }),
    );
  });

  it('is not fooled by what only looks alike', () => {
    for (const grant of ['runs', 'runs:', 'run:*', 'runs:rea', 'runs:read:all', '**', ':*', 'RUNS:*'])
      assert.equal(allows(new Set([grant]), 'runs:read'), false, grant);
    assert.equal(allows(new Set([':*']), ':read'), false);
    assert.equal(allows(new Set(['runs:*']), '*'), false);
  });

  it('assertAllowed names what is missing', () => {
    assert.throws(() => assertAllowed({ id: 'token:1', grants: new Set(['a:b']) }, 'runs:read'), {
      kind: 'forbidden',
      code: 'policy.not_allowed',
      details: { needed: 'runs:read' },
    });
  });

  it('patterns are words on both sides of one colon', () => {
    for (const good of ['*', 'runs:*', 'runs:read', 'mcp_x:do-it']) assert.equal(GrantPattern.safeParse(good).success, true, good);
    for (const bad of ['', 'runs', 'runs:', '*:read', 'runs:re*', 'Runs:read', 'a:b:c', 'runs:read\n'])
      assert.equal(GrantPattern.safeParse(bad).success, false, bad);
  });
});

it('the catalogue has each capability once, with all that it opens', () => {
  const make = (path: `/${string}`, grant: string) =>
    route(
      endpoint({ method: 'GET', path, grant, summary: `Opens ${path}.`, input: z.strictObject({}), output: z.null() }),
      async () => null,
    );
  assert.deepEqual(grantCatalogue([make('/b', 'runs:read'), make('/open', 'public'), make('/a', 'audit:read'), make('/c', 'runs:read')]), [
    { grant: 'audit:read', opens: ['Opens /a.'] },
    { grant: 'runs:read', opens: ['Opens /b.', 'Opens /c.'] },
  ]);
});
