import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StreamEvent } from '#core/endpoint';
import { createSearchIndex } from '#core/db/search';
import { onEveryEngine } from '#core/db/testing';
import type { Backend } from './backend.ts';
import type { TurnEvent } from './contract.ts';
import { MESSAGE_INDEX } from './tables.ts';
import { endOf, setup, testMigrations, until } from './testbed.ts';

const origin = { kind: 'owner' as const };
const RECEIPT = {
  provider: 'slow',
  model: 'slow',
  usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0, reasoningTokens: 0 },
  costUsd: 0,
  offline: false,
  hops: [],
};

/** A backend that says what the test hands it, until the signal ends. */
function scripted() {
  const turns: { prompt: string; say: (text: string) => void; end: () => void; fail: (error: Error) => void; aborted: boolean }[] = [];
  const backend: Backend = {
    id: 'builtin',
    title: 'Scripted',
    async *run({ messages, signal }) {
      const queue: (string | Error | null)[] = [];
      let wake = (): void => {};
      const push = (it: string | Error | null): void => {
        queue.push(it);
        wake();
      };
      const prompt = messages
        .at(-1)!
        .parts.map((part) => ('text' in part ? part.text : ''))
        .join('');
      const me = { prompt, say: push, end: () => push(null), fail: push, aborted: false };
      turns.push(me);
      signal.addEventListener('abort', () => {
        me.aborted = true;
        wake();
      });
      for (;;) {
        signal.throwIfAborted();
        const next = queue.shift();
        if (next === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else if (next instanceof Error) throw next;
        else if (next === null) return yield { type: 'end', reason: 'stop', receipt: RECEIPT };
        else yield { type: 'text', text: next };
      }
    },
  };
  return { turns, backends: [backend] };
}

const textOf = (events: readonly TurnEvent[]): string => events.map((event) => (event.type === 'text' ? event.text : '')).join('');

onEveryEngine('a turn', (open) => {
  it('stores what was said, streams the answer and ends as a run with its cost', async () => {
    await using bed = await setup({
      store: await open(testMigrations),
      script: () => ({ text: 'Good morning, Ada. All is well.', usage: { input: 1_000, output: 200 } }),
    });
    const { id } = await bed.conversations.add({});
    const events = await bed.say(id, 'How are things?');
    assert.equal(events[0]!.type, 'start');
    assert.equal(textOf(events), 'Good morning, Ada. All is well.');
    const end = endOf(events);
    assert.equal(end.status, 'succeeded');
    assert.equal(end.message.text, 'Good morning, Ada. All is well.');
    assert.equal(end.receipt?.provider, 'fake');
    assert.equal(end.receipt?.usage.inputTokens, 1_000);
    const run = await bed.runs.detail(end.message.runId);
    assert.equal(run.kind, 'turn');
    assert.equal(run.status, 'succeeded');
    assert.equal(run.costUsd, end.receipt?.costUsd);
    assert.ok(run.costUsd > 0.0019 && run.costUsd < 0.0021);
    assert.ok(run.journal.some(({ type }) => type === 'turn.begun'));
    const { items } = await bed.conversations.messages(id, { limit: 10 });
    assert.deepEqual(
      items.map(({ role, text, status }) => [role, text, status]),
      [
        ['assistant', 'Good morning, Ada. All is well.', 'complete'],
        ['user', 'How are things?', 'complete'],
      ],
    );
    assert.equal((await bed.conversations.get(id)).title, 'How are things?');
    assert.match(items[1]!.context[0]!.text, /13:00 \(Europe\/Rome\)/);
    assert.deepEqual(bed.errors, []);
  });

  it('a code of the second factor is no talk: it is neither stored nor shown to a model', async () => {
    await using bed = await setup({ store: await open(testMigrations) });
    const { id } = await bed.conversations.add({});
    await assert.rejects(bed.say(id, '424242'), { kind: 'invalid', code: 'agent.code_in_chat' });
    assert.deepEqual((await bed.conversations.messages(id, { limit: 10 })).items, []);
    assert.equal(bed.fake.requests.length, 0);
  });

  it('keeps what had arrived when the program dies, marks it failed and offers it again', async () => {
    const script = scripted();
    await using bed = await setup({ store: await open(testMigrations), ...script });
    const { id } = await bed.conversations.add({});
    const running = await bed.turns.start({ conversationId: id, text: 'One', origin });
    const waiting = await bed.turns.start({ conversationId: id, text: 'Two', origin });
    await until(() => script.turns.length === 1);
    script.turns[0]!.say('Half an ans');
    await until(async () => {
      await bed.clock.advance(600);
      return (await bed.conversations.messages(id, { limit: 10 })).items.some(({ text }) => text === 'Half an ans');
    });

    const after = bed.build(); // the program after kill -9: nothing of the first one's memory
    await after.turns.recover();
    const { items } = await after.conversations.messages(id, { limit: 10 });
    const answer = items.find((message) => message.id === running.answerId)!;
    assert.deepEqual(
      [answer.text, answer.status, answer.turn, answer.error?.code],
      ['Half an ans', 'failed', 'failed', 'agent.turn_interrupted'],
    );
    assert.equal((await bed.runs.get(running.runId)).status, 'failed');
    // what had not begun goes on by itself, and is asked once
    await until(() => script.turns.length === 2);
    assert.match(script.turns[1]!.prompt, /Two$/);
    script.turns[1]!.say('Second');
    script.turns[1]!.end();
    assert.equal((await after.turns.whole(waiting, AbortSignal.timeout(5_000))).message.text, 'Second');

    const again = await after.turns.retry(id, origin);
    await until(() => script.turns.length === 3);
    script.turns[2]!.say('Better');
    script.turns[2]!.end();
    const whole = await after.turns.whole(again, AbortSignal.timeout(5_000));
    assert.equal(whole.message.replyTo, items.find(({ text }) => text === 'Two')!.id);
    assert.equal((await after.conversations.messages(id, { limit: 10 })).items.length, 5);
  });

  it('finds conversations by what was said in them', async () => {
    await using bed = await setup({ store: await open(testMigrations), script: () => ({ text: 'The ferry leaves from Naples at nine.' }) });
    const a = await bed.conversations.add({});
    const b = await bed.conversations.add({});
    await bed.say(a.id, 'When does the boat go?');
    await bed.say(b.id, 'Tell me about the harvest festival');
    const ferry = await bed.conversations.list({ q: 'harvest', limit: 10 });
    assert.deepEqual(
      ferry.items.map(({ id }) => id),
      [b.id],
    );
    assert.match(ferry.items[0]!.excerpt!, /harvest/);
    assert.deepEqual(
      new Set((await bed.conversations.list({ q: 'Naples ferry', limit: 10 })).items.map(({ id }) => id)),
      new Set([a.id, b.id]),
    );
    assert.deepEqual((await bed.conversations.list({ q: 'zebra', limit: 10 })).items, []);
    await bed.conversations.remove(b.id);
    assert.deepEqual((await bed.conversations.list({ q: 'harvest', limit: 10 })).items, []);
    const [left] = await createSearchIndex(bed.store, MESSAGE_INDEX).counts();
    assert.equal(Number(left!.parts), 2);
  });

  it('lists a thousand conversations page by page: the pinned, then the latest, each once', async () => {
    await using bed = await setup({ store: await open(testMigrations) });
    const workspace = await bed.workspaces.first();
    const at = bed.clock.now();
    const rows = Array.from({ length: 1_000 }, (_, n) => ({
      id: bed.newId(),
      workspace_id: workspace.id,
      assistant_id: null,
      title: `${n}`,
      channel: null,
      chat: null,
      shared: 0,
      forked_from: null,
      pinned: n === 500 ? 1 : 0,
      archived: n % 10 === 0 ? 1 : 0,
      created_at: at,
      updated_at: at + (n % 7),
    }));
    await bed.store.write(async (tx) => {
      for (let n = 0; n < rows.length; n += 250)
        await tx
          .insertInto('agent_conversation')
          .values(rows.slice(n, n + 250))
          .execute();
    });
    await bed.conversations.change(rows[7]!.id, { pinned: true });
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await bed.conversations.list({ limit: 170, cursor });
      seen.push(...page.items.map(({ id }) => id));
      if (page.next === null) break;
      cursor = page.next;
    }
    assert.equal(seen.length, 900);
    assert.equal(new Set(seen).size, 900);
    assert.equal(seen[0], rows[7]!.id);
    await assert.rejects(bed.conversations.list({ limit: 5, cursor: 'x' }), { code: 'agent.bad_cursor' });
  });
});

