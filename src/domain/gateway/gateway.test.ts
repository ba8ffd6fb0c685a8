import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { memoryStore } from '#core/db/testing';
import { AppError } from '#core/errors';
import { uuidv7 } from '#core/ids';
import { secret } from '#core/secret';
import { createLlm, llmMigrations, providerKinds } from '#llm';
import { ProviderFailure, type Message, type ModelCall, type ModelEvent, type ProviderKind } from '#llm/contract';
import { startFakeLlm, type Script } from '#llm/testing';
import { createRuns, runMigrations } from '#runs';
import { fixedSettings } from '#settings/testing';
import { gatewayRoutes } from './gateway.ts';
import { wishOf } from './model-names.ts';
import { createGatewaySessions } from './sessions.ts';

const OWNER = { id: 'token:t1', grants: new Set(['llm:call']) };
const KEY_HEADERS = ['x-api-key', 'x-goog-api-key'];
/** Vendors' own client libraries, as the router uses them, each with the path it takes the base address by. */
const CLIENTS = ['anthropic', 'openai', 'compatible', 'google'] as const;

/** The gateway on a real socket over the real router, with a fake vendor behind it. */
async function setup(script?: Script) {
  const store = await memoryStore(runMigrations, llmMigrations);
  const fake = await startFakeLlm(script ? { script } : {});
  const newId = uuidv7();
  const errors: unknown[] = [];
  const onError = (_what: string, error: unknown): void => void errors.push(error);
  const bus = createBus(onError);
  const clock = systemClock;
  const runs = createRuns({ store, bus, clock, newId, keep: () => ({ days: 1, perWorkflow: 100 }) });
  const none = {
    resolve: () => Promise.reject(new AppError('not_found', 'vault.no_secret', 'No')),
    fill: async (text: string) => secret(text),
  };
  const llm = createLlm({
    store, clock, newId, bus, settings: fixedSettings({}), kinds: providerKinds, secrets: none, tell: () => {}, onError, charge: runs.addCost,
  }); // prettier-ignore
  await llm.add({
    name: 'fake',
    kind: 'compatible',
    baseUrl: fake.url,
    model: 'fake-1',
    tiers: ['light', 'medium'],
    price: { inputPerMTok: 1, outputPerMTok: 5 },
    timeoutMs: 5_000,
  });
  const sessions = createGatewaySessions();
  const routes = gatewayRoutes({ store, clock, newId, runs, llm: llm.scoped, sessions, models: async () => ['fake-1'], onError });
  const server = createServer((req, res) => {
    const gone = new AbortController();
    res.once('close', () => !res.writableFinished && gone.abort());
    const { pathname } = new URL(req.url!, 'http://x');
    const route = routes.find(
      ({ method, path }) => method === req.method && new RegExp(`^${path.replace('{call}', '[^/]+')}$`).test(pathname),
    );
    if (!route) return void res.writeHead(404).end();
    const key =
      KEY_HEADERS.map((name) => req.headers[name]).find((it) => it !== undefined) ?? req.headers.authorization?.replace('Bearer ', '');
    const caller = sessions.callerOf(String(key)) ?? OWNER;
    const params = { call: decodeURIComponent(pathname.split('/').at(-1)!) };
    void route.handle(req, res, { caller, signal: gone.signal, params, id: '1' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/gateway`;

  async function ask(kind: (typeof CLIENTS)[number], call: Partial<ModelCall>, key = 'castellan_token'): Promise<ModelEvent[]> {
    const found: ProviderKind = providerKinds.find(({ id }) => id === kind)!;
    const client = await found.open({ baseUrl: url, apiKey: secret(key), headers: {}, timeoutMs: 5_000 });
    const events: ModelEvent[] = [];
    const whole = { model: 'fake-1', messages: user('Hello'), maxOutputTokens: 500, signal: AbortSignal.timeout(10_000), ...call };
    for await (const event of client.stream(whole)) events.push(event);
    return events;
  }

  return {
    fake, runs, llm, sessions, store, errors, url, ask,
    post: (path: string, body: unknown) => fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await fake.close();
      await store[Symbol.asyncDispose]();
    },
  }; // prettier-ignore
}

const user = (text: string): Message[] => [{ role: 'user', parts: [{ type: 'text', text }] }];
const textOf = (events: readonly ModelEvent[]): string => events.map((it) => (it.type === 'text' ? it.text : '')).join('');
const tools = [{ name: 'look', description: 'Looks', inputSchema: { type: 'object', properties: { at: { type: 'string' } } } }];

for (const kind of CLIENTS) {
  describe(`the gateway, for clients of ${kind}`, () => {
    it('streams the answer of whatever provider the router chose, with its usage, and books it to a run', async () => {
      await using bed = await setup(() => ({ text: 'Good day to you.', usage: { input: 30, output: 7 } }));
      const events = await bed.ask(kind, { system: 'Be brief.' });
      assert.equal(textOf(events), 'Good day to you.');
      const end = events.at(-1)!;
      assert.ok(end.type === 'end' && end.reason === 'stop');
      assert.deepEqual([end.usage?.inputTokens, end.usage?.outputTokens], [30, 7]);
      assert.deepEqual([bed.fake.requests[0]!.prompt, bed.fake.requests[0]!.system], ['Hello', 'Be brief.']);
      const { items } = await bed.runs.list({ limit: 5 });
      assert.deepEqual(
        items.map(({ kind: what, status, costUsd, trigger }) => ({ what, status, costUsd, by: trigger.by })),
        [{ what: 'turn', status: 'succeeded', costUsd: (30 + 7 * 5) / 1e6, by: 'token:t1' }],
      );
    });

    it('hands tool calls out and their results back in', async () => {
      await using bed = await setup((_request, index) =>
        index === 0 ? { toolCalls: [{ name: 'look', input: { at: 'Rome' } }] } : { text: 'Sunny.' },
      );
      const first = await bed.ask(kind, { tools });
      const call = first.find((it) => it.type === 'tool_call')!;
      assert.deepEqual([call.name, call.input], ['look', { at: 'Rome' }]);
      const end = first.at(-1)!;
      assert.ok(end.type === 'end' && end.reason === 'tool_calls');
      const answer = await bed.ask(kind, {
        tools,
        messages: [
          ...user('Weather?'),
          { role: 'assistant', parts: [call] },
          { role: 'user', parts: [{ type: 'tool_result', id: call.id, name: 'look', output: '31 degrees' }] },
        ],
      });
      assert.equal(textOf(answer), 'Sunny.');
      assert.match(bed.fake.requests[1]!.toolResults[0]!, /31 degrees/);
      assert.deepEqual(bed.fake.requests[1]!.tools, ['look']);
    });

    it('shows pictures to the model', async () => {
      await using bed = await setup();
      const image = { type: 'image' as const, mediaType: 'image/png', base64: 'iVBORw0KGgo=' };
      await bed.ask(kind, { messages: [{ role: 'user', parts: [image, { type: 'text', text: 'What is it?' }] }] });
      assert.match(JSON.stringify(bed.fake.requests[0]!.body), /iVBORw0KGgo=/);
    });

    it('answers an error in the words of that vendor, and a run says why', async () => {
      await using bed = await setup(() => ({ error: 'server' }));
      await assert.rejects(bed.ask(kind, {}), (error) => error instanceof ProviderFailure && error.reason === 'server');
      const { items } = await bed.runs.list({ limit: 5 });
      assert.deepEqual([items[0]?.status, items[0]?.error?.code], ['failed', 'llm.failed']);
    });

    it('a call that its budget does not bear is refused before it leaves, and the client does not try again', async () => {
      await using bed = await setup();
      const { run } = await bed.store.write((tx) =>
        bed.runs.create(tx, { kind: 'turn', title: 'x', trigger: { kind: 'owner' }, status: 'running' }),
      );
      const session = bed.sessions.open({ runId: run.id, purpose: 'backend:test', runBudgetUsd: 0.000_001, defaults: [] });
      await session.token.use(async (token) => {
        await assert.rejects(
          bed.ask(kind, {}, token),
          (error) => error instanceof ProviderFailure && !['rate_limited', 'server', 'timeout'].includes(error.reason),
        );
      });
      assert.equal(bed.fake.requests.length, 0);
    });
  });
}

describe('the gateway', () => {
  it('books the calls of a session to its run, until that ends', async () => {
    await using bed = await setup(() => ({ text: 'x', usage: { input: 1_000, output: 0 } }));
    const runOf = async () =>
      (await bed.store.write((tx) => bed.runs.create(tx, { kind: 'turn', title: 'x', trigger: { kind: 'owner' }, status: 'running' }))).run
        .id;
    const [first, second] = [await runOf(), await runOf()];
    const session = bed.sessions.open({ runId: first, purpose: 'backend:test', defaults: [] });
    await session.token.use(async (token) => {
      await bed.ask('anthropic', {}, token);
      session.rebind({ runId: second, purpose: 'backend:test', defaults: [] });
      await bed.ask('google', {}, token);
      assert.ok(bed.sessions.callerOf(token));
      session.close();
      assert.equal(bed.sessions.callerOf(token), null);
    });
    assert.deepEqual([(await bed.runs.get(first)).costUsd, (await bed.runs.get(second)).costUsd], [0.001, 0.001]);
    assert.equal((await bed.runs.list({ limit: 9 })).items.length, 2);
  });

  it('never answers without a model', async () => {
    await using bed = await setup(() => ({ error: 'server' }));
    const answer = await bed.post('/v1/chat/completions', { model: 'light', messages: [{ role: 'user', content: 'Hello' }] });
    assert.equal(answer.status, 503);
    assert.equal(((await answer.json()) as { error: { code: string } }).error.code, 'llm.failed');
  });

  it('answers whole where no stream was asked for', async () => {
    await using bed = await setup(() => ({ text: 'Hi', toolCalls: [{ name: 'look', input: { at: 'x' } }] }));
    const messages = [{ role: 'user', content: 'Hello' }];
    const json = async (path: string, body: object) => (await (await bed.post(path, body)).json()) as never;
    const chat = (await json('/v1/chat/completions', { model: 'm', messages })) as {
      choices: { message: { content: string; tool_calls: unknown[] } }[];
    };
    assert.deepEqual([chat.choices[0]!.message.content, chat.choices[0]!.message.tool_calls.length], ['Hi', 1]);
    const claude = (await json('/v1/messages', { model: 'm', max_tokens: 9, messages })) as {
      content: { type: string }[];
      stop_reason: string;
    };
    assert.deepEqual([claude.content.map(({ type }) => type), claude.stop_reason], [['text', 'tool_use'], 'tool_use']);
    const openai = (await json('/v1/responses', { model: 'm', input: 'Hello' })) as { output: { type: string }[]; status: string };
    assert.deepEqual([openai.output.map(({ type }) => type), openai.status], [['message', 'function_call'], 'completed']);
    const gemini = (await json('/v1beta/models/m:generateContent', { contents: [{ parts: [{ text: 'Hello' }] }] })) as {
      candidates: { content: { parts: object[] } }[];
    };
    assert.equal(gemini.candidates[0]!.content.parts.length, 2);
  });

  it('names the field of a request that is wrong, in the words of each vendor', async () => {
    await using bed = await setup();
    const said = async (path: string, body: unknown) => {
      const answer = await bed.post(path, body);
      return [answer.status, JSON.stringify(await answer.json())] as const;
    };
    for (const [path, body, field] of [
      ['/v1/messages', { model: 'm', messages: [{ role: 'wizard', content: '' }] }, 'messages.0.role'],
      ['/v1/chat/completions', { messages: [] }, 'model'],
      ['/v1/responses', { model: 'm' }, 'input'],
      ['/v1beta/models/m:generateContent', {}, 'contents'],
    ] as const) {
      const [status, text] = await said(path, body);
      assert.equal(status, 400);
      assert.ok(text.includes(`${field}:`), text);
    }
    assert.equal((await said('/v1beta/models/m:embedContent', {}))[0], 404);
    assert.equal((await said('/v1/messages', 'x'.repeat(65 * 1024 * 1024)))[0], 413);
    assert.equal(bed.fake.requests.length, 0);
  });

  it('keeps the tools of one MCP server apart from those of another, as Codex groups them', async () => {
    await using bed = await setup((_request, index) =>
      index === 0 ? { toolCalls: [{ name: 'mail__in__send', input: {} }] } : { text: 'ok' },
    );
    const space = (name: string) => ({
      type: 'namespace',
      name,
      tools: [{ type: 'function', name: 'send', parameters: { type: 'object' } }],
    });
    const answer = await bed.post('/v1/responses', {
      model: 'm',
      input: 'x',
      tools: [space('mail'), space('chat'), { type: 'web_search' }],
    });
    const { output } = (await answer.json()) as { output: { name: string; namespace: string }[] };
    assert.deepEqual([output[0]!.name, output[0]!.namespace], ['send', 'mail']);
    assert.deepEqual(bed.fake.requests[0]!.tools, ['mail__in__send', 'chat__in__send']);
  });

  it('counts tokens and lists what can be asked for', async () => {
    await using bed = await setup();
    const counted = await bed.post('/v1/messages/count_tokens', {
      model: 'm',
      messages: [{ role: 'user', content: 'Hello there, how are you?' }],
    });
    assert.ok(((await counted.json()) as { input_tokens: number }).input_tokens > 3);
    const { data } = (await (await fetch(`${bed.url}/v1/models`)).json()) as { data: { id: string }[] };
    assert.deepEqual(
      data.map(({ id }) => id),
      ['light', 'medium', 'heavy', 'local', 'fake-1'],
    );
  });

  it('the largest model is not had for its name', () => {
    assert.deepEqual(wishOf('claude-opus-5-5'), { tier: 'medium', model: 'claude-opus-5-5' });
    assert.deepEqual(wishOf('gemini-3-flash'), { tier: 'light', model: 'gemini-3-flash' });
    assert.deepEqual(wishOf('castellan/heavy'), { tier: 'heavy' });
  });
});
