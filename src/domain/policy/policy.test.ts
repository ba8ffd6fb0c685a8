import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeAudit } from '#audit/testing';
import { manualClock } from '#core/clock';
import type { Store } from '#core/db/store';
import { memoryStore, onEveryEngine } from '#core/db/testing';
import { uuidv7 } from '#core/ids';
import { createPolicy, policyMigrations, policyRoutes, type PolicyRequest } from '#policy';
import type { Grant, NewGrant } from './grant-shapes.ts';
import { starterRules } from './starters.ts';

const NOON = Date.UTC(2026, 10, 21, 12);
const byOwner = { by: 'owner', origin: 'owner' } as const;
const fetchIt: PolicyRequest = { principal: 'workflow:w', capability: 'net:fetch', resource: 'a.example:443' };
const allow: NewGrant = { principal: 'workflow:w', capability: 'net:fetch', resource: 'a.example', effect: 'allow' };

async function policyOn(store: Store, clock = manualClock(NOON), starters = starterRules([])) {
  const audit = fakeAudit();
  const policy = createPolicy({
    store,
    clock,
    newId: uuidv7(),
    audit,
    node: 'here',
    tokenKey: async () => new Uint8Array(32),
    starters: () => starters,
    onError: (error) => assert.fail(String(error)),
  });
  const abort = new AbortController();
  const running = await policy.service.start({ signal: abort.signal, exit: () => assert.fail('down') });
  const stop = async (): Promise<void> => {
    abort.abort();
    await running.stop();
  };
  return { policy, audit, clock, stop, effect: (request: PolicyRequest) => policy.decide(request).effect };
}

