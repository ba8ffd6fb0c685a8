import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '#core/clock';
import { anyText } from '#core/testing';
import { testChannel } from './contract.ts';
import type { FakePlatform } from './fake-platform.ts';
import type { ChannelKind } from './kind.ts';
import { channelRoutes } from './routes.ts';
import { testbed, type Testbed, type TestbedOptions } from './testbed.ts';

const LONG = Array.from({ length: 2_000 }, (_, index) => `line ${index}`).join('\n');

/** One way to run the suite: a kind, and the platform it is to reach, made anew for each test; a kind without a platform has none. */
export interface Subject {
  readonly name: string;
  readonly kind: ChannelKind;
  readonly platform?: () => Promise<FakePlatform>;
}

/** What every kind of channel promises. Which parts hold for a kind follows from its capabilities. */
export function conform({ name, kind, platform }: Subject): void {
  describe(`channel kind: ${name}`, () => {
    promiseForm(kind);
    promiseDelivery(kind, platform);
    if (!platform) return;
    promiseHearing(platform);
    promiseFailures(platform);
    promiseQuestions(kind, platform);
    if (kind.capabilities.edit) promiseEdits(platform);
    if (kind.capabilities.typing) promiseTyping(platform);
    if (kind.capabilities.push) promiseCalls(platform);
  });
}

function promiseForm(kind: ChannelKind): void {
  it('has settings that are read strictly', () => {
    assert.equal(kind.settings.safeParse({ no_such_setting: 1 }).success, false);
  });

  it('writes any text in parts that are not blank, and loses no word', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 2_000 });
    fc.assert(
      fc.property(words, (them) => {
        const read = kind.render(them.join(' ')).map(({ plain }) => plain);
        assert.deepEqual(read.join(' ').split(/\s+/), them);
      }),
      { numRuns: 20 },
    );
    fc.assert(
      fc.property(anyText({ maxLength: 200 }), (text) => {
        const parts = kind.render(text.toWellFormed());
        assert.ok(parts.every(({ text: it, plain }) => it.trim() !== '' || plain.trim() !== ''));
        assert.ok(parts.length > 0 || text.trim() === '');
      }),
      { numRuns: 100 },
    );
    assert.deepEqual(kind.render(' \n '), []);
  });
}

function promiseDelivery(kind: ChannelKind, platform: Subject['platform']): void {
  it('connects, says that it is well, and stops in time', async () => {
    await using it = await setup(kind, platform);
    await it.until(async () => (await it.health()).state === 'ok');
    await it.bed.stop(); // a connection that held on would keep this waiting
    await assert.rejects(it.deliver('k', 'hello'), { code: 'channel.not_running' });
  });

  it('delivers a key once, whole, in order, with a receipt of each part', async () => {
    await using it = await setup(kind, platform);
    const receipt = await it.deliver('k', LONG);
    assert.deepEqual(await it.deliver('k', LONG), receipt);
    const parts = kind.render(LONG).length;
    assert.equal(receipt.status, 'sent');
    assert.equal(new Set(receipt.messageIds).size, parts);
    if (!it.platform) return;
    const [me] = it.platform.people;
    const shown = it.platform.shown(me);
    assert.deepEqual(
      shown.map(({ id }) => id),
      receipt.messageIds,
    );
    assert.ok(shown.every(({ text }) => text.length <= it.platform!.longest));
    assert.equal(shown.map(({ text }) => text).join('\n'), LONG);
  });

  it('sends a test message when asked, and shows its receipt', async () => {
    await using it = await setup(kind, platform);
    const { receipts, tookMs } = await it.test();
    assert.deepEqual(
      receipts.map(({ channel, status, messageIds }) => [channel, status, messageIds.length]),
      [[it.bed.id, 'sent', 1]],
    );
    assert.ok(tookMs >= 0);
    if (it.platform) assert.match(it.platform.shown(it.platform.people[0])[0]!.text, /It works\. This is a test message of the channel/);
  });
}

