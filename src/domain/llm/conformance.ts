import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { secret } from '#core/secret';
import type { Connection, FailureReason, ModelCall, ModelEvent, ProviderClient, ProviderKind } from './contract.ts';
import { ProviderFailure } from './contract.ts';
import { startFakeLlm } from './fake-llm.ts';
import type { FakeLlm, FakeOptions, Reply } from './fake-llm.ts';

const KEY = 'sk-test-0123456789abcdef';
const UNICODE = 'Grüße, 世界! 👩‍👩‍👧‍👦 "quoted" \\ and\nnew line \u2028 end';
const LONG = 'A sentence that takes a while to arrive. '.repeat(20);
const SCHEMA = {
  name: 'verdict',
  jsonSchema: {
    type: 'object',
    properties: { label: { type: 'string' }, score: { type: 'number' } },
    required: ['label', 'score'],
    additionalProperties: false,
  },
};
const TOOL = {
  name: 'weather',
  description: 'The weather of a city',
  inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

/** One way to run the suite: a kind, with what the fake pretends to be and the options each call carries. */
export interface Subject {
  readonly kind: ProviderKind;
  readonly name?: string;
  readonly fake?: FakeOptions;
  readonly options?: ModelCall['options'];
  /** The protocol tells cached and reasoning tokens. */
  readonly detailedUsage?: boolean;
}

/** What every provider kind promises, run against the fake server; a kind that reaches no server runs the part that holds for it. */
export function conform(subject: Subject): void {
  const { kind } = subject;
  describe(`provider kind ${subject.name ?? kind.id}`, () => {
    promiseStreams(subject);
    if (!kind.local) promiseFailures(subject);
    if (!kind.local) promiseCancelling(subject);
    if (kind.canUseTools) promiseTools(subject);
    if (kind.canEmbed) promiseEmbeddings(subject);
  });
}

function promiseStreams(subject: Subject): void {
  const { kind } = subject;
  test('streams text and ends with exactly one end event', async () => {
    await using it = await setup(subject, { text: LONG, chunks: 20 });
    const events = await collect(it.client.stream(ask('Say something long')));
    assert.ok(textOf(events).length > 0);
    assert.deepEqual(
      events.filter((event) => event.type === 'end'),
      [events.at(-1)],
    );
    if (it.fake) assert.equal(textOf(events), LONG);
    if (it.fake) assert.ok(events.length > 10);
  });

  test('counts its tokens', async () => {
    await using it = await setup(subject, { text: 'Four words it is', usage: { input: 120, output: 45, cached: 100, reasoning: 11 } });
    const end = (await collect(it.client.stream(ask('Count')))).at(-1);
    assert.ok(end?.type === 'end' && end.usage);
    const details =
      subject.detailedUsage === false ? { cachedInputTokens: 0, reasoningTokens: 0 } : { cachedInputTokens: 100, reasoningTokens: 11 };
    if (it.fake) assert.deepEqual(end.usage, { inputTokens: 120, outputTokens: 45, ...details });
    else assert.ok(end.usage.inputTokens > 0 && end.usage.outputTokens > 0);
  });

  test('keeps every character', async () => {
    await using it = await setup(subject, { text: UNICODE, chunks: 30 });
    const text = textOf(await collect(it.client.stream(ask(UNICODE, { system: UNICODE }))));
    assert.ok(text.isWellFormed());
    if (!it.fake) return;
    assert.equal(text, UNICODE);
    assert.equal(it.fake.requests[0]?.prompt, UNICODE);
    assert.equal(it.fake.requests[0]?.system, UNICODE);
  });

  test('does not start when already cancelled', async () => {
    await using it = await setup(subject, {});
    await rejects(collect(it.client.stream(ask('Hi', { signal: AbortSignal.abort() }))), 'cancelled');
    assert.equal(it.fake?.requests.length ?? 0, 0);
  });

  if (kind.local) return;

  test('says that the answer was cut at its limit, and which model spoke', async () => {
    await using it = await setup(subject, { text: 'And so', finish: 'length' });
    const end = (await collect(it.client.stream(ask('Go on')))).at(-1);
    assert.ok(end?.type === 'end');
    assert.equal(end.reason, 'length');
    assert.equal(end.model ?? 'fake-1', 'fake-1');
  });

  test('tells reasoning from the answer', async () => {
    await using it = await setup(subject, { text: 'Yes.', reasoning: 'Let me see' });
    const events = await collect(it.client.stream(ask('Well?')));
    assert.equal(textOf(events), 'Yes.');
    assert.equal(
      events
        .filter((event) => event.type === 'reasoning')
        .map((event) => event.text)
        .join(''),
      'Let me see',
    );
  });

  test('sends the conversation, its limit, its key and the configured headers', async () => {
    await using it = await setup(subject, { text: 'ok' });
    await collect(it.client.stream(ask('Hello', { maxOutputTokens: 77, system: 'Be brief' })));
    const [request] = it.fake!.requests;
    assert.equal(request?.prompt, 'Hello');
    assert.equal(request?.system, 'Be brief');
    assert.equal(request?.model, 'fake-1');
    assert.equal(request?.key, KEY);
    assert.equal(request?.headers['x-team'], 'castle-keepers');
    assert.match(JSON.stringify(request?.body), /:77[,}]/);
  });

  test('sends images', async () => {
    await using it = await setup(subject, { text: 'A dot' });
    const base64 = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    await collect(
      it.client.stream(
        ask('', {
          messages: [
            {
              role: 'user',
              parts: [
                { type: 'image', mediaType: 'image/png', base64 },
                { type: 'text', text: 'What is it?' },
              ],
            },
          ],
        }),
      ),
    );
    assert.ok(JSON.stringify(it.fake!.requests[0]?.body).includes(base64));
  });

  test('asks for JSON of a schema', async () => {
    await using it = await setup(subject);
    const text = textOf(await collect(it.client.stream(ask('Judge', { schema: SCHEMA }))));
    assert.deepEqual(Object.keys(JSON.parse(text) as object), ['label', 'score']);
    const [request] = it.fake!.requests;
    const sent = request?.schema ?? request?.forced?.schema;
    assert.ok(sent);
    assert.deepEqual(Object.keys((sent as typeof SCHEMA.jsonSchema).properties), ['label', 'score']);
  });

  test('takes a base address that ends in its version', async () => {
    await using it = await setup(subject, { text: 'ok' });
    const version = kind.id === 'google' ? '/v1beta/' : '/v1/';
    const client = await kind.open({ ...it.connection, baseUrl: `${it.connection.baseUrl}${version}` });
    assert.equal(textOf(await collect(client.stream(ask('Hi')))), 'ok');
  });

  test('refuses a base address that is none', async () => {
    await using it = await setup(subject);
    await rejects(Promise.resolve(kind.open({ ...it.connection, baseUrl: 'localhost' })), 'bad_request');
  });

  test('lists the models of the endpoint', async () => {
    await using it = await setup(subject);
    assert.deepEqual(await it.client.models(AbortSignal.timeout(5000)), ['fake-1', 'fake-2']);
  });
}

