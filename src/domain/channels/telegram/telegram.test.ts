import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testbed } from '../testbed.ts';

const ME = 7;
const five = [1, 2, 3, 4, 5].map((each) => `${each} ${'x'.repeat(4_000)}`).join('\n\n');

describe('Telegram', () => {
  it('answers the paired owner, and tells who we are', async () => {
    await using bed = await testbed({ paired: [ME] });
    bed.telegram.say('/ping', { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).some(({ text }) => text === 'pong'));
    const [channel] = (await bed.channels.directory.list()).filter(({ kind }) => kind === 'telegram');
    assert.equal(channel!.account, '@castellan_test_bot');
    assert.equal(channel!.health.state, 'ok');
  });

  it('has a message on disk before Telegram is told of it', async () => {
    await using bed = await testbed({ paired: [ME] });
    const update = bed.telegram.say('/ping', { from: ME });
    await bed.telegram.until(() => bed.telegram.confirmed() > update);
    const { cursor } = await bed.store.db.selectFrom('channel_channel').select('cursor').where('id', '=', bed.id).executeTakeFirstOrThrow();
    assert.equal(cursor, String(update + 1));
    assert.equal((await bed.channels.received(bed.id, { limit: 10 })).items.length, 1);
  });

  it('lets one chat wait for no other, and a cancel wait for no answer', async () => {
    const gate = Promise.withResolvers<void>();
    await using bed = await testbed({
      paired: [ME, 8],
      talk: async function* ({ text }) {
        if (text === 'slow') await gate.promise;
        yield { text: `done: ${text}` };
      },
    });
    bed.telegram.say('slow', { from: ME });
    bed.telegram.say('quick', { from: 8 });
    bed.telegram.say('/ping', { from: ME });
    await bed.telegram.until(
      () =>
        bed.telegram.sentTo(8).some(({ text }) => text === 'done: quick') && bed.telegram.sentTo(ME).some(({ text }) => text === 'pong'),
    );
    assert.ok(bed.telegram.calls.some(({ method, body }) => method === 'sendChatAction' && body['chat_id'] === ME));
    gate.resolve();
    await bed.telegram.until(() => bed.telegram.sentTo(ME).some(({ text }) => text === 'done: slow'));
  });

  it('sends while the poll waits, and to one chat while another is limited', async () => {
    await using bed = await testbed({ paired: [ME, 8] });
    const release = bed.telegram.hold('sendMessage', ME);
    const held = bed.channels.delivery.deliver(
      { key: 'a', text: 'to me', channel: 'telegram', to: String(ME) },
      AbortSignal.timeout(10_000),
    );
    await bed.channels.delivery.deliver({ key: 'b', text: 'to eight', channel: 'telegram', to: '8' }, AbortSignal.timeout(5_000));
    assert.deepEqual(
      bed.telegram.sentTo(8).map(({ text }) => text),
      ['to eight'],
    );
    release();
    const [receipt] = await held;
    assert.deepEqual(
      receipt!.messageIds,
      bed.telegram.sentTo(ME).map(({ message_id: id }) => String(id)),
    );
  });

  it('puts off a long wait to the job queue', async () => {
    await using bed = await testbed({ paired: [ME] });
    bed.telegram.trouble('sendMessage', { code: 429, description: 'Too Many Requests: retry after 3600', retryAfter: 3_600 });
    const [receipt] = await bed.channels.delivery.deliver(
      { key: 'x', text: 'hello', channel: 'telegram', to: String(ME) },
      AbortSignal.timeout(5_000),
    );
    assert.equal(receipt!.status, 'deferred');
    const job = await bed.store.db.selectFrom('core_job').selectAll().where('queue', '=', 'channels.send').executeTakeFirstOrThrow();
    assert.ok(job.run_at - Date.now() > 3_500_000);
    await bed.stop();
    await bed.store.write(async (tx) => void (await tx.updateTable('core_job').set({ run_at: 1 }).execute()));
    await bed.restart({ rude: true });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 1);
  });

  it('sends as plain text what Telegram cannot parse', async () => {
    await using bed = await testbed({ paired: [ME] });
    bed.telegram.trouble('sendMessage', { code: 400, description: "Bad Request: can't parse entities: Unsupported start tag" });
    await bed.channels.delivery.deliver({ key: 'x', text: 'a **b**', channel: 'telegram', to: String(ME) }, AbortSignal.timeout(5_000));
    assert.deepEqual(
      bed.telegram.sentTo(ME).map(({ text, parseMode }) => [text, parseMode]),
      [['a b', undefined]],
    );
  });

  it('does not repeat what may have arrived, until asked', async () => {
    await using bed = await testbed({ paired: [ME] });
    const message = { key: 'x', text: 'once', channel: 'telegram', to: String(ME) };
    bed.telegram.trouble('sendMessage', 'drop');
    await assert.rejects(bed.channels.delivery.deliver(message, AbortSignal.timeout(5_000)), {
      code: 'channel.outcome_unknown',
      name: 'AppError',
    });
    assert.equal(await bed.channels.delivery.verify('x'), 'unknown');
    assert.equal(bed.telegram.sentTo(ME).length, 1);
    await bed.channels.delivery.deliver(message, AbortSignal.timeout(5_000));
    await bed.channels.delivery.deliver(message, AbortSignal.timeout(5_000));
    assert.equal(bed.telegram.sentTo(ME).length, 2);
  });

  it('says for sure when nothing was sent', async () => {
    await using bed = await testbed({ paired: [ME] });
    bed.telegram.trouble('sendMessage', { code: 403, description: 'Forbidden: bot was blocked by the user' });
    await assert.rejects(
      bed.channels.delivery.deliver({ key: 'x', text: 'hello', channel: 'telegram', to: String(ME) }, AbortSignal.timeout(5_000)),
      { code: 'channel.blocked', name: 'EffectNotDone' },
    );
    await assert.rejects(bed.channels.delivery.deliver({ key: 'y', text: 'hello', channel: 'nowhere' }, AbortSignal.timeout(5_000)), {
      code: 'channel.not_found',
      name: 'EffectNotDone',
    });
    assert.equal(await bed.channels.delivery.verify('x'), 'not_done');
  });

  it('goes on with the part that was next', async () => {
    await using bed = await testbed({ paired: [ME] });
    const message = { key: 'parts', text: five, channel: 'telegram', to: String(ME) };
    bed.telegram.trouble('sendMessage', { code: 403, description: 'Forbidden' }, { after: 2 });
    await assert.rejects(bed.channels.delivery.deliver(message, AbortSignal.timeout(10_000)), { code: 'channel.blocked' });
    await bed.restart();
    await bed.channels.delivery.deliver(message, AbortSignal.timeout(10_000));
    assert.deepEqual(
      bed.telegram.sentTo(ME).map((each) => each.text[0]),
      ['1', '2', '3', '4', '5'],
    );
  });

  it('does not repeat the part that a crash cut off, until asked', async () => {
    await using bed = await testbed({ paired: [ME] });
    const message = { key: 'parts', text: five, channel: 'telegram', to: String(ME) };
    bed.telegram.trouble('sendMessage', 'hang', { after: 2 });
    const crashed = bed.channels.delivery.deliver(message, AbortSignal.timeout(10_000)).catch(() => {});
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 3);
    await bed.restart({ rude: true });
    await assert.rejects(bed.channels.delivery.deliver(message, AbortSignal.timeout(10_000)), { code: 'channel.outcome_unknown' });
    assert.equal(await bed.channels.delivery.verify('parts'), 'unknown');
    assert.equal(bed.telegram.sentTo(ME).length, 3);
    await bed.channels.delivery.deliver(message, AbortSignal.timeout(10_000));
    assert.deepEqual(
      bed.telegram.sentTo(ME).map((each) => each.text[0]),
      ['1', '2', '3', '3', '4', '5'],
    );
    await bed.telegram[Symbol.asyncDispose]();
    await crashed;
  });

  it('needs a public address to be called at, and says so', async () => {
    await using bed = await testbed({ paired: [ME], deps: { publicUrl: null } });
    await bed.channels.directory.change(bed.id, { config: { apiRoot: bed.telegram.root, mode: 'webhook' } }, 'owner');
    await bed.channels.reconnect(bed.id);
    await until(async () => (await bed.channels.directory.list()).some(({ health }) => health.state === 'broken'));
    assert.match(bed.told[0]!.title, /cannot connect/);
    const [channel] = (await bed.channels.directory.list()).filter(({ id }) => id === bed.id);
    assert.match(channel!.health.lastError!.message, /CASTELLAN_PUBLIC_URL/);
    assert.equal(channel!.callbackUrl, null);
  });

  it('is called after it was asked, and asks again after it was called; a webhook of somebody else is left alone', async () => {
    await using bed = await testbed({ paired: [ME] });
    const say = async (mode: string) => {
      await bed.channels.directory.change(bed.id, { config: { apiRoot: bed.telegram.root, mode } }, 'owner');
      await bed.channels.reconnect(bed.id);
      const before = bed.telegram.sentTo(ME).length;
      bed.telegram.say('/ping', { from: ME });
      await bed.telegram.until(() => bed.telegram.sentTo(ME).length === before + 1);
    };
    await say('webhook');
    assert.equal(bed.telegram.webhook(), `${bed.publicUrl}/channels/${bed.id}`);
    assert.equal((await bed.channels.directory.list()).find(({ id }) => id === bed.id)!.callbackUrl, bed.telegram.webhook());
    assert.ok(!JSON.stringify(await bed.channels.directory.list()).includes(bed.telegram.webhookSecret()));
    await say('polling');
    assert.equal(bed.telegram.webhook(), '');
    bed.telegram.setWebhook('https://another.example/hook');
    await bed.channels.reconnect(bed.id);
    await until(async () => (await bed.channels.directory.list()).some(({ health }) => health.state === 'failing'));
    assert.equal(bed.telegram.webhook(), 'https://another.example/hook');
  });

  it('minds another reader of the same bot, and goes on', async () => {
    await using bed = await testbed({ paired: [ME] });
    bed.telegram.trouble('getUpdates', { code: 409, description: 'Conflict: terminated by other getUpdates request' });
    bed.telegram.say('/ping', { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length === 1);
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries += 1) {
    if (tries > 500) throw new Error('It did not come to this');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
