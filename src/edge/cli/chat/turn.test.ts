import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TurnEvent } from '#agents/contract';
import type { CallOptions, Client } from '#core/client';
import type { StreamEvent } from '#core/endpoint';
import { AppError } from '#core/errors';
import type { Cli } from '../context.ts';
import { turnEvents } from './turn.ts';

type Event = StreamEvent<TurnEvent>;

const start = { id: 'a-0', data: { type: 'start', runId: 'run', answerId: 'a' } } as unknown as Event;
const text = (place: number, words: string): Event => ({ id: `a-${place}`, data: { type: 'text', text: words } });
const end = { id: 'a-end', data: { type: 'end', status: 'succeeded' } } as unknown as Event;
const gone = new TypeError('terminated');

/** An agent whose streams are played one after the other; an error in one breaks it there. */
function setup(...streams: readonly (readonly (Event | Error)[])[]) {
  const asked: { path: string; options: CallOptions | undefined }[] = [];
  const client = {
    async *stream({ path }: { path: string }, _input: unknown, options?: CallOptions) {
      const events = streams[asked.length] ?? [];
      asked.push({ path, options });
      for (const event of events) {
        if (event instanceof Error) throw event;
        yield event;
      }
    },
  } as unknown as Client;
  const io = { client: async () => client } as unknown as Cli;
  const said = async (): Promise<string[]> => {
    const seen: string[] = [];
    for await (const event of turnEvents(io, { conversationId: 'c', text: 'hello', signal: AbortSignal.timeout(5_000) }))
      seen.push(event.type === 'text' ? event.text : event.type);
    return seen;
  };
  return { asked, said };
}

describe('a turn followed from the terminal', () => {
  it('goes on after the last event it heard when the stream drops', async () => {
    const { asked, said } = setup([start, text(3, 'one'), gone], [text(6, 'two')], [text(9, 'three'), end]);
    assert.deepEqual(await said(), ['start', 'one', 'two', 'three', 'end']);
    const [first, ...rest] = asked;
    assert.match(first!.path, /\/turns$/);
    assert.deepEqual(
      rest.map(({ path, options }) => [path.endsWith('/events'), options?.lastEventId]),
      [
        [true, 'a-3'],
        [true, 'a-6'],
      ],
    );
  });

  it('says it again under the same key when nothing was heard: it may not have arrived', async () => {
    const { asked, said } = setup([new AppError('unavailable', 'agent.unreachable', 'no')], [start, end]);
    assert.deepEqual(await said(), ['start', 'end']);
    assert.equal(asked.length, 2);
    assert.ok(asked[0]!.options?.idempotencyKey);
    assert.equal(asked[1]!.options?.idempotencyKey, asked[0]!.options?.idempotencyKey);
  });

  it('passes on what the agent refuses, at once or in the stream', async () => {
    const refused = setup([new AppError('not_found', 'agent.no_conversation', 'no')]);
    await assert.rejects(refused.said(), { code: 'agent.no_conversation' });
    const broken = setup([
      start,
      { event: 'error', data: { error: { kind: 'unavailable', code: 'store.disk_full', message: 'full' } } as never },
    ]);
    await assert.rejects(broken.said(), { code: 'store.disk_full' });
    assert.equal(broken.asked.length, 1);
  });
});
