import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, collect, textOf } from '../conformance.ts';
import type { ModelEvent } from '../contract.ts';
import { startFakeLlm } from '../fake-llm.ts';
import type { Reply } from '../fake-llm.ts';
import { mendAnswer } from './answer.ts';
import { compatible } from './index.ts';

async function setup(...replies: Reply[]) {
  const fake = await startFakeLlm();
  fake.reply(...replies);
  const client = await compatible.open({ baseUrl: fake.url, apiKey: null, headers: {}, timeoutMs: 5000 });
  return { fake, client, [Symbol.asyncDispose]: () => fake.close() };
}

const SCHEMA = {
  name: 'verdict',
  jsonSchema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'], additionalProperties: false },
};

test('needs no key', async () => {
  await using it = await setup({ text: 'ok' });
  assert.equal(textOf(await collect(it.client.stream(ask('Hi')))), 'ok');
  assert.equal(it.fake.requests[0]?.headers.authorization, undefined);
});

test('passes options on, and thinking as the chat template’s switch', async () => {
  await using it = await setup({ text: 'ok' });
  const options = { temperature: 0.2, top_p: 0.9, num_predict: 64, top_k: 20, repeat_penalty: 1.1, thinking: false };
  await collect(it.client.stream(ask('Hi', { options })));
  const body = it.fake.requests[0]!.body;
  const { temperature, top_p, max_tokens, top_k, repeat_penalty, chat_template_kwargs } = body as Record<string, unknown>;
  assert.deepEqual(
    { temperature, top_p, max_tokens, top_k, repeat_penalty, chat_template_kwargs },
    { temperature: 0.2, top_p: 0.9, max_tokens: 64, top_k: 20, repeat_penalty: 1.1, chat_template_kwargs: { enable_thinking: false } },
  );
  assert.ok(!('num_predict' in body) && !('thinking' in body));
});

test('asks Ollama by its own API when an option exists only there, and others not', async () => {
  const options = { num_ctx: 8192, temperature: 0.1, thinking: false };
  await using ollama = await startFakeLlm({ ollama: true });
  await using other = await startFakeLlm();
  for (const { url } of [ollama, other]) {
    const client = await compatible.open({ baseUrl: `${url}/v1`, apiKey: null, headers: {}, timeoutMs: 5000 });
    await collect(client.stream(ask('Hi', { options, maxOutputTokens: 50 })));
  }
  assert.equal(ollama.requests[0]?.path, '/api/chat');
  assert.deepEqual(ollama.requests[0]?.body['options'], { num_ctx: 8192, temperature: 0.1, num_predict: 50 });
  assert.equal(ollama.requests[0]?.body['think'], false);
  assert.equal(other.requests[0]?.path, '/v1/chat/completions');
});

test('asks by instruction when the server rejects the schema, and at once the next time', async () => {
  await using it = await setup({ error: 'schema_refused' }, { text: 'Sure:\n```json\n{"ok": true}\n```' }, { text: '{"ok": false}' });
  assert.deepEqual(JSON.parse(textOf(await collect(it.client.stream(ask('Judge', { schema: SCHEMA, system: 'Be fair' }))))), { ok: true });
  assert.deepEqual(JSON.parse(textOf(await collect(it.client.stream(ask('Judge', { schema: SCHEMA }))))), { ok: false });
  assert.equal(it.fake.requests.length, 3);
  assert.match(it.fake.requests[1]!.system, /^Be fair\n[^]*"ok"/);
  assert.equal(it.fake.requests[2]?.schema, undefined);
});

test('does not ask twice when the request was bad for another reason', async () => {
  await using it = await setup({ error: 'bad_request' });
  await assert.rejects(collect(it.client.stream(ask('Judge', { schema: SCHEMA }))), { reason: 'bad_request' });
  assert.equal(it.fake.requests.length, 1);
});

test('takes the reasoning for the answer when there is no other', async () => {
  await using it = await setup({ text: '', reasoning: 'It is four.' });
  assert.equal(textOf(await collect(it.client.stream(ask('2+2?')))), 'It is four.');
});

test('an answer of nothing at all is a failure', async () => {
  await using it = await setup({ text: '' });
  await assert.rejects(collect(it.client.stream(ask('Hi'))), { reason: 'protocol' });
});

test('parts a leading think tag from the answer, however it is cut', async () => {
  const whole = '\n<think>Hm, <b>so</b></think>\n\nYes, <think> is a tag.';
  for (const size of [1, 2, 3, 7, 200]) {
    const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, index): ModelEvent => ({
      type: 'text',
      text: whole.slice(index * size, (index + 1) * size),
    }));
    const events = await collect(mendAnswer(streamOf(...pieces, { type: 'end', reason: 'stop', usage: null })));
    assert.equal(textOf(events).trimStart(), 'Yes, <think> is a tag.', `pieces of ${size}`);
    assert.equal(events.map((event) => (event.type === 'reasoning' ? event.text : '')).join(''), 'Hm, <b>so</b>');
  }
});

test('does not hold back an answer that only looks like a tag', async () => {
  const events = await collect(mendAnswer(streamOf({ type: 'text', text: '<thi' }, { type: 'end', reason: 'stop', usage: null })));
  assert.equal(textOf(events), '<thi');
});

async function* streamOf(...events: ModelEvent[]): AsyncGenerator<ModelEvent> {
  yield* events;
}
