import assert from 'node:assert/strict';
import { it } from 'node:test';
import { onEveryEngine } from '#core/db/testing';
import { testbed } from './testbed.ts';

onEveryEngine('Channels', (openStore) => {
  it('pair, hear, answer, deliver, ask and forget', async () => {
    await using bed = await testbed({ openStore });
    await bed.pair(7);
    await bed.channels.inbox.receive(bed.id, { messages: [], cursor: '5' });
    const again = { messageId: 'twice', chat: '7', isPrivate: true, sender: { id: '7', name: 'Me' }, text: '/ping', at: 0 };
    for (const cursor of ['6', '7']) await bed.channels.inbox.receive(bed.id, { messages: [again], cursor });
    await bed.telegram.until(() => bed.telegram.sentTo(7).some(({ text }) => text === 'pong'));
    bed.telegram.say('hello you', { from: 7 });
    await bed.telegram.until(() => bed.telegram.sentTo(7).some(({ text }) => text === 'You said: hello you'));
    assert.equal(bed.telegram.sentTo(7).filter(({ text }) => text === 'pong').length, 1);
    await bed.store.write((tx) =>
      bed.approvals.ask(tx, {
        kind: 'x',
        title: 'Go?',
        question: '',
        expiresAt: null,
        options: [{ id: 'yes', label: 'Yes', style: 'primary' }],
      }),
    );
    await bed.telegram.until(() => bed.telegram.sentTo(7).some(({ buttons }) => buttons.length === 1));
    bed.telegram.press(
      bed.telegram.sentTo(7).find(({ buttons }) => buttons.length === 1)!,
      'yes',
    );
    await bed.telegram.until(() => bed.telegram.sentTo(7).some(({ text }) => text.includes('Yes, by')));
    const page = await bed.channels.received(bed.id, { limit: 2 });
    assert.equal((await bed.channels.received(bed.id, { limit: 2, cursor: page.next! })).items.length, 2);
    await assert.rejects(
      bed.channels.directory.add({ kind: 'telegram', name: 'telegram', secrets: { token: '@secret:telegram' } }, 'owner'),
      { code: 'channel.exists' },
    );
    await assert.rejects(bed.channels.directory.add({ kind: 'telegram', name: 'other' }, 'owner'), { code: 'channel.secret_missing' });
    await assert.rejects(bed.channels.directory.remove('web', 'owner'), { code: 'channel.built_in' });
    await bed.channels.directory.remove('telegram', 'owner');
    await bed.channels.reconnect(bed.id);
    assert.deepEqual((await bed.channels.directory.list()).map(({ kind }) => kind).toSorted(), ['terminal', 'web']);
    assert.deepEqual(bed.errors, []);
  });
});
