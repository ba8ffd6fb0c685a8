import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json } from '#core/json';
import type { Way, WayStep } from '#runs';
import { createMakers, urlsIn } from './address.ts';
import type { Skill, SkillRequest } from './contract.ts';

const step = (skill: string, output: Json, from: string[] = []): WayStep => ({
  skill,
  taken: from.map((it) => ({ label: 'untrusted', from: it })),
  output: async () => output,
});
const run = (steps: WayStep[], over: Partial<Way> = {}): Way => ({ kind: 'workflow', input: null, steps, ...over });

function maker(ways: Way[], url: string, over: Partial<SkillRequest> = {}, hasAsked = false) {
  const request = {
    resources: [],
    ownAddresses: [],
    onBehalf: { chain: [] },
    run: { id: 'r' },
    step: 'here',
    ...over,
  } as unknown as SkillRequest;
  return createMakers(
    { runs: { wayTo: async () => ways }, asksModel: (name) => name === 'llm' },
    {} as Skill,
    request,
    () => hasAsked,
  )(url);
}

const feed = step(
  'rss',
  [{ title: 'see https://evil.example/?d=in-text', url: 'https://news.example/a', reason: 'https://evil.example/r' }],
  ['https://news.example/feed'],
);
const thought = step('llm', { url: 'https://evil.example/?d=diary' });

describe('who made an address', () => {
  it('is nobody’s question before a model has spoken', async () => {
    assert.equal(await maker([run([feed])], 'https://anywhere.example/x'), 'plain');
    assert.equal(await maker([run([feed])], 'https://anywhere.example/x', {}, true), 'made');
    assert.equal(await maker([run([feed])], 'https://anywhere.example/x', { onBehalf: { chain: ['owner', 'skill:llm'] } }), 'made');
  });

  it('after that, is the model unless the owner wrote it or a source links to it, word for word', async () => {
    const runs = [run([feed, thought])];
    assert.equal(await maker(runs, 'https://evil.example/?d=diary'), 'made');
    assert.equal(await maker(runs, 'https://evil.example/?d=in-text'), 'made', 'in a text is no link');
    assert.equal(await maker(runs, 'https://evil.example/r'), 'made');
    assert.equal(await maker(runs, 'https://news.example/a?d=diary'), 'made', 'the host is the source’s, the rest is not');
    assert.equal(await maker(runs, 'https://news.example/a#part'), 'found');
    assert.equal(await maker(runs, 'https://own.example/', { ownAddresses: ['https://own.example'] }), 'own');
    assert.equal(await maker(runs, 'https://own.example/x', { ownAddresses: ['https://own.example'] }), 'made');
  });

  it('looks at the runs that started this one, and not at what they handed over', async () => {
    const child = run([]);
    assert.equal(await maker([child, run([feed, thought])], 'https://evil.example/?d=diary'), 'made');
    assert.equal(await maker([child, run([feed, thought])], 'https://news.example/a'), 'found');
    assert.equal(await maker([run([thought], { input: 'https://given.example/' })], 'https://given.example/'), 'found');
  });

  it('believes no link of an installed skill', async () => {
    const installed = step('mine', { url: 'https://evil.example/?d=1' }, ['https://evil.example/', 'installed skill mine']);
    assert.equal(await maker([run([installed, thought])], 'https://evil.example/?d=1'), 'made');
  });

  it('in a turn is the model, who may follow a few links of each host that stand in what it was shown', async () => {
    const shown = (n: number): WayStep =>
      step('web_fetch', `<data-0>{"text":"see (https://a.example/${n}), or https://a.example/x.\\nEnd"}</data-0>`, [
        `https://a.example/${n}`,
      ]);
    const turn = (count: number): Way =>
      run(
        Array.from({ length: count }, (_, n) => shown(n)),
        { kind: 'turn' },
      );
    assert.equal(await maker([turn(1)], 'https://a.example/x'), 'found');
    assert.equal(await maker([turn(1)], 'https://a.example/x?d=diary'), 'made');
    assert.equal(await maker([turn(5)], 'https://a.example/x'), 'made', 'too many of one host');
    assert.equal(await maker([turn(0)], 'https://said.example/', { said: ['https://said.example'] }), 'own');
  });
});

it('addresses end where a text goes on', () => {
  assert.deepEqual(
    [...urlsIn('at https://a.example/b, (http://c.example). "https://d.example/e?f=1&g=2" <https://h.example>…')],
    ['https://a.example/b', 'http://c.example/', 'https://d.example/e?f=1&g=2', 'https://h.example/'],
  );
});
