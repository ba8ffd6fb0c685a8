import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createDecider, type Answer } from './decide.ts';
import type { DecisionContext, PolicyRequest } from './decision.ts';
import type { ContentLabel } from './grant-shapes.ts';
import { compileRule, type Rule } from './rules.ts';
import { sinks } from './sinks.ts';
import { starterRules } from './starters.ts';
import { testRule } from './testing.ts';

const NOON = Date.UTC(2026, 10, 21, 12);

function decider(rules: readonly Rule[], { answers = [] as readonly Answer[], uses = new Map<string, number>() } = {}) {
  const clock = { at: NOON };
  const it = createDecider({ now: () => clock.at, node: 'here', usesOf: ({ id }) => uses.get(id) ?? 0 });
  it.load(rules.map(compileRule), answers);
  const say = (principal: string, capability: string, resource?: string, context?: DecisionContext) =>
    it.decide({ principal, capability, ...(resource !== undefined && { resource }), ...(context && { context }) });
  return { ...it, clock, uses, say, effect: (...args: Parameters<typeof say>) => say(...args).effect };
}

const flow: DecisionContext = { chain: ['owner', 'workflow:w'] };
const builtIn = [
  { name: 'web_fetch', grants: ['net:fetch'] },
  { name: 'notify', grants: ['channel:send'] },
  { name: 'greedy', grants: ['*'] },
];
const starters = starterRules(builtIn);

