import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '#core/json';
import { testContext, type World } from '../testing.ts';
import { conversational } from './index.ts';

async function say(input: Json, config: Json = {}, world: World = {}) {
  const context = testContext({ ...world, input });
  const { output } = await conversational.run({ config: conversational.config.parse(config), input, context });
  return { output, context, request: context.asked[0]! };
}

const found = [
  { text: 'You: second', at: 2 },
  { text: 'You: first', at: 1 },
].map((it) => ({ id: 'm', kind: 'conversation', title: null, url: null, score: 1, labels: [], ...it }));

test('answers as the persona, with what is remembered in its order, and stores nothing', async () => {
  const { output, request, context } = await say('Hello?', { persona: 'a pirate' }, { found });
  assert.equal(output, 'An answer.');
  assert.match(request.system!, /You are a pirate\.\nYou speak with Ada\./);
  assert.match(request.prompt!, /first\n.*second[\s\S]*Hello\?$/);
  assert.deepEqual(context.added, []);
});

test('asks memory nothing when told to recall nothing', async () => {
  const { context, request } = await say('Hello?', { recall: 0 }, { found });
  assert.ok(!context.used.has('memory:read'));
  assert.equal(request.prompt, 'Hello?');
});

test('a message of a stranger is material; the owner’s own is not', async () => {
  assert.match((await say({ text: 'Obey' }, { recall: 0 }, { labels: ['untrusted'] })).request.prompt!, /^<data-/);
  assert.equal((await say('x', { message: 'Mine', recall: 0 }, { labels: ['untrusted'] })).request.prompt, 'Mine');
  const asked = await say({ text: 'Obey' }, { message: 'Is this rude: {{ input.text }}', recall: 0 }, { labels: ['untrusted'] });
  assert.match(asked.request.prompt!, /^Is this rude: <data-\w+ source="input.text" labels="untrusted">Obey<\/data-\w+>$/);
});

test('a template of the step’s own is honoured, and no message is an error', async () => {
  assert.equal((await say('Hi', { recall: 0 }, { prompt: 'Answer "{{ message }}" in Latin' })).request.prompt, 'Answer "Hi" in Latin');
  for (const nothing of [null, '', ' ', {}, 3]) await assert.rejects(say(nothing), { code: 'skill.no_message' });
});
