import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { createBus } from '#core/bus';
import type { StreamEvent } from '#core/endpoint';
import { createEventFeed } from './event-feed.ts';
import { listen, READER, serve, SESSION, TOKEN } from './testing.ts';

function setup(capacity = 2_000) {
  const life = new AbortController();
  const bus = createBus(() => {});
  const feed = createEventFeed({ bus, boot: 'b1', signal: life.signal, capacity });
  return { bus, feed, tell: (n: number) => bus.publish('test.told', { n }), [Symbol.dispose]: () => life.abort() };
}

/** Takes what is there now: stops at the first wait. */
async function now(events: AsyncIterator<StreamEvent<unknown>>): Promise<StreamEvent<unknown>[]> {
  const taken: StreamEvent<unknown>[] = [];
  for (;;) {
    const idle = (async () => {
      for (let n = 0; n < 5; n += 1) await turn();
      return 'idle' as const;
    })();
    const next = await Promise.race([events.next(), idle]);
    if (next === 'idle' || next.done) return taken;
    taken.push(next.value);
  }
}

describe('the event stream', () => {
  it('tells what happens, by topic, under ids that name this life', async () => {
    await using t = await serve([]);
    await using heard = await listen(`${t.url}/api/events?topics=test.`, TOKEN);
    const [ready] = await heard.take(1);
    t.bus.publish('other.told', { n: 1 });
    t.bus.publish('test.told', { n: 2 });
    const [told] = await heard.take(1);
    assert.deepEqual([ready?.event, told?.event, told?.data], ['ready', 'test.told', { n: 2 }]);
    assert.match(told!.id!, /^[0-9a-f]{12}-2$/);
  });

  it('needs events:read', async () => {
    await using t = await serve([]);
    for (const [headers, status] of [
      [{}, 401],
      [READER, 403],
      [SESSION, 200],
    ] as const) {
      await using heard = await listen(`${t.url}/api/events`, headers);
      assert.equal(heard.status, status);
    }
  });

  it('ends for whoever would not be let in any more', async () => {
    let isIn = true;
    const owner = { caller: { id: 'owner', grants: new Set(['*']) }, csrfToken: 'x' };
    await using t = await serve([], {
      auth: { session: async () => (isIn ? owner : null), bearer: async () => owner.caller },
    });
    await using heard = await listen(`${t.url}/api/events?topics=test.`, SESSION);
    await using other = await listen(`${t.url}/api/events?topics=test.`, TOKEN);
    await Promise.all([heard.take(1), other.take(1)]);
    await t.clock.advance(15_000);
    t.bus.publish('test.told', { n: 1 });
    await heard.take(1);
    isIn = false; // logged out elsewhere
    await t.clock.advance(15_000);
    assert.deepEqual(await heard.rest(), []);
    t.bus.publish('test.told', { n: 2 });
    assert.deepEqual(
      (await other.take(2)).map(({ data }) => data.n),
      [1, 2],
    );
  });

  it('goes on after Last-Event-ID, over a new connection, with nothing lost or doubled', async () => {
    await using t = await serve([]);
    const heard: number[] = [];
    let last: string | undefined;
    let sent = 0;
    const tell = (): void => t.bus.publish('test.told', { n: (sent += 1) });
    for (let round = 0; round < 5; round += 1) {
      await using stream = await listen(`${t.url}/api/events`, { ...TOKEN, ...(last && { 'last-event-id': last }) });
      const [ready] = await stream.take(1);
      assert.equal(ready?.event, 'ready');
      last ??= ready!.id!;
      for (let n = 0; n < 7; n += 1) tell();
      const due = sent - heard.length;
      for (const { id, data } of await stream.take(Math.min(5, due))) {
        heard.push(data.n);
        last = id!;
      }
      tell();
    }
    await using stream = await listen(`${t.url}/api/events`, { ...TOKEN, 'last-event-id': last! });
    await stream.take(1);
    for (const { data } of await stream.take(sent - heard.length)) heard.push(data.n);
    assert.deepEqual(
      heard,
      Array.from({ length: sent }, (_, at) => at + 1),
    );
  });

  it('loses and doubles nothing whatever breaks in between, as long as the ring holds it; else it says so', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ tell: fc.nat(12), take: fc.nat(12), breaks: fc.boolean() }), { maxLength: 12 }),
        async (script) => {
          using t = setup(8);
          const open = (after?: string) => {
            const stop = new AbortController();
            const events = t.feed.follow(undefined, after, stop.signal)[Symbol.asyncIterator]();
            return { next: () => events.next(), close: () => stop.abort() };
          };
          let stream = open();
          let last = (await stream.next()).value as StreamEvent<unknown>;
          let sent = 0;
          let expected = 1;
          for (const { tell, take, breaks } of script) {
            for (let n = 0; n < tell; n += 1) t.tell((sent += 1));
            if (breaks) {
              stream.close();
              stream = open(last.id);
            }
            for (let n = 0; n < take && (expected <= sent || breaks); n += 1) {
              const idle = Promise.all([turn(), turn()])
                .then(() => turn())
                .then(() => null);
              const next = await Promise.race([stream.next(), idle]);
              if (next === null) {
                stream.close();
                stream = open(last.id);
                break;
              }
              const event = next.value as StreamEvent<{ n: number }>;
              if (event.event === 'reset') {
                assert.ok(sent - expected + 1 > 8, 'a reset although nothing was lost');
                expected = sent + 1;
              } else if (event.event !== 'ready') {
                assert.equal(event.data.n, expected);
                expected += 1;
              }
              last = event;
            }
          }
          stream.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  for (const [what, after] of [
    ['of another life', 'b0-9'],
    ['that is too old', 'b1-1'],
    ['from the future', 'b1-99'],
    ['that is none', 'nonsense'],
    ['that is none', 'b1-'],
    ['that is none', 'b1--1'],
  ] as const) {
    it(`says reset to an id ${what} (${after}) and goes on from now`, async () => {
      using t = setup(4);
      for (let n = 1; n <= 10; n += 1) t.tell(n);
      const stop = new AbortController();
      const stream = t.feed.follow(undefined, after, stop.signal)[Symbol.asyncIterator]();
      const before = (await stream.next()).value as StreamEvent<unknown>;
      t.tell(11);
      const next = (await stream.next()).value as StreamEvent<unknown>;
      assert.deepEqual([before.event, before.id, next.data], ['reset', 'b1-10', { n: 11 }]);
      stop.abort();
    });
  }

  it('holds nothing for a slow reader: one that is overtaken is told and goes on from the present', async () => {
    using t = setup(4);
    const stop = new AbortController();
    const stream = t.feed.follow(undefined, undefined, stop.signal)[Symbol.asyncIterator]();
    await stream.next();
    for (let n = 1; n <= 1_000; n += 1) t.tell(n);
    const pending = now(stream);
    const events = await pending;
    assert.deepEqual(
      events.map(({ event, id }) => [event, id]),
      [['reset', 'b1-1000']],
    );
    stop.abort();
  });

  it('ends with its signal', async () => {
    using t = setup();
    const stop = new AbortController();
    const stream = t.feed.follow(undefined, undefined, stop.signal)[Symbol.asyncIterator]();
    await stream.next();
    const waiting = stream.next();
    stop.abort();
    assert.equal((await waiting).done, true);
  });
});
