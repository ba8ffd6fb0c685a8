import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { onEveryEngine } from '#core/db/testing';
import type { Backend } from './backend.ts';
import { setup, testMigrations, until } from './testbed.ts';

type Bed = Awaited<ReturnType<typeof setup>>;

const oldestFirst = async (bed: Bed, id: string) => (await bed.conversations.messages(id, { limit: 100 })).items.toReversed();

async function total(bed: Bed): Promise<number> {
  return (await bed.runs.list({ limit: 50 })).items.reduce((sum, { costUsd }) => sum + costUsd, 0);
}

onEveryEngine('a fork', (open) => {
  it('begins with copies up to the end of a turn, labels and receipts kept, and goes its own way', async () => {
    await using bed = await setup({
      store: await open(testMigrations),
      script: (_request, n) => ({ text: `Answer ${n}.`, usage: { input: 1_000, output: 100 } }),
    });
    const { id } = await bed.conversations.add({ title: 'Ferries' });
    await bed.say(id, 'What of the ferry?');
    const origin = { kind: 'channel' as const };
    for await (const _ of bed.turns.turn({ conversationId: id, text: 'From afar', origin, labels: ['untrusted'], signal: AbortSignal.timeout(5_000) })); // prettier-ignore
    await bed.say(id, 'And the third?');
    const before = await oldestFirst(bed, id);
    const cost = await total(bed);
    const fork = await bed.conversations.fork(id, before[2]!.id);
    assert.deepEqual([fork.forkedFrom, fork.title, fork.channel, fork.shared], [id, 'Ferries', null, false]);
    const copied = await oldestFirst(bed, fork.id);
    const facts = ({ role, text, labels, receipt, context, parts, createdAt, runId }: (typeof copied)[number]) => ({ role, text, labels, receipt, context, parts, createdAt, runId }); // prettier-ignore
    assert.deepEqual(copied.map(facts), before.slice(0, 4).map(facts));
    assert.deepEqual([copied[3]!.replyTo, copied[3]!.labels], [copied[2]!.id, ['untrusted']]);
    assert.equal(await total(bed), cost, 'nothing is counted twice');

    await bed.say(fork.id, 'Elsewhere now');
    const prompt = JSON.stringify(bed.fake.requests.at(-1)!.body);
    assert.match(prompt, /What of the ferry\?[^]*From afar[^]*Elsewhere now/);
    assert.doesNotMatch(prompt, /the third/);
    assert.ok((await oldestFirst(bed, fork.id)).at(-1)!.labels.includes('untrusted'));
    assert.deepEqual(await oldestFirst(bed, id), before, 'the other stays as it is');
    await bed.conversations.remove(id);
    assert.equal((await oldestFirst(bed, fork.id)).length, 6);
    assert.equal((await bed.conversations.list({ q: 'ferry', limit: 5 })).items[0]?.id, fork.id);
  });
});

describe('forking', () => {
  it('takes the summary along where it covers only what is copied', async () => {
    await using bed = await setup({
      settings: { 'agents.history_chars': 1_000, 'agents.recall': 'off' },
      script: ({ body }) => ({ text: JSON.stringify(body).includes('You keep the notes') ? 'Summary.' : 'long '.repeat(60) }),
    });
    const { id } = await bed.conversations.add({});
    for (let n = 0; n < 5; n += 1) {
      await bed.say(id, `question ${n}`);
      await bed.agents.compaction.idle();
    }
    const messages = await oldestFirst(bed, id);
    const summary = (await bed.conversations.summary(id))!;
    const fork = await bed.conversations.fork(id);
    const copies = await oldestFirst(bed, fork.id);
    const at = messages.findIndex((it) => it.id === summary.until);
    assert.deepEqual(await bed.conversations.summary(fork.id), { ...summary, until: copies[at]!.id });
    const early = await bed.conversations.fork(id, messages[0]!.id);
    assert.equal(await bed.conversations.summary(early.id), null);
    assert.equal((await oldestFirst(bed, early.id)).length, 2);
  });

  it('recalls nothing twice, and nothing that is in view as a copy', async () => {
    await using bed = await setup({ script: () => ({ text: 'At seven.' }) });
    const { id } = await bed.conversations.add({});
    await bed.say(id, 'When does the Zanzibar ferry leave?');
    const fork = await bed.conversations.fork(id);
    await bed.say(fork.id, 'The Zanzibar ferry, please');
    const recalled = async (conversation: string) => (await oldestFirst(bed, conversation)).findLast(({ role }) => role === 'user')!.context.filter(({ from }) => from); // prettier-ignore
    assert.deepEqual(await recalled(fork.id), []);
    const { id: third } = await bed.conversations.add({});
    await bed.say(third, 'The Zanzibar ferry again');
    const texts = (await recalled(third)).map(({ text }) => text).join('\n');
    assert.equal(texts.split('UTC: When does the Zanzibar ferry leave?').length, 2, 'once');
  });

  it('is refused for what is not there, for nothing, and for what is being answered', async () => {
    const end = Promise.withResolvers<void>();
    const slow: Backend = {
      id: 'builtin',
      title: 'Slow',
      async *run({ signal }) {
        signal.addEventListener('abort', () => end.resolve());
        yield { type: 'text', text: 'so far' };
        await end.promise;
        signal.throwIfAborted();
      },
    };
    await using bed = await setup({ backends: [slow] });
    const { id } = await bed.conversations.add({});
    await assert.rejects(bed.conversations.fork('x'), { code: 'agent.no_conversation' });
    await assert.rejects(bed.conversations.fork(id), { code: 'agent.nothing_to_fork' });
    await assert.rejects(bed.conversations.fork(id, 'x'), { code: 'agent.no_message' });
    const turn = await bed.turns.start({ conversationId: id, text: 'Wait', origin: { kind: 'owner' } });
    await until(async () => (await oldestFirst(bed, id)).some(({ turn: status }) => status === 'running'));
    await assert.rejects(bed.conversations.fork(id, turn.answerId), { code: 'agent.conversation_busy' });
    await assert.rejects(bed.conversations.fork(id), { code: 'agent.nothing_to_fork' });
    await bed.turns.cancel(id);
    assert.equal((await bed.conversations.list({ limit: 10 })).items.length, 1, 'what is refused leaves nothing behind');
    assert.equal((await oldestFirst(bed, (await bed.conversations.fork(id)).id)).length, 2);
  });
});