function promiseFailures(subject: Subject): void {
  const cases: readonly { name: string; reply: Reply; reason: FailureReason; retryAfterMs?: number }[] = [
    { name: 'a refused key', reply: { error: 'auth' }, reason: 'auth' },
    {
      name: 'a rate limit, with the time to wait',
      reply: { error: 'rate_limited', retryAfterSeconds: 12 },
      reason: 'rate_limited',
      retryAfterMs: 12_000,
    },
    { name: 'a spent quota', reply: { error: 'quota' }, reason: 'quota' },
    { name: 'an overloaded provider', reply: { error: 'overloaded' }, reason: 'server' },
    { name: 'a broken provider', reply: { error: 'server' }, reason: 'server' },
    { name: 'a gateway that answers with a web page', reply: { status: 502, body: '<html>Bad Gateway</html>' }, reason: 'server' },
    { name: 'a model that is not there', reply: { error: 'model_missing' }, reason: 'model_missing' },
    { name: 'a bad request', reply: { error: 'bad_request' }, reason: 'bad_request' },
    { name: 'an error at the start of a stream', reply: { text: LONG, fault: { after: 0, how: 'error' } }, reason: 'server' },
    { name: 'an error in the middle of a stream', reply: { text: LONG, fault: { after: 3, how: 'error' } }, reason: 'server' },
    { name: 'a connection dropped in the middle of a stream', reply: { text: LONG, fault: { after: 3, how: 'drop' } }, reason: 'protocol' },
    { name: 'a stream that ends too soon', reply: { text: LONG, fault: { after: 3, how: 'end' } }, reason: 'protocol' },
    { name: 'a malformed stream', reply: { text: LONG, fault: { after: 3, how: 'malformed' } }, reason: 'protocol' },
    { name: 'an answer that is not a stream', reply: { status: 200, body: 'hello' }, reason: 'protocol' },
    { name: 'no first byte in time', reply: { delayMs: Infinity }, reason: 'timeout' },
    { name: 'a stall in the middle of a stream', reply: { text: LONG, fault: { after: 3, how: 'stall' } }, reason: 'timeout' },
  ];
  for (const { name, reply, reason, retryAfterMs } of cases) {
    test(`names ${name}: ${reason}`, async () => {
      await using it = await setup(subject, reply, { timeoutMs: reason === 'timeout' ? 150 : 10_000 });
      const failure = await rejects(collect(it.client.stream(ask('Hi'))), reason);
      if (retryAfterMs !== undefined) assert.equal(failure.retryAfterMs, retryAfterMs);
      assert.equal(it.fake!.requests.length, 1, 'a call never retries by itself');
      assertNoKey(failure);
      if (reason === 'timeout') await it.fake!.requests[0]!.closed;
    });
  }

  test('does not follow a redirect, which would carry the key elsewhere: protocol', async () => {
    await using elsewhere = await startFakeLlm();
    await using it = await setup(subject);
    it.fake!.reply({ status: 307, headers: { location: `${elsewhere.url}/v1/messages` } });
    await rejects(collect(it.client.stream(ask('Hi'))), 'protocol');
    assert.equal(elsewhere.requests.length, 0);
  });

  test('names a server that is not there: refused', async () => {
    await using it = await setup(subject);
    await it.fake!.close();
    assertNoKey(await rejects(collect(it.client.stream(ask('Hi'))), 'refused'));
    assertNoKey(await rejects(it.client.models(AbortSignal.timeout(5000)), 'refused'));
  });

  test('gives the text that came before a failure', async () => {
    await using it = await setup(subject, { text: LONG, fault: { after: 3, how: 'drop' } });
    let text = '';
    await assert.rejects(async () => {
      for await (const event of it.client.stream(ask('Hi'))) if (event.type === 'text') text += event.text;
    });
    assert.ok(text.length > 0 && LONG.startsWith(text));
  });
}

