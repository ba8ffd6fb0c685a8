import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { z } from 'zod';
import { endpoint, streamRoute, type Request, type StreamEvent } from '#core/endpoint';
import { AppError } from '#core/errors';
import { anyText } from '#core/testing';
import { frame } from './sse.ts';
import { call, listen, serve, TOKEN } from './testing.ts';

const follow = endpoint({
  method: 'GET',
  path: '/api/stream',
  grant: 'things:read',
  summary: 'Streams.',
  input: z.strictObject({ count: z.coerce.number().optional() }),
  output: z.object({ n: z.number() }),
  stream: true,
});
const say = endpoint({
  method: 'POST',
  path: '/api/turns',
  grant: 'things:write',
  summary: 'Answers.',
  input: z.strictObject({ text: z.string() }),
  output: z.object({ n: z.number() }),
  stream: true,
  whole: z.object({ text: z.string() }),
});

type Source = (input: { count?: number | undefined }, request: Request) => AsyncIterable<StreamEvent<{ n: number }>>;
const serveStream = (source: Source, more: Parameters<typeof serve>[1] = {}) => serve([streamRoute(follow, source)], more);

async function* numbers({ count = 0 }: { count?: number | undefined }): AsyncGenerator<StreamEvent<{ n: number }>> {
  for (let n = 1; n <= count; n += 1) yield { id: String(n), event: 'number', data: { n } };
}

