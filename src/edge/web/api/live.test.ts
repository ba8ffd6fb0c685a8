import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { QueryClient } from '@tanstack/react-query';
import type { Client } from '#core/client';
import { followLive, stalePaths } from './live.ts';
import { keyOf } from './query.ts';

describe('The live feed', () => {
  it('knows what an event makes stale', () => {
    assert.ok(stalePaths('run.changed').includes('/api/runs/{id}'));
    assert.ok(stalePaths('step.changed').includes('/api/runs/{id}'));
    assert.ok(!stalePaths('step.changed').includes('/api/runs'), 'a step changes no list');
    assert.deepEqual(stalePaths('ready'), []);
  });

  it('comes again after being cut off, from where it was, and reads everything anew when events were missed', async () => {
    const life = new AbortController();
    const asked: (string | undefined)[] = [];
    const states: boolean[] = [];
    const queries = new QueryClient();
    queries.setQueryData(keyOf({ path: '/api/runs' }, {}), 1);
    queries.setQueryData(keyOf({ path: '/api/skills' }, {}), 1);
    const isStale = (path: `/${string}`): boolean => queries.getQueryState(keyOf({ path }, {}))!.isInvalidated;
    const gathered = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 250));

    const client = {
      call: () => assert.fail('nothing is called'),
      async *stream(_endpoint: unknown, _input: unknown, { lastEventId }: { lastEventId?: string }) {
        asked.push(lastEventId);
        if (asked.length === 1) {
          yield { id: 'b-7', event: 'run.changed', data: {} };
          await gathered();
          assert.ok(isStale('/api/runs') && !isStale('/api/skills'));
          throw new Error('cut off');
        }
        yield { id: 'c-1', event: 'reset', data: {} };
        await gathered();
        assert.ok(isStale('/api/skills'));
        life.abort();
      },
    } as unknown as Client;

    await followLive({ client, queries, signal: life.signal, onState: (isHeard) => void states.push(isHeard) });
    assert.deepEqual(asked, [undefined, 'b-7']);
    assert.deepEqual(states, [true, false, true]);
  });
});