describe('turns', () => {
  it('takes one at a time in a conversation, and conversations side by side', async () => {
    const script = scripted();
    await using bed = await setup(script);
    const [a, b] = [await bed.conversations.add({}), await bed.conversations.add({})];
    const first = await bed.turns.start({ conversationId: a.id, text: 'First', origin });
    const second = await bed.turns.start({ conversationId: a.id, text: 'Second', origin });
    const other = await bed.turns.start({ conversationId: b.id, text: 'Other', origin });
    await until(() => script.turns.length === 2);
    assert.deepEqual(
      script.turns.map(({ prompt }) => prompt.split('\n').at(-1)).toSorted((a, b) => (a! < b! ? -1 : 1)),
      ['First', 'Other'],
    );
    assert.equal((await bed.runs.get(second.runId)).status, 'queued');
    for (const turn of script.turns) turn.say('Done');
    for (const turn of script.turns) turn.end();
    await until(() => script.turns.length === 3);
    script.turns[2]!.end();
    const signal = AbortSignal.timeout(5_000);
    for (const turn of [first, second, other]) assert.equal((await bed.turns.whole(turn, signal)).status, 'succeeded');
  });

  it('takes one at a time in a conversation that two processes drive', async () => {
    const script = scripted();
    await using bed = await setup(script);
    const { id } = await bed.conversations.add({});
    const first = await bed.turns.start({ conversationId: id, text: 'First', origin });
    await until(() => script.turns.length === 1);
    const elsewhere = bed.build();
    const second = await elsewhere.turns.start({ conversationId: id, text: 'Second', origin });
    for (let n = 0; n < 5; n += 1) await bed.clock.advance(600);
    assert.equal((await bed.runs.get(second.runId)).status, 'queued');
    script.turns[0]!.end();
    await bed.turns.whole(first, AbortSignal.timeout(5_000));
    await until(async () => {
      await bed.clock.advance(600);
      return script.turns.length === 2;
    });
    script.turns[1]!.end();
    assert.equal((await elsewhere.turns.whole(second, AbortSignal.timeout(5_000))).status, 'succeeded');
    assert.deepEqual(bed.errors, []);
  });

  it('stops upstream at once when cancelled, keeps the part that came, and those waiting never begin', async () => {
    await using bed = await setup({ script: () => ({ text: 'x'.repeat(400), chunks: 100, chunkDelayMs: 30 }) });
    const { id } = await bed.conversations.add({});
    const running = await bed.turns.start({ conversationId: id, text: 'Go', origin });
    const waiting = await bed.turns.start({ conversationId: id, text: 'Then this', origin });
    const events: TurnEvent[] = [];
    for await (const { data } of bed.turns.follow(running, { signal: AbortSignal.timeout(5_000) })) {
      events.push(data);
      if (data.type === 'text' && events.length === 3) assert.deepEqual(await bed.turns.cancel(id), [running.runId, waiting.runId]);
    }
    const end = endOf(events);
    assert.equal(end.status, 'cancelled');
    assert.equal(end.message.status, 'partial');
    assert.ok(end.message.text.length > 0 && end.message.text.length < 400);
    assert.equal(end.message.text, textOf(events));
    await bed.fake.requests[0]!.closed;
    assert.equal(bed.fake.requests[0]!.aborted, true);
    assert.equal((await bed.runs.get(running.runId)).status, 'cancelled');
    assert.ok((await bed.runs.get(running.runId)).costUsd > 0);
    assert.equal((await bed.runs.get(waiting.runId)).status, 'cancelled');
    assert.equal(bed.fake.requests.length, 1);
    assert.deepEqual(await bed.turns.cancel(id), []);
  });

  it('goes on after its reader has left, and another reader goes on where that one was', async () => {
    const script = scripted();
    await using bed = await setup(script);
    const { id } = await bed.conversations.add({});
    const turn = await bed.turns.start({ conversationId: id, text: 'Tell me', origin });
    const leaving = new AbortController();
    const seen: StreamEvent<TurnEvent>[] = [];
    const reading = (async () => {
      for await (const event of bed.turns.follow(turn, { signal: leaving.signal })) seen.push(event);
    })();
    await until(() => script.turns.length === 1);
    script.turns[0]!.say('One ');
    await until(() => seen.length === 2);
    leaving.abort();
    await reading;
    script.turns[0]!.say('two ');
    script.turns[0]!.say('three');
    const rest: StreamEvent<TurnEvent>[] = [];
    const more = (async () => {
      for await (const event of bed.turns.follow(turn, { after: seen.at(-1)!.id, signal: AbortSignal.timeout(5_000) })) rest.push(event);
    })();
    await until(() => rest.length > 0);
    script.turns[0]!.say('!');
    script.turns[0]!.end();
    await more;
    const whole = [...seen, ...rest].map(({ data }) => data);
    assert.equal(textOf(whole), 'One two three!');
    assert.equal(whole.filter(({ type }) => type === 'start').length, 1);
    assert.equal(endOf(whole).message.text, 'One two three!');
    // from the store, once the turn is over
    const late: StreamEvent<TurnEvent>[] = [];
    for await (const event of bed.build().turns.follow(turn, { after: `${turn.answerId}-4`, signal: AbortSignal.timeout(5_000) }))
      late.push(event);
    assert.equal(textOf(late.map(({ data }) => data)), 'two three!');
    for await (const event of bed.turns.follow(turn, { after: late.at(-1)!.id, signal: AbortSignal.timeout(5_000) }))
      assert.fail(`nothing comes after the end: ${event.id}`);
    await assert.rejects(
      async () => {
        for await (const _ of bed.turns.follow(turn, { after: 'other-3', signal: AbortSignal.timeout(5_000) }));
      },
      { code: 'agent.bad_event_id' },
    );
  });

  it('is the same turn when it is asked again with its key', async () => {
    await using bed = await setup({ script: () => ({ text: 'Once' }) });
    const { id } = await bed.conversations.add({});
    const first = await bed.say(id, 'Do it', { idempotencyKey: 'k1' });
    const second = await bed.say(id, 'Do it', { idempotencyKey: 'k1' });
    assert.equal(endOf(second).message.id, endOf(first).message.id);
    assert.equal(bed.fake.requests.length, 1);
  });

  it('answers without any model, and says so', async () => {
    await using bed = await setup({ provider: false });
    const { id } = await bed.conversations.add({});
    const end = endOf(await bed.say(id, 'Hello?'));
    assert.equal(end.status, 'succeeded');
    assert.equal(end.receipt?.offline, true);
    assert.notEqual(end.message.text, '');
    assert.equal(end.message.receipt?.offline, true);
  });

  it('keeps what came of an answer that broke off, and goes on with the conversation', async () => {
    const script = scripted();
    await using bed = await setup(script);
    const { id } = await bed.conversations.add({});
    const turn = await bed.turns.start({ conversationId: id, text: 'Go', origin });
    await until(() => script.turns.length === 1);
    script.turns[0]!.say('Part');
    script.turns[0]!.fail(new Error('a bug'));
    await assert.rejects(bed.turns.whole(turn, AbortSignal.timeout(5_000)), { code: 'agent.turn_failed' });
    const [answer] = (await bed.conversations.messages(id, { limit: 1 })).items;
    assert.deepEqual([answer!.text, answer!.status, answer!.error?.message], ['Part', 'failed', 'a bug']);
    const next = await bed.turns.start({ conversationId: id, text: 'Again', origin });
    await until(() => script.turns.length === 2);
    script.turns[1]!.end();
    assert.equal((await bed.turns.whole(next, AbortSignal.timeout(5_000))).status, 'succeeded');
  });

  it('stops with the service: what runs is kept as cut off, what waits is taken up at the next start', async () => {
    const script = scripted();
    await using bed = await setup(script);
    const running = await bed.service.start({ signal: new AbortController().signal, exit: () => {} });
    const { id } = await bed.conversations.add({});
    const first = await bed.turns.start({ conversationId: id, text: 'First', origin });
    const second = await bed.turns.start({ conversationId: id, text: 'Second', origin });
    await until(() => script.turns.length === 1);
    script.turns[0]!.say('Part');
    await new Promise((resolve) => setImmediate(resolve));
    await running.stop();
    assert.equal((await bed.runs.get(first.runId)).error?.code, 'agent.turn_interrupted');
    assert.equal((await bed.runs.get(second.runId)).status, 'queued');
    const next = await bed.build().service.start({ signal: new AbortController().signal, exit: () => {} });
    await until(() => script.turns.length === 2);
    script.turns[1]!.end();
    await until(async () => (await bed.runs.get(second.runId)).status === 'succeeded');
    await next.stop();
  });

  it('never stores what the redactor takes out, nor sends it', async () => {
    await using bed = await setup({ script: () => ({ text: 'ok' }) });
    const { id } = await bed.conversations.add({});
    await bed.say(id, 'my key is sk-secret-123');
    assert.doesNotMatch(JSON.stringify(await bed.conversations.messages(id, { limit: 5 })), /sk-secret/);
    assert.doesNotMatch(JSON.stringify(bed.fake.requests[0]!.body), /sk-secret/);
  });

  it('sends the persona and what was said before, as much as fits', async () => {
    await using bed = await setup({
      script: (_request, n) => ({ text: `answer ${n} ${'y'.repeat(400)}` }),
      settings: { 'agents.history_chars': 1_000, 'agents.recall': 'off' },
    });
    const assistant = await bed.assistants.add(
      { name: 'Jeeves', persona: { system: 'You are {name}, butler of {owner}.', persona: 'Dry.', context: '' } },
      'owner',
    );
    const { id } = await bed.conversations.add({ assistantId: assistant.id });
    for (const n of [0, 1, 2, 3]) await bed.say(id, `question ${n}`);
    const body = JSON.stringify(bed.fake.requests.at(-1)!.body);
    assert.match(body, /You are Jeeves, butler of Ada\.\\n\\nDry\./);
    assert.match(body, /question 2/);
    assert.doesNotMatch(body, /question 0/);
    assert.equal((await bed.conversations.messages(id, { limit: 100 })).items.length, 8);
  });
});
