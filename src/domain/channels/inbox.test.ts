import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppError } from '#core/errors';
import { explainMessage } from './explain.ts';
import { testbed } from './testbed.ts';

const ME = 7;
const signal = (): AbortSignal => AbortSignal.timeout(10_000);

describe('The life of a message', () => {
  it('streams an answer by edits and ends with the whole', async () => {
    const seen = Promise.withResolvers<void>();
    await using bed = await testbed({
      paired: [ME],
      talk: async function* () {
        yield { text: `First words, ${'and more '.repeat(8)}` };
        await seen.promise;
        yield { text: 'The **whole** answer.' };
      },
    });
    bed.telegram.say('hello there', { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).some(({ text }) => text.startsWith('First words')));
    seen.resolve();
    await bed.telegram.until(() => bed.telegram.sentTo(ME)[0]!.text === 'The whole answer.');
    assert.equal(bed.telegram.sentTo(ME).length, 1);
    assert.equal(bed.telegram.sentTo(ME)[0]!.edits, 1);
  });

  it('sends the whole anew when its first words were deleted', async () => {
    const seen = Promise.withResolvers<void>();
    await using bed = await testbed({
      paired: [ME],
      talk: async function* () {
        yield { text: `First words, ${'and more '.repeat(8)}` };
        await seen.promise;
        yield { text: 'The answer.' };
      },
    });
    bed.telegram.say('hello there', { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 1);
    bed.telegram.messages.length = 0;
    seen.resolve();
    await bed.telegram.until(() => bed.telegram.sentTo(ME).some(({ text }) => text === 'The answer.'));
  });

  it('repeats the last edit until it is known to have arrived', async () => {
    await using bed = await testbed({
      paired: [ME],
      talk: async function* ({ signal: stop }) {
        yield { text: `First words, ${'and more '.repeat(8)}` };
        while (bed.telegram.sentTo(ME).length === 0 && !stop.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
        yield { text: 'The answer.' };
      },
    });
    bed.telegram.trouble('editMessageText', { code: 502, description: 'Bad Gateway' });
    bed.telegram.say('hello there', { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).some(({ text }) => text === 'The answer.'));
    assert.equal(bed.telegram.sentTo(ME).length, 1);
  });

  it('answers once what a crash interrupted', async () => {
    const asked: string[] = [];
    await using bed = await testbed({
      paired: [ME],
      talk: async function* ({ messageId, signal: stop }) {
        asked.push(messageId);
        if (asked.length === 1) await new Promise((_, reject) => stop.addEventListener('abort', () => reject(stop.reason as Error)));
        yield { text: 'Here you are.' };
      },
    });
    bed.telegram.say('hello', { from: ME });
    await bed.telegram.until(() => asked.length === 1);
    await bed.restart({ rude: true });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length > 0);
    assert.equal(new Set(asked).size, 1);
    bed.telegram.say('/ping', { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 2);
    assert.deepEqual(
      bed.telegram.sentTo(ME).map(({ text }) => text),
      ['Here you are.', 'pong'],
    );
  });

  it('handles nothing again that was handled before a restart', async () => {
    await using bed = await testbed({ paired: [ME] });
    bed.telegram.say('/run morning-briefing', { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 1);
    await bed.stop();
    await bed.store.write(async (tx) => {
      await tx.updateTable('channel_inbound').set({ status: 'received' }).execute();
      const job = {
        id: `inbound:${bed.id}:control:${ME}`,
        queue: 'channels.inbound',
        payload: JSON.stringify({ channel: bed.id, chat: String(ME), lane: 'control' }),
      };
      await tx.deleteFrom('core_job').execute();
      await tx
        .insertInto('core_job')
        .values({ ...job, run_at: 1, attempts: 0, status: 'ready', last_error: null, created_at: 1 })
        .execute();
    });
    await bed.restart({ rude: true });
    bed.telegram.say('/ping', { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 2);
    assert.equal(bed.started.length, 1);
  });

  it('gives up a poisoned message after three tries, says so, and goes on with the next', async () => {
    let tries = 0;
    await using bed = await testbed({
      paired: [ME],
      talk: async function* ({ text }) {
        if (text === 'poison' && (tries += 1)) throw new Error('a bug');
        yield { text: 'fine' };
      },
    });
    bed.telegram.say('poison', { from: ME });
    bed.telegram.say('and now', { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).some(({ text }) => text === 'fine'));
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 2);
    assert.equal(tries, 3);
    const [, poisoned] = (await bed.channels.received(bed.id, { limit: 10 })).items;
    assert.deepEqual([poisoned!.status, poisoned!.attempts, poisoned!.error], ['failed', 3, 'a bug']);
    const told = await explainMessage(bed.store)(poisoned!.id);
    assert.match(told!.lines.map(({ text }) => text).join(' '), /stored.*given up after 3 tries: a bug\. The answer was sent/);
    assert.equal(await explainMessage(bed.store)('nobody'), null);
  });

  it('tells an error that was foreseen, at once', async () => {
    await using bed = await testbed({
      paired: [ME],
      talk: async function* () {
        yield { text: '' };
        throw new AppError('limited', 'llm.over_budget', 'The budget of today is spent.');
      },
    });
    bed.telegram.say('hello', { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).some(({ text }) => text === 'The budget of today is spent.'));
    assert.deepEqual(bed.errors, []);
  });

  it('keeps an answer for a platform that is out of reach', async () => {
    await using bed = await testbed({ paired: [ME] });
    bed.telegram.trouble('sendMessage', { code: 429, description: 'Too Many Requests', retryAfter: 3_600 });
    bed.telegram.say('/ping', { from: ME });
    await bed.telegram.until(() => bed.telegram.calls.some(({ method }) => method === 'sendMessage'));
    const job = async () => bed.store.db.selectFrom('core_job').selectAll().where('queue', '=', 'channels.send').executeTakeFirst();
    while (!(await job())) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok((await job())!.run_at - Date.now() > 3_000_000);
    assert.deepEqual(bed.errors, []);
  });
});

describe('Questions to the owner', () => {
  const question = {
    kind: 'approval_step',
    title: 'Send it?',
    question: 'A mail to Bob.',
    details: 'Dear `Bob` <x>',
    expiresAt: null,
    options: [
      { id: 'yes', label: 'Yes', style: 'primary' as const },
      { id: 'no', label: 'No', style: 'danger' as const },
    ],
  };

  it('come with buttons, and a press answers', async () => {
    await using bed = await testbed({ paired: [ME, 8] });
    const asked = await bed.store.write((tx) => bed.approvals.ask(tx, question));
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 1 && bed.telegram.sentTo(8).length === 1);
    const [card] = bed.telegram.sentTo(ME);
    assert.deepEqual(
      card!.buttons.map(({ text }) => text),
      ['Yes', 'No'],
    );
    assert.ok(card!.text.includes('Dear `Bob` <x>'));
    bed.telegram.press(card!, 'yes');
    await bed.telegram.until(() =>
      bed.telegram.messages.every(({ text, buttons }) => text.includes('Yes, by channel:') && buttons.length === 0),
    );
    assert.equal((await bed.approvals.get(asked.id)).answer, 'yes');
    assert.deepEqual(bed.telegram.toasts, ['Answered: Yes']);
  });

  it('take an answer by the button of a card whose sending was cut off', async () => {
    await using bed = await testbed({ paired: [ME] });
    bed.telegram.trouble('sendMessage', 'hang');
    const asked = await bed.store.write((tx) => bed.approvals.ask(tx, question));
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 1);
    await bed.restart({ rude: true });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 2); // rather twice than not at all
    const [first] = bed.telegram.sentTo(ME);
    bed.telegram.press(first!, first!.buttons[0]!.callback_data);
    await bed.telegram.until(() => bed.telegram.toasts.length === 1);
    assert.deepEqual(bed.telegram.toasts, ['Answered: Yes']);
    assert.equal((await bed.approvals.get(asked.id)).answer, 'yes');
    bed.telegram.press(first!, 'nonsense');
    await bed.telegram.until(() => bed.telegram.toasts.length === 2);
    assert.equal(bed.telegram.toasts[1], 'This button is out of date.');
  });

  it('take an answer by text, elsewhere too, and a late press changes nothing', async () => {
    await using bed = await testbed({ paired: [ME] });
    const asked = await bed.store.write((tx) => bed.approvals.ask(tx, question));
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 1);
    const [card] = bed.telegram.sentTo(ME);
    bed.telegram.say(`no ${asked.code.toLowerCase()}`, { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 2 && card!.buttons.length === 0);
    bed.telegram.press(card!, 'yes');
    await bed.telegram.until(() => bed.telegram.toasts.length === 1);
    assert.equal((await bed.approvals.get(asked.id)).answer, 'no');
  });

  it('that waited before a chat was let in, or while nobody listened, are shown', async () => {
    await using bed = await testbed();
    await bed.store.write((tx) => bed.approvals.ask(tx, question));
    await bed.pair(ME);
    await bed.telegram.until(() => bed.telegram.sentTo(ME).some(({ buttons }) => buttons.length === 2));
    await bed.stop();
    await bed.store.write((tx) => bed.approvals.ask(tx, { ...question, title: 'And this?' }));
    await bed.restart({ rude: true });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).some(({ text }) => text.startsWith('And this?')));
    assert.equal(bed.telegram.sentTo(ME).filter(({ buttons }) => buttons.length === 2).length, 2);
  });

  it('are answered by no stranger', async () => {
    await using bed = await testbed({ paired: [ME] });
    const asked = await bed.store.write((tx) => bed.approvals.ask(tx, question));
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 1);
    bed.telegram.press(bed.telegram.sentTo(ME)[0]!, 'yes', 66);
    bed.telegram.say(`yes ${asked.code}`, { from: 66 });
    await bed.telegram.until(() => bed.telegram.sentTo(66).length === 1);
    assert.equal((await bed.approvals.get(asked.id)).status, 'pending');
  });

  it('are not answered, and no command is given, by what the owner only passed on', async () => {
    const talked: string[] = [];
    await using bed = await testbed({
      paired: [ME],
      talk: async function* ({ text, isForwarded }) {
        talked.push(`${isForwarded} ${text}`);
        yield { text: `talk: ${text}` };
      },
    });
    const asked = await bed.store.write((tx) => bed.approvals.ask(tx, question));
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 1);
    const origin = { forward_origin: { type: 'hidden_user', sender_user_name: 'Mallory', date: 1 } };
    for (const text of [`yes ${asked.code}`, '/ping']) {
      bed.telegram.say(text, { from: ME, more: origin });
      await bed.telegram.until(() => bed.telegram.sentTo(ME).some((it) => it.text === `talk: ${text}`));
    }
    assert.deepEqual(talked, [`true yes ${asked.code}`, 'true /ping']);
    assert.equal((await bed.approvals.get(asked.id)).status, 'pending');
  });

  it('wait for no answer that is being written, and what only looks like one is talk', async () => {
    const gate = Promise.withResolvers<void>();
    await using bed = await testbed({
      paired: [ME],
      talk: async function* ({ text }) {
        if (text === 'think') await gate.promise;
        yield { text: `talk: ${text}` };
      },
    });
    bed.telegram.say('think', { from: ME });
    const asked = await bed.store.write((tx) => bed.approvals.ask(tx, question));
    bed.telegram.say(`yes ${asked.code}`, { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).some(({ text }) => text.includes('Send it?: Yes')));
    gate.resolve();
    bed.telegram.say('have been there', { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).some(({ text }) => text === 'talk: have been there'));
  });
});

describe('Delivery', () => {
  it('goes to the browser when nothing else is said, whole, with a receipt', async () => {
    await using bed = await testbed();
    const text = 'x'.repeat(10_000);
    const [receipt] = await bed.channels.delivery.deliver({ key: 'k', text }, signal());
    const [again] = await bed.channels.delivery.deliver({ key: 'k', text }, signal());
    assert.deepEqual([receipt!.status, receipt!.messageIds.length], ['sent', 1]);
    assert.deepEqual(again, receipt);
  });

  it('says when nobody can be reached', async () => {
    await using bed = await testbed();
    await assert.rejects(bed.channels.delivery.deliver({ key: 'k', text: 'hello', channel: 'telegram' }, signal()), {
      code: 'channel.no_recipient',
      name: 'EffectNotDone',
    });
    await bed.channels.directory.change('telegram', { enabled: false }, 'owner');
    await assert.rejects(bed.channels.delivery.deliver({ key: 'k', text: 'hello', channel: 'telegram', to: '7' }, signal()), {
      code: 'channel.disabled',
    });
  });
});