function promiseHearing(platform: NonNullable<Subject['platform']>): void {
  it('has what it heard on disk before the platform is told so', async () => {
    await using it = await setup(null, platform);
    const first = it.platform!.say('/ping', it.me);
    await it.until(() => it.platform!.isAcknowledged(first) && it.platform!.shown(it.me).length === 1);
    await it.until(async () => (await it.bed.channels.received(it.bed.id, { limit: 1 })).items[0]!.status === 'handled');
    const { write } = it.bed.store;
    let refused = 0;
    Object.assign(it.bed.store, { write: async () => ((refused += 1), Promise.reject(new Error('disk full'))) });
    const said = it.platform!.say('/ping', it.me);
    await it.until(() => refused > 2); // it was not let go after the first
    assert.equal(it.platform!.isAcknowledged(said), false);
    Object.assign(it.bed.store, { write });
    await it.until(() => it.platform!.shown(it.me).length === 2);
    await it.until(() => it.platform!.isAcknowledged(said));
    assert.equal((await it.bed.channels.received(it.bed.id, { limit: 10 })).items.length, 2);
  });

  it('takes a redelivery for the message it is', async () => {
    await using it = await setup(null, platform);
    const said = it.platform!.say('/run morning-briefing', it.me);
    await it.until(() => it.platform!.isAcknowledged(said) && it.platform!.shown(it.me).length === 1);
    await it.bed.stop();
    await it.bed.store.write(async (tx) => void (await tx.updateTable('channel_channel').set({ cursor: null }).execute()));
    it.platform!.redeliver(said);
    await it.bed.restart({ rude: true });
    it.platform!.say('/ping', it.me);
    await it.until(() => it.platform!.shown(it.me).length === 2);
    assert.equal(it.bed.started.length, 1);
    assert.equal((await it.bed.channels.received(it.bed.id, { limit: 10 })).items.length, 2);
  });

  it('hears what is said in order, and while nobody listened', async () => {
    await using it = await setup(null, platform);
    await it.bed.stop();
    for (const each of ['one', 'two', 'three']) it.platform!.say(each, it.me);
    await it.bed.restart({ rude: true });
    for (const each of ['four', 'five']) it.platform!.say(each, it.me);
    await it.until(() => it.platform!.shown(it.me).length === 5);
    assert.deepEqual(
      it.platform!.shown(it.me).map(({ text }) => text),
      ['one', 'two', 'three', 'four', 'five'].map((each) => `You said: ${each}`),
    );
  });

  it('lets no chat wait for another, neither in nor out', async () => {
    const gate = Promise.withResolvers<void>();
    await using it = await setup(null, platform, {
      talk: async function* ({ text }) {
        if (text === 'slow') await gate.promise;
        yield { text: `done: ${text}` };
      },
    });
    const [me, other] = it.platform!.people;
    it.platform!.say('slow', me);
    it.platform!.say('quick', other);
    await it.until(() => it.platform!.shown(other).some(({ text }) => text === 'done: quick'));
    const release = it.platform!.hold(me);
    gate.resolve();
    it.platform!.say('again', other);
    await it.until(() => it.platform!.shown(other).some(({ text }) => text === 'done: again'));
    release();
    await it.until(() => it.platform!.shown(me).some(({ text }) => text === 'done: slow'));
  });

  it('shows a stranger a code and nothing else', async () => {
    await using it = await setup(null, platform, { paired: [] });
    const [, stranger] = it.platform!.people;
    it.platform!.say('/run morning-briefing', stranger);
    await it.until(() => it.platform!.shown(stranger).length === 1);
    assert.match(it.platform!.shown(stranger)[0]!.text, /pair [A-Z0-9]{4}-[A-Z0-9]{4}/);
    assert.equal(it.bed.started.length, 0);
  });
}

