import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '#core/json';
import { testContext, type World } from '../testing.ts';
import { notify } from './index.ts';

async function send(input: Json, config: Json = {}, world: World = {}) {
  const context = testContext({ ...world, input });
  const result = await notify.run({ config: notify.config.parse(config), input, context });
  return { ...result, context, text: context.sent[0]?.text };
}

test('sends text as it is, hands its input on, and is delivered only with a receipt', async () => {
  const { outcome, output, context } = await send('**Hi**', { channel: 'tg', to: '42' }, { channels: ['web', 'tg'] });
  assert.deepEqual([outcome, output, context.sent], ['on_delivered', '**Hi**', [{ text: '**Hi**', channel: 'tg', to: '42' }]]);
  await assert.rejects(send('Hi', {}, { channels: [] }), { code: 'notify.no_channel' });
  await assert.rejects(send('Hi', { channel: 'gone' }), { code: 'notify.no_channel' });
  assert.equal((await send('Hi', { optional: true }, { channels: [] })).outcome, 'on_skipped');
});

test('shows items as a list of links that foreign titles cannot break', async () => {
  const { text } = await send(
    [
      { title: 'A [b](javascript:x) *c*', url: 'https://example.org/a_(b)', summary: 'On\n# this', feed: 'F_1' },
      { title: 'No link', url: 'javascript:alert(1)' },
    ],
    { title: 'News' },
  );
  assert.equal(
    text,
    '**News**\n\n- [A \\[b\\](javascript:x) \\*c\\*](https://example.org/a_%28b%29) (F\\_1)\n  On \\# this\n- **No link**',
  );
});

test('shows a page by its text, anything else as JSON, and says nothing when there is nothing', async () => {
  assert.equal((await send({ title: 'T', url: 'https://example.org/', text: 'Words' })).text, 'T\nhttps://example.org/\n\nWords');
  assert.match((await send({ a: 1 })).text!, /^```json\n\{\n "a": 1\n\}\n```$/);
  assert.equal((await send({ a: 1 }, { text: 'Instead' })).text, 'Instead');
  for (const nothing of [null, '', '  ', []]) await assert.rejects(send(nothing), { code: 'skill.nothing_to_send' });
});

test('plain text is shown letter by letter, and code in a fence it cannot close', async () => {
  assert.equal((await send('a*b*\n# c\n1. d', { format: 'plain' })).text, 'a\\*b\\*\n\\# c\n1\\. d');
  assert.equal((await send('x\n```\ny', { format: 'code' })).text, '````\nx\n```\ny\n````');
});

test('an error of the channel is an error, even where a channel is optional', async () => {
  const context = testContext();
  const broken = {
    ...context,
    deliver: async () => {
      throw new Error('platform down');
    },
  };
  await assert.rejects(notify.run({ config: notify.config.parse({ optional: true }), input: 'x', context: broken }), {
    message: 'platform down',
  });
});
