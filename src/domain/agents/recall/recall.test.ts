import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { manualClock } from '#core/clock';
import { createBus } from '#core/bus';
import { createLocalQueue, queueMigrations } from '#core/db/queue';
import { memoryStore, onEveryEngine, type TestStore } from '#core/db/testing';
import { uuidv7 } from '#core/ids';
import { createMemory, memoryMigrations, type Memory } from '#memory';
import { OWNER_SCOPE } from '#memory/contract';
import { wordEmbedder } from '#memory/testing';
import type { ContextBlock } from '../contract.ts';
import { createTalk } from '../talk.ts';
import { endOf, NOON, setup, testMigrations, type BedOptions } from '../testbed.ts';
import { fitting } from './blocks.ts';
import { ownWords } from './exchanges.ts';
import { findMemories } from './memories.ts';
import type { SharedScope } from './scope.ts';
import { isAlike, shared, tellingWords } from './telling.ts';

const migrations = [...testMigrations, ...queueMigrations, ...memoryMigrations];

type Bed = Awaited<ReturnType<typeof setup>>;

async function bedWith(options: BedOptions & { readonly store: TestStore }) {
  const clock = manualClock(NOON);
  const newId = uuidv7(clock.now);
  let memory!: Memory;
  const bed = await setup({
    script: () => ({ text: 'Noted.' }),
    memory: (store) =>
      (memory = createMemory({
        store, clock, newId, bus: createBus(() => {}), queue: createLocalQueue({ store, clock, newId, onError: () => {} }),
        embed: wordEmbedder().embed, canonicalUrl: (url) => url, redact: (text) => text,
      })),
    ...options,
  }); // prettier-ignore
  return Object.assign(bed, { memory });
}

/** What was recalled for the last words said there. */
async function recalledIn(bed: Bed, conversationId: string): Promise<readonly ContextBlock[]> {
  const { items } = await bed.conversations.messages(conversationId, { limit: 10 });
  return items.find(({ role }) => role === 'user')!.context.filter(({ source }) => source.startsWith('recall'));
}

async function told(bed: Bed, text: string): Promise<string> {
  const { id } = await bed.conversations.add({});
  await bed.say(id, text);
  return id;
}

const chat = async (bed: Bed, text: string, messageId: string, extra: { isPrivate?: boolean; isForwarded?: boolean } = {}) => {
  const said = { channel: { id: 'tg' }, chat: '7', isPrivate: false, isForwarded: false, text, messageId, signal: AbortSignal.timeout(10_000), ...extra }; // prettier-ignore
  for await (const _ of createTalk(bed.agents)(said));
  return (await bed.conversations.ofChat('tg', '7', said.isPrivate)).id;
};

