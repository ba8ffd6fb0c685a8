import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { setup as setupAgents, until, type BedOptions } from '../testbed.ts';
import { openAiRoutes } from './routes.ts';

const caller = { id: 'token:t1', grants: new Set(['*']) };

/** The routes behind a server that does what the HTTP edge does for them. */
async function setup(options: BedOptions = {}) {
  const bed = await setupAgents(options);
  const routes = openAiRoutes({
    agents: bed.agents,
    clock: bed.clock,
    newId: bed.newId,
    onError: (_what, error) => bed.errors.push(error),
  });
  const server = createServer((req, res) => {
    const gone = new AbortController();
    res.once('close', () => !res.writableFinished && gone.abort());
    const route = routes.find((it) => it.method === req.method && it.path === req.url)!;
    void route.handle(req, res, { caller, signal: gone.signal, params: {}, id: '1' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...bed,
    ask: (body: unknown, signal?: AbortSignal) =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...(signal && { signal }),
      }),
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await bed[Symbol.asyncDispose]();
    },
  };
}

const hello = {
  model: 'Castellan',
  messages: [
    { role: 'system', content: 'Rhyme.' },
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello' },
    { role: 'user', content: [{ type: 'text', text: 'And now?' }] },
  ],
};

describe('the OpenAI-compatible API', () => {
  it('answers in one piece, as a run of its own that keeps no conversation', async () => {
    await using bed = await setup({ script: () => ({ text: 'Now is now.', usage: { input: 100, output: 7 } }) });
    const response = await bed.ask(hello);
    assert.equal(response.status, 200);
    const answer = (await response.json()) as {
      object: string;
      model: string;
      choices: unknown;
      usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
    };
    assert.equal(answer.object, 'chat.completion');
    assert.equal(answer.model, 'Castellan');
    assert.deepEqual(answer.choices, [
      { index: 0, message: { role: 'assistant', content: 'Now is now.', refusal: null }, logprobs: null, finish_reason: 'stop' },
    ]);
    assert.deepEqual([answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens], [100, 7, 107]);
    const sent = JSON.stringify(bed.fake.requests[0]!.body);
    assert.match(sent, /Rhyme\./);
    assert.match(sent, /And now\?/);
    const { items } = await bed.runs.list({ limit: 10 });
    assert.deepEqual(
      items.map(({ kind, status, trigger }) => [kind, status, trigger.kind, trigger.by]),
      [['turn', 'succeeded', 'api', 'token:t1']],
    );
    assert.ok(items[0]!.costUsd > 0);
    assert.deepEqual((await bed.conversations.list({ limit: 10 })).items, []);
  });

  it('streams chunks with one id, a reason, the usage when asked for, and [DONE]', async () => {
    await using bed = await setup({ script: () => ({ text: 'A longer answer in several pieces.' }) });
    const response = await bed.ask({ ...hello, stream: true, stream_options: { include_usage: true } });
    assert.match(response.headers.get('content-type')!, /^text\/event-stream/);
    const lines = (await response.text())
      .trim()
      .split('\n\n')
      .map((line) => line.replace(/^data: /, ''));
    assert.equal(lines.at(-1), '[DONE]');
    const chunks = lines.slice(0, -1).map(
      (line) =>
        JSON.parse(line) as {
          id: string;
          choices: { delta: { role?: string; content?: string }; finish_reason: string | null }[];
          usage: { total_tokens: number } | null;
        },
    );
    assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
    assert.equal(chunks[0]!.choices[0]!.delta.role, 'assistant');
    assert.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), 'A longer answer in several pieces.');
    assert.equal(chunks.at(-2)!.choices[0]!.finish_reason, 'stop');
    assert.deepEqual(chunks.at(-1)!.choices, []);
    assert.ok(chunks.at(-1)!.usage!.total_tokens > 0);
  });

  it('hands the caller’s tools to the model, its calls to the caller, and takes the results', async () => {
    await using bed = await setup();
    const tools = [
      {
        type: 'function',
        function: { name: 'weather', description: 'Weather', parameters: { type: 'object', properties: { place: { type: 'string' } } } },
      },
    ];
    bed.fake.reply({ toolCalls: [{ name: 'weather', input: { place: 'Rome' } }] }, { text: 'Sunny.' });
    const first = (await (
      await bed.ask({ model: 'castellan', tools, messages: [{ role: 'user', content: 'Weather in Rome?' }] })
    ).json()) as {
      choices: {
        message: { content: null; tool_calls: { id: string; function: { name: string; arguments: string } }[] };
        finish_reason: string;
      }[];
    };
    const { message, finish_reason } = first.choices[0]!;
    assert.equal(finish_reason, 'tool_calls');
    assert.equal(message.content, null);
    assert.deepEqual(JSON.parse(message.tool_calls[0]!.function.arguments), { place: 'Rome' });
    const second = (await (
      await bed.ask({
        model: 'castellan',
        tools,
        messages: [
          { role: 'user', content: 'Weather in Rome?' },
          message,
          { role: 'tool', tool_call_id: message.tool_calls[0]!.id, content: '31 degrees' },
        ],
      })
    ).json()) as typeof first;
    assert.equal(second.choices[0]!.message.content, 'Sunny.');
    assert.deepEqual(
      bed.fake.requests[1]!.toolResults.map((it) => JSON.stringify(it))
        .join()
        .includes('31 degrees'),
      true,
    );
  });

  it('stops upstream when its client goes', async () => {
    await using bed = await setup({ script: () => ({ text: 'x'.repeat(400), chunks: 100, chunkDelayMs: 30 }) });
    const leaving = new AbortController();
    const response = await bed.ask({ ...hello, stream: true }, leaving.signal);
    await response.body!.getReader().read();
    leaving.abort();
    await bed.fake.requests[0]!.closed;
    assert.equal(bed.fake.requests[0]!.aborted, true);
    await until(async () => (await bed.runs.list({ limit: 1 })).items[0]!.status === 'cancelled');
  });

  it('says what is wrong in the form its clients read', async () => {
    await using bed = await setup();
    const error = async (body: unknown) => {
      const response = await bed.ask(body);
      return [response.status, ((await response.json()) as { error: { code: string; type: string; param: string | null } }).error] as const;
    };
    assert.deepEqual(await error({ ...hello, model: 'gpt-9' }).then(([status, it]) => [status, it.code, it.type, it.param]), [
      404,
      'agent.no_assistant',
      'invalid_request_error',
      'model',
    ]);
    assert.deepEqual(await error('{').then(([status, it]) => [status, it.code]), [400, 'json.malformed']);
    assert.deepEqual(await error({ model: 'Castellan', messages: [] }).then(([status, it]) => [status, it.code]), [400, 'input.invalid']);
    assert.deepEqual(
      await error({ model: 'Castellan', messages: [{ role: 'tool', tool_call_id: 'x', content: 'y' }] }).then(([status, it]) => [
        status,
        it.code,
      ]),
      [400, 'agent.bad_tool_result'],
    );
    assert.deepEqual(
      await error({
        model: 'Castellan',
        messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }],
      }).then(([status, it]) => [status, it.code]),
      [400, 'agent.unsupported_content'],
    );
    assert.equal((await bed.runs.list({ limit: 10 })).items.length, 0);
  });

  it('lists assistants as models', async () => {
    await using bed = await setup();
    await bed.assistants.add({ name: 'Jeeves' }, 'owner');
    const { data } = (await (await fetch(`${bed.url}/v1/models`)).json()) as { data: { id: string; object: string; owned_by: string }[] };
    assert.deepEqual(
      data.map(({ id, object, owned_by }) => [id, object, owned_by]),
      [
        ['Castellan', 'model', 'castellan'],
        ['Jeeves', 'model', 'castellan'],
      ],
    );
  });
});