onEveryEngine('grants', (open) => {
  it('are in force from the moment they are made until they are revoked, and after a restart', async () => {
    await using store = await open(policyMigrations);
    const t = await policyOn(store, undefined, []);
    assert.equal(t.effect(fetchIt), 'deny');
    const made = await t.policy.grant(allow, byOwner);
    assert.deepEqual([made.resource, made.madeBy, made.origin, t.effect(fetchIt)], ['a.example:*', 'owner', 'owner', 'allow']);
    const again = await policyOn(store, t.clock, []);
    assert.equal(again.effect(fetchIt), 'allow');
    const revoked = await t.policy.revoke(made.id, 'cli');
    assert.deepEqual([revoked.revokedBy, t.effect(fetchIt)], ['cli', 'deny']);
    assert.deepEqual([(await t.policy.list({ limit: 9 })).items, (await t.policy.list({ limit: 9, all: true })).items.length], [[], 1]);
    await again.policy.reload();
    assert.equal(again.effect(fetchIt), 'deny');
    assert.deepEqual(
      t.audit.entries.map(({ action, decision }) => [action, decision]),
      [
        ['policy.grant', 'allow'],
        ['policy.revoke', undefined],
      ],
    );
    await Promise.all([t.stop(), again.stop()]);
  });

  it('of one use are used once, also by two at the same time and after a restart', async () => {
    await using store = await open(policyMigrations);
    const t = await policyOn(store, undefined, []);
    await t.policy.grant({ ...allow, once: true }, byOwner);
    const tries = await Promise.allSettled([t.policy.enforce(fetchIt), t.policy.enforce(fetchIt)]);
    assert.deepEqual(
      tries.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    const again = await policyOn(store, t.clock, []);
    assert.equal(again.effect(fetchIt), 'deny');
    await Promise.all([t.stop(), again.stop()]);
  });

  it('limited by rate count across a restart, and the period slides', async () => {
    await using store = await open(policyMigrations);
    const t = await policyOn(store);
    await t.policy.grant({ ...allow, conditions: { rate: { times: 2, perMs: 60_000 } } }, byOwner);
    await t.policy.enforce(fetchIt);
    t.clock.set(NOON + 30_000);
    await t.policy.enforce(fetchIt);
    const again = await policyOn(store, t.clock);
    await assert.rejects(again.policy.enforce(fetchIt), { code: 'policy.denied' });
    t.clock.set(NOON + 60_000);
    await again.policy.enforce(fetchIt);
    await assert.rejects(again.policy.enforce(fetchIt), { code: 'policy.denied' });
    await Promise.all([t.stop(), again.stop()]);
  });
});

describe('policy', () => {
  it('a grant that was undone was never in force', async () => {
    await using store = await memoryStore(policyMigrations);
    const t = await policyOn(store, undefined, []);
    await assert.rejects(
      store.write(async (tx) => {
        await t.policy.grant(allow, byOwner, tx);
        throw new Error('undo');
      }),
    );
    assert.equal(t.effect(fetchIt), 'deny');
    await t.stop();
  });

  it('names the field that is wrong', async () => {
    await using store = await memoryStore(policyMigrations);
    const t = await policyOn(store);
    for (const [field, wrong] of [
      ['principal', { principal: 'everybody' }],
      ['principal', { principal: 'owner', effect: 'deny' }],
      ['capability', { capability: 'fetch' }],
      ['resource', { resource: 'exam*ple.com' }],
      ['conditions.hours.timeZone', { conditions: { hours: { from: '09:00', to: '17:00', timeZone: 'Rome' } } }],
      ['conditions.labels.0', { conditions: { labels: ['secret'] } }],
      ['conditions', { effect: 'deny', once: true }],
      ['', { unknown: 1 }],
    ] as const)
      await assert.rejects(
        t.policy.grant({ ...allow, ...wrong } as NewGrant, byOwner),
        (error: { code: string; details: { issues: { field: string }[] } }) => {
          assert.deepEqual([error.code, error.details.issues[0]!.field], ['input.invalid', field]);
          return true;
        },
      );
    await assert.rejects(t.policy.revoke('none', 'owner'), { code: 'policy.no_grant' });
    await t.stop();
  });

  it('refuses with who, what, why and the way to mend it; asks with what the question needs', async () => {
    await using store = await memoryStore(policyMigrations);
    const t = await policyOn(store);
    await assert.rejects(
      t.policy.enforce({ principal: 'skill:x', capability: 'net:fetch', resource: 'h:1', context: { chain: ['owner', 'workflow:w'] } }),
      {
        kind: 'forbidden',
        code: 'policy.denied',
        message: /castellan policy allow skill:x net:fetch h:1/,
      },
    );
    await assert.rejects(
      t.policy.enforce({ principal: 'workflow:w', capability: 'channel:send', resource: 'home:42', context: { labels: ['untrusted'] } }),
      {
        code: 'policy.ask',
        details: {
          principal: 'workflow:w',
          chain: [],
          capability: 'channel:send',
          resource: 'home:42',
          rule: 'sink:channel:send',
          reason: 'Text that is untrusted is at hand, and this would send to an address.',
          link: 'workflow:w',
          beyond: ['untrusted'],
          labels: ['untrusted'],
          step: null,
        },
      },
    );
    await t.stop();
  });

  it('records the first of a kind at once and counts the rest: one an hour, and the sum at the end', async () => {
    await using store = await memoryStore(policyMigrations);
    const t = await policyOn(store);
    for (let i = 0; i < 5; i += 1) await t.policy.enforce(fetchIt);
    for (let i = 0; i < 3; i += 1) await assert.rejects(t.policy.enforce({ ...fetchIt, principal: 'mcp:x' }));
    const told = () => t.audit.entries.map(({ actor, action, details }) => [actor, action, details?.['alsoSince']]);
    assert.deepEqual(told(), [
      ['workflow:w', 'policy.allow', undefined],
      ['mcp:x', 'policy.deny', undefined],
    ]);
    t.clock.set(NOON + 3_600_000);
    await t.policy.enforce(fetchIt);
    assert.deepEqual(told().at(-1), ['workflow:w', 'policy.allow', 4]);
    await t.stop();
    assert.deepEqual([told().at(-1)![1], t.audit.entries.at(-1)!.details!['total']], ['policy.repeats', 2]);
  });

  it('explains with every rule that covers the case, the closest first', async () => {
    await using store = await memoryStore(policyMigrations);
    const t = await policyOn(store);
    const { id } = await t.policy.grant({ ...allow, effect: 'ask', reason: 'Because.' }, byOwner);
    const { effect, rule, matching } = t.policy.explain(fetchIt);
    assert.deepEqual([effect, rule, matching.map((each) => each.origin)], ['ask', id, ['owner', 'starter']]);
    await t.stop();
  });
});

describe('grants over HTTP', () => {
  async function setup() {
    const store = await memoryStore(policyMigrations);
    const t = await policyOn(store);
    const held = new Set(['runs:read']);
    const routes = policyRoutes({
      approvals: {} as never,
      policy: t.policy,
      heldBy: async (principal) => (principal === 'token:1' ? held : undefined),
      catalogue: () => [],
    });
    const as = (id: string, ...grants: string[]) => ({ caller: { id, grants: new Set(grants) }, signal: new AbortController().signal });
    async function call<T>(name: string, input: object, request = as('owner', '*')): Promise<T> {
      const found = routes.find(({ endpoint }) => `${endpoint.method} ${endpoint.path}` === name)!;
      return found.endpoint.output.parse(await found.handle(found.endpoint.input.parse(input) as never, request)) as T;
    }
    return { ...t, as, call, routes, [Symbol.asyncDispose]: async () => (await t.stop(), await store.close()) };
  }

  it('are made, shown, replaced and revoked; each change is a sensitive act', async () => {
    await using t = await setup();
    const made = await t.call<Grant>('POST /api/grants', allow);
    assert.deepEqual(await t.call('GET /api/grants/{id}', { id: made.id }), made);
    const next = await t.call<Grant>('PUT /api/grants/{id}', { id: made.id, grant: { ...allow, effect: 'deny' } });
    assert.deepEqual([t.effect(fetchIt), (await t.call<{ items: Grant[] }>('GET /api/grants', {})).items], ['deny', [next]]);
    await t.call('DELETE /api/grants/{id}', { id: next.id });
    assert.deepEqual((await t.call<{ items: Grant[] }>('GET /api/grants', { all: 'true' })).items.length, 2);
    assert.ok((await t.call<{ items: Grant[] }>('GET /api/grants/starters', {})).items.every(({ origin }) => origin === 'starter'));
    await assert.rejects(t.call('PUT /api/grants/{id}', { id: 'none', grant: allow }), { code: 'policy.no_grant' });
    for (const { endpoint } of t.routes.filter((each) => each.endpoint.grant === 'grants:write'))
      assert.equal(endpoint.secondFactor, true, endpoint.path);
  });

  it('are never wider than what their maker may do', async () => {
    await using t = await setup();
    const maker = t.as('token:9', 'grants:write', 'net:fetch');
    await t.call('POST /api/grants', allow, maker);
    await assert.rejects(t.call('POST /api/grants', { ...allow, capability: 'net:*' }, maker), { code: 'policy.not_allowed' });
    await t.call('POST /api/grants', { ...allow, capability: 'net:*', effect: 'deny' }, maker);
  });

  it('explains a case as it would be decided, from words a person types, and records nothing', async () => {
    await using t = await setup();
    type Told = { effect: string; resource: string; rule: string | null; beyond: string[] };
    const explain = async (input: object) => {
      const { effect, resource, rule, beyond } = await t.call<Told>('POST /api/policy/explain', input);
      return [effect, resource, rule, beyond.join()];
    };
    const flow = { principal: 'workflow:w', chain: ['owner'] };
    assert.deepEqual(await explain({ ...flow, capability: 'net:fetch', resource: 'Example.com' }), [
      'allow',
      'example.com:443',
      'starter:workflow:*:net:fetch:allow',
      '',
    ]);
    assert.deepEqual(await explain({ ...flow, capability: 'net:fetch', resource: 'http://Example.com/x', labels: ['private'] }), [
      'ask',
      'example.com:80',
      'sink:net:fetch',
      'private',
    ]);
    assert.deepEqual(await explain({ principal: 'token:1', capability: 'runs:read' }), ['allow', '*', 'held', '']);
    assert.deepEqual(await explain({ principal: 'token:2', capability: 'runs:read' }), ['deny', '*', null, '']);
    assert.deepEqual(t.audit.entries, []);
  });
});