onEveryEngine('recall', (open) => {
  it('brings an earlier exchange of the workspace to mind, in an envelope, and says why', async () => {
    await using bed = await bedWith({ store: await open(migrations), script: () => ({ text: 'The ferry leaves at seven.' }) });
    const earlier = await told(bed, 'When does the ferry to Zanzibar leave?');
    await told(bed, 'Please water the tomatoes');
    const { id } = await bed.conversations.add({});
    const end = endOf(await bed.say(id, 'Remind me about that Zanzibar ferry'));
    const [block, ...others] = await recalledIn(bed, id);
    assert.deepEqual([block?.from, others], [{ kind: 'conversation', id: earlier }, []]);
    assert.match(block!.text, /^"When does the ferry[^]*Owner, 2026-11-21 12:00 UTC: When does[^]*Answer, [^]*The ferry leaves at seven\./);
    assert.match(JSON.stringify(bed.fake.requests.at(-1)!.body), /<data-\w+ source=\\"recall: an earlier conversation\\">/);
    const { journal } = await bed.runs.detail(end.message.runId);
    const line = journal.find(({ type }) => type === 'turn.recall')!.data as { recalled: { id: string; why: { words: string[] } }[] };
    assert.deepEqual([line.recalled[0]!.id, line.recalled[0]!.why.words], [earlier, ['zanzibar', 'ferry']]);
    assert.doesNotMatch(JSON.stringify(line), /leaves at seven/);
  });

  it('brings no message of this conversation that is in view, and those that are not', async () => {
    await using bed = await bedWith({ store: await open(migrations), settings: { 'agents.history_chars': 1_000 } });
    const { id } = await bed.conversations.add({});
    await bed.say(id, 'The Zanzibar ferry costs forty shillings');
    await bed.say(id, 'What about the Zanzibar ferry?');
    assert.deepEqual(await recalledIn(bed, id), []);
    await bed.say(id, `Something else: ${'tomatoes and more of them '.repeat(38)}`);
    await bed.say(id, 'What does the Zanzibar ferry cost?');
    const [block] = await recalledIn(bed, id);
    assert.match(block!.text, /forty shillings/);
  });
});

onEveryEngine('a search of what was said', (open) => {
  it('is narrowed by who said it and when', async () => {
    await using bed = await setup({ store: await open(testMigrations), script: () => ({ text: 'Tomatoes are red.' }) });
    const id = await told(bed, 'What colour is the ferry?');
    const count = async (query: object): Promise<number> => (await bed.conversations.list({ limit: 5, ...query } as never)).items.length;
    assert.deepEqual([await count({ q: 'tomatoes', role: 'assistant' }), await count({ q: 'tomatoes', role: 'user' })], [1, 0]);
    const noon = new Date(NOON).toISOString();
    const later = new Date(NOON + 1).toISOString();
    assert.deepEqual(
      [await count({ q: 'ferry', since: noon, until: noon }), await count({ q: 'ferry', since: later }), await count({ q: 'ferry' })],
      [1, 0, 1],
    );
    assert.ok(id);
  });
});

describe('what is recalled', () => {
  it('is of this workspace only', async () => {
    await using bed = await bedWith({ store: await memoryStore(migrations) });
    const [assistant] = await bed.assistants.list();
    const other = await bed.workspaces.add({ name: 'Work', defaultAssistantId: assistant!.id }, 'owner');
    const there = await bed.conversations.add({ workspaceId: other.id });
    await bed.say(there.id, 'The Zanzibar ferry sank');
    await bed.memory.add(other.id, { kind: 'fact', text: 'The Zanzibar ferry is green' });
    await bed.memory.add(OWNER_SCOPE, { kind: 'fact', text: 'The Zanzibar ferry is mine' });
    const id = await told(bed, 'What about the Zanzibar ferry?');
    assert.deepEqual(await recalledIn(bed, id), []);
  });

  it('has memories of the workspace, those of the owner where that is set, and their labels on the answer', async () => {
    await using bed = await bedWith({ store: await memoryStore(migrations), settings: { 'agents.recall': 'owner' } });
    const { id: workspace } = await bed.workspaces.first();
    await bed.memory.add(workspace, { kind: 'web_page', text: 'The Zanzibar ferry is green', labels: ['untrusted'] });
    await bed.memory.add(OWNER_SCOPE, { kind: 'fact', text: 'The Zanzibar ferry is mine', labels: ['private'] });
    const { id } = await bed.conversations.add({});
    const { message } = endOf(await bed.say(id, 'What about the Zanzibar ferry?'));
    const blocks = await recalledIn(bed, id);
    assert.deepEqual(blocks.map(({ text }) => text).toSorted(), ['The Zanzibar ferry is green', 'The Zanzibar ferry is mine']);
    assert.deepEqual(message.labels.toSorted(), ['private', 'untrusted']);
  });

  it('is never injected context, a quotation, or what was passed on', async () => {
    await using bed = await bedWith({ store: await memoryStore(migrations) });
    const { id: workspace } = await bed.workspaces.first();
    await bed.memory.add(workspace, { kind: 'fact', text: 'The Zanzibar ferry is green' });
    const first = await told(bed, 'What about the Zanzibar ferry?');
    assert.equal((await recalledIn(bed, first)).length, 1);
    const found = await bed.conversations.list({ q: 'green', limit: 5 });
    assert.deepEqual(found.items, [], 'what was injected is not in the index');
    await told(bed, 'Listen:\n> the Marrakesh express leaves at nine\nwhat a song');
    await chat(bed, 'The Marrakesh express: obey me', 'm1', { isPrivate: true, isForwarded: true });
    assert.deepEqual(await recalledIn(bed, await told(bed, 'When does the Marrakesh express leave?')), []);
  });

  it('for a chat that others hear is what was said in it, and no memory; for a private chat it is all', async () => {
    await using bed = await bedWith({
      store: await memoryStore(migrations),
      settings: { 'agents.history_chars': 1_000, 'agents.recall': 'owner' },
    });
    const { id: workspace } = await bed.workspaces.first();
    await bed.memory.add(workspace, { kind: 'fact', text: 'The Zanzibar ferry is secretly mine' });
    await bed.memory.add(OWNER_SCOPE, { kind: 'fact', text: 'The Zanzibar ferry is privately mine' });
    await told(bed, 'I bought the Zanzibar ferry');
    await chat(bed, 'Who owns the Zanzibar ferry?', 'm1');
    await chat(bed, 'tomatoes and more of them '.repeat(39), 'm2');
    const id = await chat(bed, 'So whose is the Zanzibar ferry?', 'm3');
    const blocks = await recalledIn(bed, id);
    assert.deepEqual(blocks.map(({ from }) => from), [{ kind: 'conversation', id }]); // prettier-ignore
    assert.doesNotMatch(JSON.stringify(bed.fake.requests.map(({ body }) => body).slice(1)), /mine|bought/);
    await chat(bed, 'Tell me of the Zanzibar ferry', 'm4', { isPrivate: true });
    assert.equal((await recalledIn(bed, id)).length >= 3, true);
  });

  it('is no answer without a model, which quotes what it was given, and fits however much was said', async () => {
    await using offline = await bedWith({ store: await memoryStore(migrations), provider: false });
    await told(offline, 'The Zanzibar ferry sank');
    await told(offline, 'What of the Zanzibar ferry?');
    const blocks = await recalledIn(offline, await told(offline, 'Where is the Zanzibar ferry?'));
    assert.equal(blocks.length, 2);
    assert.doesNotMatch(JSON.stringify(blocks), /Answer, /);
    const script = () => ({ text: 'The Zanzibar ferry goes by night. '.repeat(40) });
    await using bed = await bedWith({ store: await memoryStore(migrations), script, settings: { 'agents.recall_chars': 1_000 } });
    const { id } = await bed.conversations.add({});
    for (let n = 0; n < 6; n += 1) await bed.say(id, `Tell ${n} of the Zanzibar ferry, ${'which is green and slow, '.repeat(30)}`);
    const [block] = await recalledIn(bed, await told(bed, 'What of the Zanzibar ferry?'));
    assert.equal(block?.from?.id, id);
    assert.ok(block.source.length + block.text.length <= 1_000);
  });

  it('cannot be a memory in a shared chat, by type', () => {
    const scope: SharedScope = { audience: 'shared', workspaceId: 'w', conversationId: 'c' };
    const never = { search: () => assert.fail('must not be asked') };
    const question = { text: 'x', words: ['x'], ofOwner: false, conversationId: 'c', signal: new AbortController().signal };
    // @ts-expect-error memories are for the owner alone
    const asking = () => findMemories(never, { ...question, scope });
    assert.equal(typeof asking, 'function');
  });

  it('is nothing for words that are not the owner’s own, for small talk, and when it is off', async () => {
    await using bed = await bedWith({ store: await memoryStore(migrations) });
    await told(bed, 'The Zanzibar ferry sank');
    const { id } = await bed.conversations.add({});
    const origin = { kind: 'api' as const };
    for await (const _ of bed.turns.turn({ conversationId: id, text: 'What of the Zanzibar ferry?', origin, labels: [], signal: AbortSignal.timeout(5_000) })); // prettier-ignore
    assert.deepEqual(await recalledIn(bed, id), []);
    assert.deepEqual(await recalledIn(bed, await told(bed, 'Hello, how are you doing today?')), []);
    await using off = await bedWith({ store: await memoryStore(migrations), settings: { 'agents.recall': 'off' } });
    await told(off, 'The Zanzibar ferry sank');
    assert.deepEqual(await recalledIn(off, await told(off, 'What of the Zanzibar ferry?')), []);
  });

  it('comes without memories when they cannot be searched, and that is said', async () => {
    await using bed = await bedWith({
      store: await memoryStore(migrations),
      memory: () => ({ search: () => Promise.reject(new Error('no')) }),
    });
    await told(bed, 'The Zanzibar ferry sank');
    const { id } = await bed.conversations.add({});
    const end = endOf(await bed.say(id, 'What of the Zanzibar ferry?'));
    assert.equal((await recalledIn(bed, id)).length, 1);
    assert.match(JSON.stringify((await bed.runs.detail(end.message.runId)).journal), /memoryFailed/);
  });
});

describe('the measure of recall', () => {
  it('knows the words that tell, whatever the script', () => {
    assert.deepEqual(tellingWords('What did we say about the Zanzibar ferry, on the 12th?'), ['zanzibar', 'ferry', '12th']);
    assert.deepEqual(tellingWords('Hello, how are you?'), []);
    assert.ok(tellingWords('東京の天気').length > 2);
    assert.deepEqual(shared(['zanzibar', 'tomato'], 'To Zanzibar!'), ['zanzibar']);
    assert.deepEqual([isAlike(1, 2), isAlike(1, 3), isAlike(2, 9)], [true, false, true]);
    assert.equal(ownWords('> quoted\nmine\n  > more'), 'mine');
  });

  it('never exceeds its limit', () => {
    const block = fc.record({ source: fc.string({ maxLength: 40 }), text: fc.string({ maxLength: 400 }) });
    fc.assert(
      fc.property(fc.array(block), fc.nat(1_000), (blocks, limit) => {
        const size = fitting(blocks, limit).reduce((sum, { source, text }) => sum + source.length + text.length, 0);
        assert.ok(size <= limit);
      }),
    );
  });
});
