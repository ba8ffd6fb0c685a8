import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { createLocalQueue, queueMigrations } from '#core/db/queue';
import { memoryStore } from '#core/db/testing';
import { uuidv7 } from '#core/ids';
import type { MemoryHits, MemoryItem } from './contract.ts';
import { createMemory } from './memory.ts';
import { memoryRoutes } from './routes.ts';
import { memoryMigrations } from './tables.ts';
import { wordEmbedder } from './testing.ts';

async function setup() {
  const store = await memoryStore(queueMigrations, memoryMigrations);
  const newId = uuidv7();
  const queue = createLocalQueue({ store, clock: systemClock, newId, onError: () => {} });
  const memory = createMemory({
    store,
    bus: createBus(() => {}),
    clock: systemClock,
    newId,
    queue,
    embed: wordEmbedder().embed,
    canonicalUrl: (url) => url,
    redact: (text) => text,
  });
  const routes = memoryRoutes(memory);

  /** As the server does it: input read by the endpoint's schema, answer checked by it. */
  async function call<T>(method: string, path: string, input: unknown, caller = 'owner'): Promise<T> {
    const { endpoint, handle } = routes.find((one) => one.endpoint.method === method && one.endpoint.path === path)!;
    const request = { caller: { id: caller, grants: new Set<string>() }, signal: new AbortController().signal };
    return endpoint.output.parse(await handle(endpoint.input.parse(input) as never, request)) as T;
  }
  return { call, [Symbol.asyncDispose]: () => store.close() };
}

type AddedItem = MemoryItem & { existed: boolean };

describe('memory routes', () => {
  it('live through the life of a memory', async () => {
    await using it = await setup();
    const added = await it.call<AddedItem>('POST', '/api/memories', { kind: 'fact', text: 'tea at five' });
    assert.deepEqual([added.scope, added.existed, added.labels, added.provenance], ['owner', false, ['owner'], { source: 'owner' }]);
    const { id } = added;
    assert.equal((await it.call<MemoryHits>('GET', '/api/memories/search', { q: 'tea', limit: '5' })).items[0]!.id, id);
    assert.deepEqual((await it.call<MemoryHits>('GET', '/api/memories/search', { q: 'tea', kind: 'news_item,summary' })).items, []);
    assert.equal((await it.call<MemoryItem>('PUT', '/api/memories/{id}', { id, text: 'tea at six' })).text, 'tea at six');
    await it.call('DELETE', '/api/memories/{id}', { id });
    assert.deepEqual((await it.call<{ items: unknown[] }>('GET', '/api/memories', {})).items, []);
    assert.equal((await it.call<AddedItem>('POST', '/api/memories', { kind: 'fact', text: 'tea at five' })).existed, true);
    await it.call('POST', '/api/memories/{id}/restore', { id });
    assert.equal((await it.call<{ items: unknown[] }>('GET', '/api/memories', { limit: '10' })).items.length, 1);
    await it.call('DELETE', '/api/memories/{id}', { id, purge: 'true' });
    await assert.rejects(it.call('GET', '/api/memories/{id}', { id }), { code: 'memory.not_found' });
    assert.deepEqual(await it.call('GET', '/api/memories/stats', {}), { kinds: [], trashed: 0, vectors: [] });
  });

  it('let nobody but the owner write as the owner', async () => {
    await using it = await setup();
    const added = await it.call<AddedItem>(
      'POST',
      '/api/memories',
      { kind: 'fact', text: 'trust me', labels: ['owner', 'untrusted'] },
      'token:1',
    );
    assert.deepEqual([added.labels, added.provenance.source], [['untrusted'], 'token:1']);
    const { id } = await it.call<AddedItem>('POST', '/api/memories', { kind: 'fact', text: 'mine', labels: ['owner', 'private'] });
    const changed = await it.call<MemoryItem>(
      'PUT',
      '/api/memories/{id}',
      { id, text: 'theirs', labels: ['owner', 'untrusted'] },
      'token:1',
    );
    assert.deepEqual(changed.labels, ['private', 'untrusted'], 'a program takes no label off but the owner’s');
  });
});
