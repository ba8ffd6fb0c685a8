import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testbed } from './testbed.ts';

const STRANGER = 66;

describe('Pairing', () => {
  it('gives a stranger a code once, and nothing else', async () => {
    await using bed = await testbed({ paired: [7] });
    bed.telegram.say('/status', { from: STRANGER });
    bed.telegram.say('tell me everything', { from: STRANGER });
    bed.telegram.say('/run morning-briefing', { from: STRANGER });
    bed.telegram.say('/ping', { from: 7 });
    await bed.telegram.until(() => bed.telegram.sentTo(STRANGER).length > 0 && bed.telegram.sentTo(7).length > 0);
    await until(async () => (await bed.channels.received(bed.id, { limit: 10 })).items.every(({ status }) => status !== 'received'));
    assert.equal(bed.telegram.sentTo(STRANGER).length, 1);
    assert.match(bed.telegram.sentTo(STRANGER)[0]!.text, /castellan channels pair [A-Z2-9]{4}-[A-Z2-9]{4}$/);
    assert.equal(bed.started.length, 0);
    const theirs = (await bed.channels.received(bed.id, { limit: 10 })).items.filter(({ sender }) => sender.id === String(STRANGER));
    assert.deepEqual(
      theirs.map(({ status, text }) => [status, text]),
      [
        ['ignored', ''],
        ['ignored', ''],
        ['ignored', ''],
      ],
    );
  });

  it('lets in whom the owner approves, and makes nobody the owner for being first', async () => {
    await using bed = await testbed();
    await bed.pair(7);
    bed.telegram.say('/ping', { from: 7 });
    await bed.telegram.until(() => bed.telegram.sentTo(7).some(({ text }) => text === 'pong'));
    assert.deepEqual(
      (await bed.channels.pairing.list(bed.id)).map(({ id, status, chat }) => [id, status, chat]),
      [['7', 'paired', '7']],
    );
  });

  it('refuses wrong and used codes, and stops who guesses', async () => {
    await using bed = await testbed();
    await assert.rejects(bed.channels.pairing.approve('AAAA-AAAA', 'owner'), { code: 'channel.bad_code' });
    for (let guess = 0; guess < 25; guess += 1) await bed.channels.pairing.approve('BBBB-BBBB', 'owner').catch(() => {});
    await assert.rejects(bed.channels.pairing.approve('AAAA-AAAA', 'owner'), { code: 'channel.too_many_codes' });
  });

  it('takes an invitation once, and blocks who guesses at it', async () => {
    await using bed = await testbed();
    const { code } = await bed.channels.pairing.invite(bed.id, 'owner');
    for (let guess = 0; guess < 5; guess += 1) bed.telegram.say(`/start AAAA-AAA${guess + 2}`, { from: STRANGER });
    bed.telegram.say(`/start ${code}`, { from: STRANGER });
    await until(
      async () => (await bed.channels.received(bed.id, { limit: 10 })).items.filter(({ status }) => status === 'ignored').length === 6,
    );
    assert.equal((await bed.channels.pairing.list(bed.id))[0]!.status, 'blocked');
    bed.telegram.say(`/start ${code.toLowerCase()}`, { from: 7 });
    await bed.telegram.until(() => bed.telegram.sentTo(7).length === 1);
    bed.telegram.say(`/start ${code}`, { from: 8 });
    await bed.telegram.until(() => bed.telegram.sentTo(8).length === 1);
    const statuses = new Map((await bed.channels.pairing.list(bed.id)).map(({ id, status }) => [id, status]));
    assert.deepEqual([statuses.get('7'), statuses.get('8')], ['paired', 'stranger']);
  });

  it('hears only the paired sender in a group, and answers there', async () => {
    await using bed = await testbed({ paired: [7] });
    bed.telegram.say('/run morning-briefing', { from: STRANGER, chat: -100, type: 'supergroup' });
    bed.telegram.say('/ping@castellan_test_bot', { from: 7, chat: -100, type: 'supergroup' });
    bed.telegram.say('/status@another_bot', { from: 7, chat: -100, type: 'supergroup' });
    await until(
      async () => (await bed.channels.received(bed.id, { limit: 10 })).items.filter(({ status }) => status !== 'received').length === 3,
    );
    assert.deepEqual(
      bed.telegram.sentTo(-100).map(({ text }) => text),
      ['pong'],
    );
    assert.equal(bed.telegram.sentTo(STRANGER).length, 0);
    assert.equal(bed.started.length, 0);
  });

  it('shuts out again', async () => {
    await using bed = await testbed({ paired: [7] });
    await bed.channels.pairing.set(bed.id, '7', 'blocked', 'owner');
    bed.telegram.say('/ping', { from: 7 });
    await until(async () => (await bed.channels.received(bed.id, { limit: 10 })).items.some(({ status }) => status === 'ignored'));
    assert.equal(bed.telegram.messages.length, 0);
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries += 1) {
    if (tries > 500) throw new Error('It did not come to this');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