function promiseFailures(platform: NonNullable<Subject['platform']>): void {
  for (const [trouble, code, outcome] of [
    ['blocked', 'channel.blocked', 'not_done'],
    ['refused', 'channel.refused', 'not_done'],
    ['server_error', 'channel.outcome_unknown', 'unknown'],
    ['cut', 'channel.outcome_unknown', 'unknown'],
  ] as const) {
    it(`names what failed, and whether it may have arrived: ${trouble}`, async () => {
      await using it = await setup(null, platform);
      it.platform!.trouble(trouble, it.me);
      await assert.rejects(it.deliver('k', 'hello'), (error: Error & { code?: string }) => {
        assert.equal(error.code, code);
        assert.ok(!it.shows(error));
        return true;
      });
      assert.equal(await it.bed.channels.delivery.verify('k'), outcome);
    });
  }

  it('waits as long as the platform asks, and sends once', async () => {
    await using it = await setup(null, platform);
    it.platform!.trouble('limited', it.me);
    assert.equal((await it.deliver('k', 'hello')).status, 'sent');
    assert.equal(it.platform!.shown(it.me).length, 1);
  });

  it('says when the platform is down, tries again by itself, and is well again', async () => {
    await using it = await setup(null, platform);
    await it.until(async () => (await it.health()).state === 'ok');
    it.platform!.breakDown(true);
    await it.until(async () => (await it.health()).state === 'failing');
    assert.deepEqual(it.bed.told, []);
    it.platform!.breakDown(false);
    it.platform!.say('/ping', it.me);
    await it.until(() => it.platform!.shown(it.me).some(({ text }) => text === 'pong'));
    await it.until(async () => (await it.health()).state === 'ok');
  });

  it('tells the owner when its credentials are refused, and shows them to nobody', async () => {
    await using it = await setup(null, platform);
    it.platform!.revoke();
    await it.bed.channels.reconnect(it.bed.id);
    await it.until(async () => (await it.health()).state === 'broken');
    assert.equal(it.bed.told.filter(({ key }) => key === `channel.broken:${it.bed.id}`).length, 1);
    assert.ok(!it.shows([it.bed.told, await it.bed.channels.directory.list(), it.bed.errors]));
  });
}

function promiseQuestions(kind: ChannelKind, platform: NonNullable<Subject['platform']>): void {
  const question = {
    kind: 'approval_step',
    title: 'Send it?',
    question: 'A mail to Bob.',
    expiresAt: null,
    options: [
      { id: 'yes', label: 'Yes', style: 'primary' as const },
      { id: 'no', label: 'No', style: 'danger' as const },
    ],
  };

  it('takes an answer by text', async () => {
    await using it = await setup(null, platform);
    const { id, code } = await it.bed.store.write((tx) => it.bed.approvals.ask(tx, question));
    await it.until(() => it.platform!.shown(it.me).some(({ text }) => text.includes('A mail to Bob.') && text.includes(code)));
    it.platform!.say(`no ${code}`, it.me);
    await it.until(async () => (await it.bed.approvals.get(id)).answer === 'no');
  });

  if (!kind.capabilities.buttons) return;
  it('takes an answer by a button, says so, and takes the buttons off', async () => {
    await using it = await setup(null, platform);
    const { id } = await it.bed.store.write((tx) => it.bed.approvals.ask(tx, question));
    await it.until(() => it.platform!.shown(it.me).length === 1);
    const [card] = it.platform!.shown(it.me);
    assert.deepEqual(card!.buttons, ['Yes', 'No']);
    it.platform!.press!(card!, 'Yes', it.me);
    await it.until(async () => (await it.bed.approvals.get(id)).answer === 'yes');
    await it.until(() => it.platform!.toasts!.includes('Answered: Yes'));
    if (kind.capabilities.edit) await it.until(() => it.platform!.shown(it.me)[0]!.buttons.length === 0);
  });
}