describe('decide', () => {
  it('denies what nothing grants, whoever asks', () => {
    const t = decider([]);
    for (const who of ['token:1', 'workflow:w', 'skill:x', 'channel:1:2', 'mcp:x', '', '*', 'owner:', 'owner:x', 'OWNER'])
      assert.deepEqual([t.say(who, 'net:fetch', 'a.example:443').effect, t.say(who, 'net:fetch').rule], ['deny', null], who);
    assert.equal(t.effect('owner', 'net:fetch'), 'allow');
    assert.equal(t.effect('skill:x', 'net:fetch', '*', { chain: ['owner'] }), 'deny');
  });

  it('a refusal wins over everything; else the closer grant, the owner’s over the program’s, the later of two alike', () => {
    const wide = testRule('allow', 'workflow:*', 'net:*');
    const t = (...rules: Rule[]) => decider(rules).effect('workflow:w', 'net:fetch', 'a.example:443');
    assert.equal(t(wide), 'allow');
    assert.equal(t(wide, testRule('deny', '*', '*')), 'deny');
    assert.equal(
      t(
        testRule('allow', 'workflow:w', 'net:fetch', { resource: 'a.example:443' }),
        testRule('deny', '*', 'net:*', { resource: '*.example:443' }),
      ),
      'deny',
    );
    assert.equal(t(wide, testRule('ask', 'workflow:w', 'net:*')), 'ask');
    assert.equal(
      t(testRule('ask', 'workflow:w', 'net:*'), testRule('allow', 'workflow:w', 'net:fetch', { resource: 'a.example:443' })),
      'allow',
    );
    assert.equal(t({ ...testRule('ask', 'workflow:w', 'net:fetch'), isStarter: true }, wide), 'allow');
    assert.equal(t({ ...testRule('ask', 'workflow:*', 'net:*'), createdAt: 1 }, { ...wide, createdAt: 2 }), 'allow');
    assert.equal(t({ ...testRule('ask', 'workflow:*', 'net:*'), createdAt: 2 }, { ...wide, createdAt: 1 }), 'ask');
    assert.equal(t(testRule('ask', 'workflow:*', 'net:*'), wide), 'ask');
  });

  it('everybody in the chain must be allowed', () => {
    const t = decider([
      testRule('allow', 'workflow:w', 'net:fetch'),
      testRule('allow', 'skill:a', 'net:fetch'),
      testRule('allow', 'skill:b', 'net:post'),
    ]);
    assert.equal(t.effect('skill:a', 'net:fetch', 'h:1', flow), 'allow');
    assert.deepEqual(
      [t.say('skill:b', 'net:post', 'h:1', flow).effect, t.say('skill:b', 'net:post', 'h:1', flow).link],
      ['deny', 'workflow:w'],
    );
    assert.equal(t.say('skill:b', 'net:fetch', 'h:1', { chain: [...flow.chain!, 'skill:a'] }).link, 'skill:b');
    assert.equal(t.effect('skill:a', 'net:fetch', 'h:1', { chain: ['owner', 'workflow:w', 'skill:b'] }), 'deny');
  });

  it('what was not declared is denied, whatever was granted', () => {
    const t = decider([testRule('allow', '*', '*')]);
    const declared = new Set(['net:fetch']);
    assert.equal(t.effect('skill:a', 'net:fetch', 'h:1', { ...flow, declared }), 'allow');
    assert.deepEqual(
      [t.say('skill:a', 'net:post', 'h:1', { ...flow, declared }).effect, t.say('skill:a', 'net:post', 'h:1', { ...flow, declared }).rule],
      ['deny', 'declared'],
    );
  });

  it('a credential carries its own grants, and what the owner refused it is refused all the same', () => {
    const held = new Set(['runs:read', 'net:*']);
    const t = decider([
      testRule('deny', 'token:1', 'runs:*'),
      testRule('allow', 'token:2', 'runs:write'),
      testRule('allow', 'skill:a', 'net:fetch'),
    ]);
    assert.equal(t.effect('token:2', 'runs:read', '*', { held }), 'allow');
    assert.equal(t.effect('token:2', 'runs:write', '*', { held }), 'allow');
    assert.equal(t.effect('token:2', 'runs:control', '*', { held }), 'deny');
    assert.equal(t.effect('token:1', 'runs:read', '*', { held }), 'deny');
    assert.equal(t.effect('token:2', 'runs:read', '*', { held: new Set() }), 'deny', 'nothing held before is remembered');
    assert.equal(t.effect('skill:a', 'net:fetch', 'h:1', { chain: ['token:2'], held }), 'allow');
    assert.equal(t.effect('skill:a', 'net:fetch', 'h:1', { chain: ['token:2'], held: new Set(['runs:read']) }), 'deny');
    assert.equal(t.effect('owner', 'runs:read', '*', { held: new Set() }), 'deny', 'a session with fewer grants has fewer');
  });

  it('holds within its hours, across midnight and by the day it began, in the zone it names', () => {
    const hours = { from: '22:00', to: '06:00', days: [5], timeZone: 'Europe/Rome' };
    const t = decider([testRule('allow', 'workflow:w', 'net:fetch', { conditions: { hours } })]);
    const at = (iso: string) => ((t.clock.at = Date.parse(iso)), t.effect('workflow:w', 'net:fetch'));
    assert.equal(at('2026-11-20T20:59Z'), 'deny'); // Friday 21:59 in Rome
    assert.equal(at('2026-11-20T21:00Z'), 'allow');
    assert.equal(at('2026-11-21T04:59Z'), 'allow'); // Saturday 05:59
    assert.equal(at('2026-11-21T05:00Z'), 'deny');
    assert.equal(at('2026-11-21T21:00Z'), 'deny'); // Saturday 22:00
  });

  it('is gone when it expires, though it was decided before', () => {
    const t = decider([testRule('allow', 'workflow:w', 'net:fetch', { expiresAt: NOON + 10 })]);
    assert.equal(t.effect('workflow:w', 'net:fetch'), 'allow');
    t.clock.at += 9;
    assert.equal(t.effect('workflow:w', 'net:fetch'), 'allow');
    t.clock.at += 1;
    assert.equal(t.effect('workflow:w', 'net:fetch'), 'deny');
  });

  it('counts: rate, one use, money and depth; and such a limit also limits what the program allows', () => {
    const limited = (conditions: Rule['conditions'], once = false) =>
      decider([...starters, testRule('allow', 'workflow:w', 'net:fetch', { id: 'g', conditions, once })]);
    const rate = limited({ rate: { times: 2, perMs: 1_000 } });
    assert.deepEqual(rate.say('workflow:w', 'net:fetch').uses, ['g']);
    rate.uses.set('g', 2);
    assert.deepEqual([rate.say('workflow:w', 'net:fetch').effect, rate.say('workflow:w', 'net:fetch').rule], ['deny', 'g']);
    const once = limited({}, true);
    assert.deepEqual(once.say('workflow:w', 'net:fetch').uses, ['g']);
    once.uses.set('g', 1);
    assert.equal(once.say('workflow:w', 'net:fetch').rule, 'starter:workflow:*:net:fetch:allow');
    const money = limited({ budgetUsd: 1 });
    assert.deepEqual(
      [0.99, 1, undefined].map((spentUsd) => money.effect('workflow:w', 'net:fetch', '*', spentUsd === undefined ? {} : { spentUsd })),
      ['allow', 'deny', 'deny'],
    );
    const depth = limited({ maxDepth: 1 });
    assert.equal(depth.effect('workflow:w', 'net:fetch', '*', { chain: ['owner'] }), 'allow');
    assert.equal(depth.effect('workflow:w', 'net:fetch', '*', { chain: ['owner', 'workflow:w'] }), 'deny');
    assert.equal(
      decider([testRule('allow', 'workflow:w', 'net:fetch', { conditions: { node: 'there' } })]).effect('workflow:w', 'net:fetch'),
      'deny',
    );
  });

  it('an answer settles its own question and no other', () => {
    const answer: Answer = { id: 'a', run: 'r', step: 's', capability: 'net:post', resource: 'h:1', expiresAt: NOON + 10 };
    const t = decider([testRule('ask', 'workflow:w', 'net:post'), testRule('deny', 'workflow:no', 'net:post')], { answers: [answer] });
    const mine = { run: 'r', step: 's' };
    assert.equal(t.effect('workflow:w', 'net:post', 'h:1', mine), 'allow');
    for (const other of [{ ...mine, run: 'q' }, { ...mine, step: 'z' }, { run: 'r' }, {}])
      assert.equal(t.effect('workflow:w', 'net:post', 'h:1', other), 'ask');
    assert.equal(t.effect('workflow:w', 'net:post', 'h:2', mine), 'ask');
    assert.equal(t.effect('workflow:w', 'net:post', 'h:1', { ...mine, labels: ['secret'] }), 'deny');
    assert.equal(t.effect('workflow:no', 'net:post', 'h:1', mine), 'deny');
    t.clock.at += 10;
    assert.equal(t.effect('workflow:w', 'net:post', 'h:1', mine), 'ask');
  });

  it('says the same again from what it keeps, without making anything, until the table changes', () => {
    const t = decider(starters);
    const request: PolicyRequest = {
      principal: 'skill:web_fetch',
      capability: 'net:fetch',
      resource: 'h:443',
      context: { ...flow, labels: ['untrusted'] },
    };
    assert.equal(t.decide(request), t.decide({ ...request, context: { ...request.context } }));
    assert.notEqual(t.decide(request), t.decide({ ...request, context: { ...flow, labels: ['private'] } }));
    t.load([testRule('deny', '*', '*')].map(compileRule), []);
    assert.equal(t.decide(request).effect, 'deny');
  });
});