describe('a stream', () => {
  it('sends each event with its id and name, and ends', async () => {
    await using t = await serveStream(numbers);
    await using heard = await listen(`${t.url}/api/stream?count=3`, TOKEN);
    assert.deepEqual(
      [heard.status, heard.headers.get('content-type'), heard.headers.get('cache-control')],
      [200, 'text/event-stream; charset=utf-8', 'no-store'],
    );
    assert.deepEqual(
      await heard.rest(),
      [1, 2, 3].map((n) => ({ id: String(n), event: 'number', data: { n } })),
    );
  });

  it('sends an event when it happens, not when the next does', async () => {
    const gate = Promise.withResolvers<void>();
    await using t = await serveStream(async function* () {
      yield { data: { n: 1 } };
      await gate.promise;
      yield { data: { n: 2 } };
    });
    await using heard = await listen(`${t.url}/api/stream`, TOKEN);
    assert.deepEqual(await heard.take(1), [{ data: { n: 1 } }]);
    gate.resolve();
    assert.deepEqual(await heard.rest(), [{ data: { n: 2 } }]);
  });

  it('is gathered for who asks for JSON', async () => {
    await using t = await serveStream(numbers);
    const { json } = await call(`${t.url}/api/stream?count=2`, { headers: { ...TOKEN, accept: 'application/json' } });
    assert.deepEqual(json, {
      events: [
        { id: '1', event: 'number', data: { n: 1 } },
        { id: '2', event: 'number', data: { n: 2 } },
      ],
    });
  });

  it('is answered whole for who asks for JSON, where the route can', async () => {
    await using t = await serve([
      streamRoute(
        say,
        async function* () {
          yield { data: { n: 1 } };
        },
        async ({ text }) => ({ text: `${text}!`, more: true }),
      ),
    ]);
    const post = (accept: string) => call(`${t.url}/api/turns`, { method: 'POST', headers: { ...TOKEN, accept }, body: { text: 'hi' } });
    assert.deepEqual((await post('application/json')).json, { text: 'hi!' });
    assert.equal((await post('*/*')).text, 'data: {"n":1}\n\n');
  });

  it('that fails before it began is answered with its status; later, inside the stream', async () => {
    await using t = await serveStream(async function* ({ count = 0 }) {
      if (count === 0) throw new AppError('not_found', 'thing.not_found', 'None');
      yield { data: { n: 1 } };
      throw count === 1 ? new AppError('conflict', 'thing.taken', 'Taken') : new Error('hunter2');
    });
    const early = await call(`${t.url}/api/stream?count=0`, { headers: TOKEN });
    assert.deepEqual([early.status, early.json.error.code], [404, 'thing.not_found']);
    await using late = await listen(`${t.url}/api/stream?count=1`, TOKEN);
    const [, error] = await late.rest();
    assert.deepEqual([error?.event, error?.data.error.code], ['error', 'thing.taken']);
    await using bug = await listen(`${t.url}/api/stream?count=2`, TOKEN);
    const [, internal] = await bug.rest();
    assert.deepEqual([internal?.data.error.code, JSON.stringify(internal).includes('hunter2')], ['internal', false]);
    assert.equal(t.logged.at(-1)?.fields?.['id'], internal?.data.error.id);
  });

  it('returns its iterator and aborts its signal when the client goes, and when the server closes', async () => {
    for (const how of ['client', 'server'] as const) {
      const ended = Promise.withResolvers<string>();
      await using t = await serveStream(async function* (_input, { signal }) {
        try {
          yield { data: { n: 1 } };
          await once(signal, 'abort');
          yield { data: { n: 2 } };
        } finally {
          ended.resolve(`returned ${signal.aborted}`);
        }
      });
      const heard = await listen(`${t.url}/api/stream`, TOKEN);
      await heard.take(1);
      if (how === 'client') await heard[Symbol.asyncDispose]();
      else await t.stop();
      assert.equal(await ended.promise, 'returned true');
    }
  });

  it('is given up by an iterator that waits without looking at the signal', async () => {
    const returned = Promise.withResolvers<void>();
    const never: AsyncIterableIterator<StreamEvent<{ n: number }>> = {
      [Symbol.asyncIterator]: () => never,
      next: () => new Promise(() => {}),
      return: async () => (returned.resolve(), { done: true, value: undefined }),
    };
    await using t = await serveStream(() => never);
    const heard = await listen(`${t.url}/api/stream`, TOKEN);
    await heard[Symbol.asyncDispose]();
    await returned.promise;
  });

  it('beats when it is silent', async () => {
    await using t = await serveStream(async function* (_input, { signal }) {
      yield { data: { n: 1 } };
      await once(signal, 'abort');
    });
    await using heard = await listen(`${t.url}/api/stream`, TOKEN);
    await heard.take(1);
    const rest = heard.rest();
    await t.clock.advance(45_000);
    await t.stop();
    assert.deepEqual([await rest, heard.comments()], [[], 3]);
  });

  it('takes no more from its source than its client takes, and cuts off one that takes nothing', async () => {
    let made = 0;
    const closed = Promise.withResolvers<void>();
    await using t = await serveStream(async function* (_input, { signal }) {
      signal.addEventListener('abort', () => closed.resolve());
      for (; made < 1_000_000; made += 1) yield { event: 'x'.repeat(10_000), data: { n: made } };
    });
    const socket = connect(Number(new URL(t.url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    socket.write(`GET /api/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${TOKEN.authorization}\r\n\r\n`);
    for (let before = -1; before !== made || made === 0;) {
      before = made;
      for (let n = 0; n < 50; n += 1) await turn();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(made < 2_000, `${made} events were made for a client that reads none`);
    await t.clock.advance(30_000);
    await closed.promise;
    socket.destroy();
  });

  it('keeps fifty apart', async () => {
    await using t = await serveStream(async function* ({ count = 0 }) {
      for (let n = 0; n < 20; n += 1) {
        await turn();
        yield { data: { n: count * 100 + n } };
      }
    });
    const all = await Promise.all(
      Array.from({ length: 50 }, async (_, at) => {
        await using heard = await listen(`${t.url}/api/stream?count=${at}`, TOKEN);
        return (await heard.rest()).map(({ data }) => data.n);
      }),
    );
    assert.deepEqual(
      all,
      Array.from({ length: 50 }, (_, at) => Array.from({ length: 20 }, (__, n) => at * 100 + n)),
    );
  });

  it('lets nothing out that its schema does not name', async () => {
    await using t = await serveStream(async function* () {
      yield { data: { n: 1, secret: 'x' } as { n: number } };
    });
    assert.equal((await call(`${t.url}/api/stream`, { headers: TOKEN })).text, 'data: {"n":1}\n\n');
  });
});

it('an event keeps to its frame whatever is in it', () => {
  fc.assert(
    fc.property(anyText(), anyText(), fc.jsonValue(), (id, event, data) => {
      const text = frame({ id, event, data });
      assert.ok(text.endsWith('\n\n') && text.indexOf('\n\n') === text.length - 2);
      const lines = text.trimEnd().split(/\r\n|\r|\n/);
      assert.deepEqual(
        lines.map((line) => line.split(':', 1)[0]),
        ['id', 'event', 'data'],
      );
      assert.deepEqual(JSON.parse(lines[2]!.slice('data: '.length)), JSON.parse(JSON.stringify(data)));
    }),
  );
});