function promiseCancelling(subject: Subject): void {
  test('cancels the request when the signal is aborted in the middle of a stream', async () => {
    await using it = await setup(subject, { text: LONG, chunkDelayMs: 20 });
    const stop = new AbortController();
    const reading = (async () => {
      for await (const event of it.client.stream(ask('Hi', { signal: stop.signal }))) if (event.type === 'text') stop.abort();
    })();
    await rejects(reading, 'cancelled');
    await it.fake!.requests[0]!.closed;
    assert.equal(it.fake!.requests[0]?.aborted, true);
  });

  test('cancels the request when the signal is aborted before the first byte', async () => {
    await using it = await setup(subject, { delayMs: Infinity });
    const stop = new AbortController();
    const reading = rejects(collect(it.client.stream(ask('Hi', { signal: stop.signal }))), 'cancelled');
    const request = await it.fake!.request(0);
    stop.abort();
    await reading;
    await request.closed;
    assert.equal(request.aborted, true);
  });

  test('cancels the request when its reader stops reading', async () => {
    await using it = await setup(subject, { text: LONG, chunkDelayMs: 20 });
    for await (const event of it.client.stream(ask('Hi'))) if (event.type === 'text') break;
    await it.fake!.requests[0]!.closed;
    assert.equal(it.fake!.requests[0]?.aborted, true);
  });
}

