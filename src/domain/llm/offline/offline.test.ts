import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { enclose } from '#content';
import { ask, collect, textOf } from '../conformance.ts';
import type { ModelCall, OfflineTask, ProviderClient } from '../contract.ts';
import { offline } from './index.ts';

const ARTICLE = `Node.js 26 was released on Tuesday with native TypeScript support. The release drops old platforms, e.g. macOS 11.
Dr. Jane Smith leads the release team.

The runtime strips TypeScript types on load, so no build step is needed. Coffee was served.

Security fixes for three vulnerabilities in the HTTP parser are included in the release. Native TypeScript support was released with Node.js 26 on Tuesday.`;

async function run(over: Partial<ModelCall>): Promise<string> {
  return textOf(await collect((await open()).stream(ask('', over))));
}

function open(): Promise<ProviderClient> {
  return offline.open({ baseUrl: '', apiKey: null, headers: {}, timeoutMs: 1000 });
}

interface Scores {
  scores: { index: number; score: number; reason: string }[];
}

async function scoreOf(items: { title: string; text: string }[], interests: string): Promise<Scores['scores']> {
  return (JSON.parse(await run({ task: { kind: 'score', items, interests } })) as Scores).scores;
}

test('says that no model wrote the answer', async () => {
  assert.match(await run({ task: { kind: 'summarize', text: ARTICLE } }), /without a model/i);
  assert.match(await run({ task: { kind: 'digest', items: [] } }), /without a model/i);
  assert.match(textOf(await collect((await open()).stream(ask('What is the capital of France?')))), /no model/i);
});

test('summarises with sentences of the text, in its order, without saying a thing twice', async () => {
  const summary = await run({ task: { kind: 'summarize', text: ARTICLE, sentences: 3 } });
  assert.match(summary, /TypeScript/);
  assert.ok(!summary.includes('Coffee'));
  assert.equal(summary.match(/on Tuesday/g)?.length, 1);
  const [, body = ''] = summary.split('\n\n');
  const places = body.split(/(?<=\.) (?=[A-Z])/).map((sentence) => ARTICLE.replaceAll('\n', ' ').indexOf(sentence.slice(0, 30)));
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.ok(!places.includes(-1));
});

test('shows no mark of an envelope, and no hour that was told with the words', async () => {
  const told = enclose('Saturday, 21 November 2026 at 18:38 (UTC)', { source: 'clock', labels: [], boundary: '0123456789abcdef' });
  const words = await run({ messages: ask(`${told}\n\n${ARTICLE} ${ARTICLE}`).messages });
  assert.match(words, /TypeScript/);
  assert.ok(!words.includes('data-') && !words.includes('18:38'), words);
  assert.match(await run({ messages: ask(`${told}\n\nGood evening!`).messages }), /no model/i);
});

test('does not end a sentence at an abbreviation, nor at a line break', async () => {
  const text = 'Dr. Smith arrived,\ne.g. by train. She left.';
  assert.match(await run({ task: { kind: 'summarize', text, sentences: 2 } }), /Dr\. Smith arrived, e\.g\. by train\. She left\./);
});

test('summarises a script without spaces', async () => {
  const text = '猫は魚が好きです。犬は肉が好きです。今日は天気がいいです。猫と犬は仲良しです。';
  const summary = await run({ task: { kind: 'summarize', text, sentences: 2 } });
  assert.equal(summary.split('\n\n')[1]?.match(/。/g)?.length, 2);
});

test('summarises a long message and the result of a tool', async () => {
  const client = await open();
  assert.match(textOf(await collect(client.stream(ask(ARTICLE.repeat(2))))), /without a model[^]*TypeScript/);
  const parts = [{ type: 'tool_result', id: '1', name: 'search', output: ARTICLE }] as const;
  assert.match(textOf(await collect(client.stream(ask('', { messages: [{ role: 'user', parts }] })))), /without a model[^]*TypeScript/);
});

const ITEMS = [
  { title: 'Native TypeScript in the runtime', text: 'No build step is needed any more.' },
  { title: 'Cup final', text: 'The football cup was won after penalties.' },
  { title: 'Patch your servers', text: 'A security bug lets attackers crash a server.' },
];

test('works on what stands in envelopes, not on the orders around it', async () => {
  const enclosed = enclose(`${ARTICLE}\n${ARTICLE}`, { source: 'input', labels: ['untrusted'], boundary: '0123456789abcdef' });
  const summary = textOf(await collect((await open()).stream(ask(`Summarise the following in three sentences, please. ${enclosed}`))));
  assert.match(summary, /TypeScript/);
  assert.doesNotMatch(summary, /Summarise|data-|untrusted/);
});

test('scores items by the owner’s interests, with the matched terms as the reason', async () => {
  const [typescript, football, security] = await scoreOf(ITEMS, 'TypeScript, server security; no football');
  assert.ok(typescript && football && security);
  assert.ok(typescript.score > 0.5 && security.score > 0.5);
  assert.match(typescript.reason, /TypeScript/);
  assert.match(security.reason, /server security/);
  assert.equal(football.score, 0);
  assert.match(football.reason, /unwanted: football/);
});