describe('labels at sinks', () => {
  const label = fc.constantFrom<ContentLabel>('owner', 'untrusted', 'private', 'secret');
  const labels = fc.uniqueArray(label);
  const sensitive = [
    'shell:run',
    'schedules:write',
    'workflows:write',
    'skills:write',
    'grants:write',
    'memory:rule',
    'settings:write',
    'file:write',
    'not:known',
  ];

  it('untrusted text reaches no sensitive sink by itself, however widely it was granted', () => {
    const t = decider([testRule('allow', '*', '*')]);
    for (const capability of sensitive) {
      assert.equal(t.effect('skill:greedy', capability, 'x', { ...flow, labels: ['owner'] }), 'allow', capability);
      const said = t.say('skill:greedy', capability, 'x', { ...flow, labels: ['owner', 'untrusted'], named: true });
      assert.deepEqual([said.effect, said.beyond, said.link], ['ask', ['untrusted'], 'workflow:w'], capability);
    }
    for (const capability of ['channel:send', 'net:post']) {
      assert.equal(t.effect('skill:greedy', capability, 'x', { ...flow, labels: ['untrusted', 'private'], named: true }), 'allow');
      assert.equal(t.effect('skill:greedy', capability, 'x', { ...flow, labels: ['untrusted'] }), 'ask');
    }
    assert.equal(t.effect('skill:greedy', 'net:fetch', 'x', { ...flow, labels: ['untrusted'] }), 'allow');
    assert.equal(t.effect('skill:greedy', 'net:fetch', 'x', { ...flow, labels: ['untrusted', 'private'] }), 'ask');
  });

  it('a grant that says what labels it takes is taken at its word, except for what is secret', () => {
    const t = decider([
      testRule('allow', 'workflow:w', 'shell:run', { conditions: { labels: ['untrusted'] } }),
      testRule('allow', 'skill:greedy', '*'),
    ]);
    assert.equal(t.effect('skill:greedy', 'shell:run', 'ls', { ...flow, labels: ['untrusted', 'owner'] }), 'allow');
    assert.deepEqual(t.say('skill:greedy', 'shell:run', 'ls', { ...flow, labels: ['untrusted', 'private'] }).beyond, ['private']);
    assert.equal(t.effect('skill:greedy', 'shell:run', 'ls', { ...flow, labels: ['untrusted', 'secret'] }), 'deny');
    const narrow = decider([testRule('allow', 'workflow:w', 'llm:call', { conditions: { labels: [] } })]);
    assert.equal(narrow.effect('workflow:w', 'llm:call', '*', { labels: ['private'] }), 'ask');
  });

  it('more labels never turn a refusal or a question into a yes', () => {
    const order = { allow: 0, ask: 1, deny: 2 };
    const t = decider([
      ...starters,
      testRule('allow', 'workflow:w', '*'),
      testRule('ask', 'workflow:v', '*'),
      testRule('allow', 'workflow:u', '*', { conditions: { labels: ['untrusted'] } }),
    ]);
    fc.assert(
      fc.property(
        fc.constantFrom('w', 'v', 'u', 'none'),
        fc.constantFrom(...Object.keys(sinks), 'not:known'),
        labels,
        label,
        fc.boolean(),
        (id, capability, some, more, named) => {
          const say = (all: readonly ContentLabel[]) =>
            order[t.effect('skill:greedy', capability, 'x', { chain: ['owner', `workflow:${id}`], labels: all, named })];
          assert.ok(say([...some, more]) >= say(some));
        },
      ),
    );
  });

  it('what is secret goes nowhere outside', () => {
    const t = decider([testRule('allow', '*', '*', { conditions: { labels: ['untrusted', 'private'] } })]);
    const inside = ['memory:read', 'file:read', 'skill:call', 'settings:read'];
    for (const capability of [...Object.keys(sinks), 'not:known'])
      assert.equal(
        t.effect('skill:greedy', capability, 'x', { ...flow, labels: ['secret'], named: true }),
        inside.includes(capability) ? 'allow' : 'deny',
        capability,
      );
  });
});

