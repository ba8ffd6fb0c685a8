import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { createLocalQueue, queueMigrations } from '#core/db/queue';
import { memoryStore } from '#core/db/testing';
import { AppError } from '#core/errors';
import { uuidv7 } from '#core/ids';
import { createMemory, memoryMigrations } from '#memory';
import { wordEmbedder } from '#memory/testing';
import { rememberAtEnd, skillMemory, type ScopeOf } from './memories.ts';

const IDS: Readonly<Record<string, string>> = { Work: 'w-1', Garden: 'w-2' };
const scopeOf: ScopeOf = async (workspace) => {
  if (workspace === null) return 'owner';
  const id = IDS[workspace];
  if (id === undefined) throw new AppError('not_found', 'agent.no_workspace', 'No such workspace');
  return id;
};

async function setup() {
  const store = await memoryStore(queueMigrations, memoryMigrations);
  const [clock, newId] = [systemClock, uuidv7()];
  const memory = createMemory({
    store,
    bus: createBus((_, error) => assert.fail(String(error))),
    clock,
    newId,
    queue: createLocalQueue({ store, clock, newId, onError: (_, error) => assert.fail(String(error)) }),
    embed: wordEmbedder().embed,
    canonicalUrl: (url) => url,
    redact: (text) => text,
  });
  return {
    store,
    memory,
    of: (workspace: string | null) =>
      skillMemory(memory, clock, scopeOf)({ runId: 'r', step: 's', workspace, labels: () => ['untrusted'] }),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

it('each workspace has memories of its own, what a run took in at its end among them; the owner’s are those of none', async () => {
  await using t = await setup();
  await t.of('Work').add({ kind: 'fact', text: 'The parcel goes to Vienna.' });
  await t.store.write((tx) =>
    rememberAtEnd(t.memory, scopeOf)!(
      tx,
      { items: [{ kind: 'fact', text: 'The parcel weighs two kilos.', identity: 'parcel' }] },
      { runId: 'r', step: 's', workspace: 'Work', labels: [] },
    ),
  );
  const found = async (workspace: string | null) => (await t.of(workspace).search('parcel')).map(({ text }) => text).toSorted();
  assert.deepEqual(await found('Work'), ['The parcel goes to Vienna.', 'The parcel weighs two kilos.']);
  assert.deepEqual([await found('Garden'), await found(null)], [[], []]);
  assert.equal((await t.of('Work').known(['parcel'])).has('parcel'), true);
  assert.equal((await t.of(null).known(['parcel'])).has('parcel'), false);
});

it('a workspace that is gone is an error, not the owner’s memories', async () => {
  await using t = await setup();
  await assert.rejects(t.of('Gone').search('parcel'), { code: 'agent.no_workspace' });
  await assert.rejects(t.of('Gone').add({ kind: 'fact', text: 'x' }), { code: 'agent.no_workspace' });
});