test('a better match scores higher, in a batch of one too', async () => {
  const [both] = await scoreOf([{ title: 'TypeScript security', text: '' }], 'TypeScript, security');
  const [one] = await scoreOf([{ title: 'TypeScript', text: 'and other things' }], 'TypeScript, security');
  const [none] = await scoreOf([{ title: 'Pancakes', text: '' }], 'TypeScript, security');
  assert.ok(both!.score > one!.score && one!.score > none!.score);
});

test('without interests puts what most items are about first', async () => {
  const items = [
    { title: 'Storm reaches the coast', text: '' },
    { title: 'Cup final', text: '' },
    { title: 'Coast roads closed by storm', text: '' },
  ];
  const [storm, cup, roads] = await scoreOf(items, '  ');
  assert.ok(storm!.score > cup!.score && roads!.score > cup!.score);
});

test('scores stay in [0, 1], one for each item, whatever comes', async () => {
  const item = fc.record({ title: fc.string({ unit: 'grapheme' }), text: fc.lorem({ maxCount: 30 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(item, { maxLength: 12 }), fc.oneof(fc.string({ unit: 'grapheme' }), fc.lorem()), async (items, interests) => {
      const scores = await scoreOf(items, interests);
      assert.deepEqual(
        scores.map(({ index }) => index),
        items.map((_, index) => index),
      );
      for (const { score, reason } of scores) assert.ok(score >= 0 && score <= 1 && reason !== '');
    }),
    { numRuns: 50 },
  );
});

const NEWS: Extract<OfflineTask, { kind: 'digest' }>['items'] = [
  {
    title: 'Storm reaches the coast',
    text: 'A storm reached the coast on Monday. Roads are closed.',
    url: 'https://one.test/storm',
    source: 'One',
  },
  {
    title: 'Cup [final](javascript:x)',
    text: 'The cup was won\n# after penalties.',
    url: 'javascript://x.test/%0aalert(1)',
    source: 'Two',
  },
  { title: 'Coast roads closed by storm', text: 'The storm closed the coast roads.', url: 'https://two.test/(roads)', source: 'Two' },
  {
    title: 'Storm reaches the coast',
    text: 'A storm reached the coast on Monday. Roads are closed.',
    url: 'https://three.test/storm',
    source: 'Three',
  },
];

test('makes a digest by topic, with links and with repeated news told once', async () => {
  const text = await run({ task: { kind: 'digest', items: NEWS } });
  assert.match(text, /^## .*(storm|coast)/im);
  assert.match(
    text,
    /- \[Storm reaches the coast\]\(https:\/\/one\.test\/storm\) \(One\): A storm reached the coast on Monday\..*Also: \[Three\]\(https:\/\/three\.test\/storm\)/,
  );
  assert.equal(text.match(/^- \[Storm reaches/gm)?.length, 1);
  assert.ok(text.includes('https://two.test/%28roads%29'));
});

test('lets no foreign markup or scheme into the digest', async () => {
  const text = await run({ task: { kind: 'digest', items: NEWS } });
  assert.ok(!/(?<!\\)\]\(javascript:/.test(text));
  assert.ok(!text.includes('javascript://'));
  assert.ok(!/^# /m.test(text));
});

test('fills a schema of one text, and refuses one that needs a judgement', async () => {
  const one = { name: 'summary', jsonSchema: { type: 'object', properties: { summary: { type: 'string' } }, required: ['summary'] } };
  const filled = JSON.parse(await run({ task: { kind: 'summarize', text: ARTICLE }, schema: one })) as { summary: string };
  assert.match(filled.summary, /TypeScript/);
  const judgement = {
    name: 'verdict',
    jsonSchema: { type: 'object', properties: { label: { type: 'string', enum: ['a', 'b'] } }, required: ['label'] },
  };
  await assert.rejects(run({ task: { kind: 'summarize', text: ARTICLE }, schema: judgement }), { reason: 'bad_request' });
});

test('cuts words at the limit, and says so', async () => {
  const events = await collect((await open()).stream(ask('', { task: { kind: 'summarize', text: ARTICLE }, maxOutputTokens: 20 })));
  assert.equal(textOf(events).length, 80);
  const end = events.at(-1);
  assert.ok(end?.type === 'end' && end.reason === 'length');
});

test('a vector depends on the text alone and is of length one', async () => {
  const client = await open();
  const embed = async (...texts: string[]) => (await client.embed({ model: '', texts, signal: AbortSignal.timeout(5000) })).vectors;
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
      const [a, b] = await embed(text, text);
      assert.deepEqual(a, b);
      assert.ok(Math.abs(Math.hypot(...(a ?? [])) - 1) < 1e-4);
    }),
    { numRuns: 50 },
  );
});

test('lets the event loop turn while it works on a large text', async () => {
  let turns = 0;
  let done = false;
  const count = (): void => void (done || ((turns += 1), setImmediate(count)));
  setImmediate(count);
  const text = Array.from({ length: 20_000 }, (_, index) => `Sentence number ${index} is about subject ${index % 97}.`).join(' ');
  await run({ task: { kind: 'summarize', text } });
  done = true;
  assert.ok(turns > 5, `${turns} turns`);
});

test('stops in the middle of its work when cancelled', async () => {
  const stop = new AbortController();
  const text = Array.from({ length: 20_000 }, (_, index) => `Sentence number ${index} is about subject ${index % 97}.`).join(' ');
  const working = run({ task: { kind: 'summarize', text }, signal: stop.signal });
  setImmediate(() => stop.abort());
  await assert.rejects(working, { reason: 'cancelled' });
});