describe('what is granted from the start', () => {
  it('lets the owner’s workflows do with the program’s skills what they name, and nothing more', () => {
    const t = decider(starters);
    assert.equal(t.effect('skill:web_fetch', 'net:fetch', 'h:443', flow), 'allow');
    assert.equal(t.effect('skill:notify', 'channel:send', 'default', { ...flow, named: true, labels: ['untrusted', 'private'] }), 'allow');
    assert.equal(t.effect('skill:notify', 'channel:send', 'home:42', flow), 'ask');
    assert.equal(t.effect('skill:greedy', 'shell:run', 'ls', flow), 'ask');
    assert.equal(t.effect('skill:greedy', 'secrets:read', 'x', flow), 'deny');
    assert.equal(t.effect('skill:web_fetch', 'channel:send', 'default', { ...flow, named: true }), 'deny', 'not declared');
    assert.equal(t.effect('skill:installed', 'net:fetch', 'h:443', flow), 'deny', 'nothing for what was installed');
    assert.equal(t.effect('token:1', 'runs:read'), 'deny');
    assert.equal(t.effect('mcp:x', 'runs:read'), 'deny');
    assert.equal(t.effect('assistant:a', 'channel:send', 'home:42', { chain: ['owner'] }), 'ask');
    const talk = { chain: ['owner', 'assistant:a'] };
    assert.equal(t.effect('skill:web_fetch', 'net:fetch', 'h:443', { ...talk, labels: ['owner'] }), 'allow');
    assert.equal(t.effect('skill:web_fetch', 'net:fetch', 'h:443', { ...talk, labels: ['owner', 'untrusted'] }), 'ask');
    assert.equal(t.effect('assistant:a', 'secrets:read', 'x', { chain: ['owner'] }), 'deny');
  });
});