function promiseTools(subject: Subject): void {
  test('calls a tool and hears its result', async () => {
    await using it = await setup(subject, { toolCalls: [{ name: 'weather', input: { city: 'Ålesund' } }], reasoning: 'I should look' });
    const first = await collect(it.client.stream(ask('Weather?', { tools: [TOOL] })));
    const call = first.find((event) => event.type === 'tool_call');
    assert.ok(call);
    assert.deepEqual({ name: call.name, input: call.input }, { name: 'weather', input: { city: 'Ålesund' } });
    const end = first.at(-1);
    assert.ok(end?.type === 'end' && end.reason === 'tool_calls');

    const answer = await collect(
      it.client.stream(
        ask('', {
          tools: [TOOL],
          messages: [
            { role: 'user', parts: [{ type: 'text', text: 'Weather?' }] },
            { role: 'assistant', parts: [call] },
            { role: 'user', parts: [{ type: 'tool_result', id: call.id, name: call.name, output: 'rain, 7 °C' }] },
          ],
        }),
      ),
    );
    assert.match(textOf(answer), /rain, 7 °C/);
    assert.deepEqual(it.fake!.requests[1]?.tools, ['weather']);
    assert.ok(JSON.stringify(it.fake!.requests[1]?.body).includes('Ålesund'), 'the call itself goes back too');
  });
}

function promiseEmbeddings(subject: Subject): void {
  test('embeds texts as unit vectors of one length, in their order', async () => {
    await using it = await setup(subject, {});
    const texts = ['The castle gate is closed', 'the castle gate is closed.', 'Pancakes with maple syrup', UNICODE];
    const { vectors, tokens } = await it.client.embed({ model: 'fake-embed', texts, dimensions: 256, signal: AbortSignal.timeout(5000) });
    assert.equal(vectors.length, 4);
    for (const vector of vectors) {
      assert.equal(vector.length, 256);
      assert.ok(Math.abs(dot(vector, vector) - 1) < 1e-4);
    }
    assert.ok(dot(vectors[0]!, vectors[1]!) > 0.9);
    assert.ok(dot(vectors[0]!, vectors[2]!) < 0.5);
    assert.ok(tokens > 0);
  });

  if (!subject.kind.local) {
    test('names a refused key when embedding', async () => {
      await using it = await setup(subject, { error: 'auth' });
      assertNoKey(await rejects(it.client.embed({ model: 'fake-embed', texts: ['a'], signal: AbortSignal.timeout(5000) }), 'auth'));
    });
  }

  test('embeds more texts than one request takes', async () => {
    await using it = await setup(subject);
    const texts = Array.from({ length: 230 }, (_, index) => `text number ${index}`);
    const { vectors } = await it.client.embed({ model: 'fake-embed', texts, signal: AbortSignal.timeout(5000) });
    assert.equal(vectors.length, 230);
  });
}

/** A call with one user message. */
export function ask(text: string, over: Partial<ModelCall> = {}): ModelCall {
  return {
    model: 'fake-1',
    messages: [{ role: 'user', parts: [{ type: 'text', text }] }],
    maxOutputTokens: 500,
    signal: AbortSignal.timeout(20_000),
    ...over,
  };
}

export async function collect(events: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const all: ModelEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

export function textOf(events: readonly ModelEvent[]): string {
  return events.map((event) => (event.type === 'text' ? event.text : '')).join('');
}

interface Setup extends AsyncDisposable {
  readonly client: ProviderClient;
  readonly connection: Connection;
  readonly fake: FakeLlm | null;
}

async function setup({ kind, fake: pretend, options }: Subject, reply?: Reply, over: Partial<Connection> = {}): Promise<Setup> {
  const fake = kind.local ? null : await startFakeLlm(pretend);
  if (reply) fake?.reply(reply);
  const connection: Connection = {
    baseUrl: fake?.url ?? '',
    apiKey: secret(KEY),
    headers: { 'x-team': 'castle-keepers' },
    timeoutMs: 10_000,
    ...over,
  };
  const opened = await kind.open(connection);
  const client: ProviderClient = { ...opened, stream: (call) => opened.stream({ ...call, ...(options && { options }) }) };
  return { client, connection, fake, [Symbol.asyncDispose]: async () => void (await fake?.close()) };
}

async function rejects(promise: Promise<unknown>, reason: FailureReason): Promise<ProviderFailure> {
  const error: unknown = await promise.then(
    () => assert.fail(`expected the failure ${reason}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ProviderFailure, String(error));
  assert.equal(error.reason, reason, error.message);
  return error;
}

/** Neither the message nor anything an error log would print holds the key or a configured header's value. */
function assertNoKey(error: Error): void {
  for (let it: unknown = error; it instanceof Error; it = it.cause) {
    const printed = `${it.message} ${it.stack} ${JSON.stringify(it)}`;
    assert.ok(!printed.includes(KEY) && !printed.includes('castle-keepers'), printed);
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