function promiseEdits(platform: NonNullable<Subject['platform']>): void {
  it('shows an answer while it grows, in one message', async () => {
    const seen = Promise.withResolvers<void>();
    await using it = await setup(null, platform, {
      talk: async function* () {
        yield { text: `First words, ${'and more '.repeat(8)}` };
        await seen.promise;
        yield { text: 'The **whole** answer.' };
      },
    });
    it.platform!.say('hello there', it.me);
    await it.until(() => it.platform!.shown(it.me).some(({ text }) => text.startsWith('First words')));
    seen.resolve();
    await it.until(() => it.platform!.shown(it.me).some(({ text }) => text === 'The whole answer.'));
    assert.deepEqual(
      it.platform!.shown(it.me).map(({ edits }) => edits),
      [1],
    );
  });
}

function promiseTyping(platform: NonNullable<Subject['platform']>): void {
  it('shows that an answer is being written', async () => {
    const gate = Promise.withResolvers<void>();
    await using it = await setup(null, platform, {
      talk: async function* () {
        await gate.promise;
        yield { text: 'done' };
      },
    });
    it.platform!.say('think', it.me);
    await it.until(() => it.platform!.isTyping!(it.me));
    gate.resolve();
    await it.until(() => it.platform!.shown(it.me).length === 1);
  });
}

function promiseCalls(platform: NonNullable<Subject['platform']>): void {
  it('answers nobody but the platform at its public address, and believes nobody else', async () => {
    await using it = await setup(null, platform);
    await it.until(async () => (await it.health()).state === 'ok');
    if (!it.platform!.calls) return; // this channel is one that asks
    const said = it.platform!.say('/ping', it.me);
    await it.until(() => it.platform!.isAcknowledged(said));
    const before = (await it.bed.channels.received(it.bed.id, { limit: 100 })).items.length;
    for (const forged of it.platform!.calls.forged) assert.equal(await forged(), 404);
    assert.ok((await it.platform!.calls.unreadable()) < 500);
    assert.equal((await it.bed.channels.received(it.bed.id, { limit: 100 })).items.length, before);
    assert.equal((await fetch(`${it.bed.publicUrl}/channels/${it.bed.id}`)).status, 404);
  });
}

async function setup(kind: ChannelKind | null, platform: Subject['platform'], options: TestbedOptions = {}) {
  const made = await platform?.();
  const bed: Testbed = await testbed({
    paired: made?.people ?? [],
    channel: made?.channel ?? { kind: kind!, config: {}, secrets: {} },
    ...options,
  });
  const signal = (): AbortSignal => AbortSignal.timeout(20_000);
  return {
    bed,
    platform: made,
    me: made?.people[0] ?? { sender: 'owner', chat: 'owner' },
    /** To the first of the people. */
    async deliver(key: string, text: string) {
      const to = made && { to: made.people[0].chat };
      return (await bed.channels.delivery.deliver({ key, text, channel: bed.id, ...to }, signal()))[0]!;
    },
    async test() {
      const [{ handle } = assert.fail()] = channelRoutes(bed.channels, {
        newId: () => 'one',
        clock: systemClock,
      }).filter(({ endpoint }) => endpoint === testChannel);
      const input = { id: bed.id, ...(made && { to: made.people[0].chat }) };
      const answer = handle(input as never, { signal: signal() } as never);
      return (await answer) as { receipts: { channel: string; status: string; messageIds: string[] }[]; tookMs: number };
    },
    health: async () => (await bed.channels.directory.list()).find(({ id }) => id === bed.id)!.health,
    /** Whether anything in it gives a secret away. */
    shows(it: unknown): boolean {
      const text = it instanceof Error ? `${it.message} ${it.stack} ${JSON.stringify(it)}` : JSON.stringify(it);
      return Object.values(made?.channel.secrets ?? {}).some((value) => text.includes(value));
    },
    async until(condition: () => boolean | Promise<boolean>): Promise<void> {
      if (made) return made.until(condition);
      while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    async [Symbol.asyncDispose]() {
      await bed[Symbol.asyncDispose]();
      await made?.[Symbol.asyncDispose]();
    },
  };
}
