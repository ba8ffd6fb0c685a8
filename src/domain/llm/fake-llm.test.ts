import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeLlm } from './fake-llm.ts';

async function post(url: string, body: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  return (await response.json()) as Record<string, unknown>;
}

test('answers whole, not streamed, in each vendor’s words', async () => {
  await using fake = await startFakeLlm({
    script: () => ({ text: 'Hello there', usage: { input: 10, output: 4, cached: 3, reasoning: 1 } }),
  });
  const messages = [{ role: 'user', content: 'Hi' }];
  const anthropic = await post(`${fake.url}/v1/messages`, { model: 'm', messages });
  assert.deepEqual(anthropic['content'], [{ type: 'text', text: 'Hello there' }]);
  assert.deepEqual(anthropic['usage'], {
    input_tokens: 7,
    cache_read_input_tokens: 3,
    cache_creation_input_tokens: 0,
    output_tokens: 4,
    output_tokens_details: { thinking_tokens: 1 },
  });
  const chat = await post(`${fake.url}/v1/chat/completions`, { model: 'm', messages });
  assert.match(JSON.stringify(chat['choices']), /Hello there/);
  const responses = await post(`${fake.url}/v1/responses`, { model: 'm', input: 'Hi' });
  assert.match(JSON.stringify(responses['output']), /Hello there/);
  const google = await post(`${fake.url}/v1beta/models/m:generateContent`, { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] });
  assert.match(JSON.stringify(google['candidates']), /Hello there/);
  assert.deepEqual(
    fake.requests.map(({ vendor, prompt, model }) => [vendor, prompt, model]),
    [
      ['anthropic', 'Hi', 'm'],
      ['compatible', 'Hi', 'm'],
      ['openai', 'Hi', 'm'],
      ['google', 'Hi', 'm'],
    ],
  );
});

test('counts tokens, embeds and lists models', async () => {
  await using fake = await startFakeLlm({ models: ['one'] });
  assert.ok(Number((await post(`${fake.url}/v1/messages/count_tokens`, { messages: [] }))['input_tokens']) > 0);
  const { data } = (await post(`${fake.url}/v1/embeddings`, { model: 'm', input: ['a', 'b'], dimensions: 4 })) as {
    data: { embedding: number[] }[];
  };
  assert.deepEqual(
    data.map(({ embedding }) => embedding.length),
    [4, 4],
  );
  const { embedding } = (await post(`${fake.url}/v1beta/models/m:embedContent`, { content: { parts: [{ text: 'a' }] } })) as {
    embedding: { values: number[] };
  };
  assert.equal(embedding.values.length, 8);
  const models = (await (await fetch(`${fake.url}/v1/models`)).json()) as { data: { id: string }[] };
  assert.equal(models.data[0]?.id, 'one');
});

test('calls the tool that the prompt names', async () => {
  await using fake = await startFakeLlm();
  const answer = await post(`${fake.url}/v1/chat/completions`, {
    messages: [{ role: 'user', content: 'CALL: weather {"city":"Oslo"}' }],
    tools: [{ type: 'function', function: { name: 'weather' } }],
  });
  assert.match(JSON.stringify(answer), /"name":"weather","arguments":"\{\\"city\\":\\"Oslo\\"\}"/);
});
