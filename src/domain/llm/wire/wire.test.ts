import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secret } from '#core/secret';
import { anthropic } from '../anthropic/index.ts';
import { ask, collect } from '../conformance.ts';
import type { ModelCall, ProviderKind } from '../contract.ts';
import { startFakeLlm } from '../fake-llm.ts';
import type { Reply } from '../fake-llm.ts';
import { google } from '../google/index.ts';
import { openai } from '../openai/index.ts';
import { withVersion } from './client.ts';
import { toToolInput } from './prompt.ts';
import { isStrictSchema } from './strict-schema.ts';

async function setup(kind: ProviderKind, ...replies: Reply[]) {
  const fake = await startFakeLlm();
  fake.reply(...replies);
  const client = await kind.open({
    baseUrl: fake.url,
    apiKey: secret('key-of-test'),
    headers: { Authorization: 'Bearer mine' },
    timeoutMs: 5000,
  });
  const send = async (over: Partial<ModelCall>): Promise<Record<string, unknown>> => {
    await collect(client.stream(ask('Hi', { model: 'claude-sonnet-4-5', ...over })));
    return fake.requests.at(-1)!.body;
  };
  return { fake, client, send, [Symbol.asyncDispose]: () => fake.close() };
}

const TOOL = { name: 'look', description: 'Looks', inputSchema: { type: 'object', properties: {} } };

for (const { kind, options, signature } of [
  { kind: anthropic, options: { thinking: 2000 }, signature: '"signature":"signed"' },
  { kind: google, options: {}, signature: '"thoughtSignature":"c2lnbmVk"' },
  { kind: openai, options: { thinking: 'low' }, signature: '"encrypted_content":"sealed"' },
]) {
  test(`${kind.id} gets back what it signed with a tool call`, async () => {
    await using it = await setup(kind, { toolCalls: [{ name: 'look', input: {} }], reasoning: 'I must look' }, { text: 'ok' });
    const model = kind.id === 'openai' ? 'gpt-5' : 'claude-sonnet-4-5';
    const events = await collect(it.client.stream(ask('Look', { model, tools: [TOOL], options, maxOutputTokens: 8000 })));
    const call = events.find((event) => event.type === 'tool_call');
    assert.ok(call);
    const stored = JSON.parse(JSON.stringify(call)) as typeof call;
    const body = await it.send({
      model,
      tools: [TOOL],
      options,
      maxOutputTokens: 8000,
      messages: [
        { role: 'user', parts: [{ type: 'text', text: 'Look' }] },
        { role: 'assistant', parts: [stored] },
        { role: 'user', parts: [{ type: 'tool_result', id: stored.id, name: 'look', output: 'seen' }] },
      ],
    });
    assert.ok(JSON.stringify(body).includes(signature), JSON.stringify(body));
  });
}

test('a thinking budget comes out of the call’s output limit, never on top', async () => {
  await using it = await setup(anthropic);
  const { max_tokens, thinking } = await it.send({ maxOutputTokens: 4000, options: { thinking: 100_000 } });
  assert.equal(max_tokens, 4000);
  assert.deepEqual(thinking, { type: 'enabled', budget_tokens: 2976 });
  const small = await it.send({ maxOutputTokens: 500, options: { thinking: 2000 } });
  assert.equal(small['max_tokens'], 500);
  assert.equal(small['thinking'], undefined);
});

test('Anthropic’s structured output is native where the model has it', async () => {
  await using it = await setup(anthropic);
  const schema = {
    name: 'v',
    jsonSchema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'], additionalProperties: false },
  };
  assert.ok((await it.send({ schema }))['output_config']);
});

test('nothing is stored at OpenAI', async () => {
  await using it = await setup(openai);
  assert.equal((await it.send({ model: 'gpt-5' }))['store'], false);
});

for (const kind of [anthropic, google, openai]) {
  test(`${kind.id} without a key sends none`, async () => {
    await using fake = await startFakeLlm();
    const client = await kind.open({ baseUrl: fake.url, apiKey: null, headers: {}, timeoutMs: 5000 });
    await collect(client.stream(ask('Hi')));
    assert.equal(fake.requests[0]?.key, '');
  });
}

test('a configured header replaces ours of the same name in any case', async () => {
  await using it = await setup(openai);
  await it.send({ model: 'gpt-5' });
  assert.equal(it.fake.requests[0]?.headers.authorization, 'Bearer mine');
});

test('adds the version path unless the address has one', () => {
  assert.equal(withVersion('http://127.0.0.1:1234/', 'v1'), 'http://127.0.0.1:1234/v1');
  assert.equal(withVersion('http://127.0.0.1:1234/v1/', 'v1'), 'http://127.0.0.1:1234/v1');
  assert.equal(withVersion('https://api.groq.com/openai', 'v1'), 'https://api.groq.com/openai/v1');
  assert.equal(
    withVersion('https://generativelanguage.googleapis.com/v1beta/openai', 'v1'),
    'https://generativelanguage.googleapis.com/v1beta/openai',
  );
  assert.equal(withVersion('https://v1.example.com', 'v1'), 'https://v1.example.com/v1');
});

test('a tool’s input is the model’s own text when that is not JSON', () => {
  assert.deepEqual(toToolInput('{"a":1}'), { a: 1 });
  assert.deepEqual(toToolInput(''), {});
  assert.equal(toToolInput('{"a":'), '{"a":');
});

test('only a closed schema with every property required is strict', () => {
  const closed = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false };
  assert.equal(isStrictSchema(closed), true);
  assert.equal(isStrictSchema({ ...closed, required: [] }), false);
  assert.equal(isStrictSchema({ type: 'array', items: { ...closed, additionalProperties: true } }), false);
});
