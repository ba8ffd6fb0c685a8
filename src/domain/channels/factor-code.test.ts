import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Secret as Base32, TOTP } from 'otpauth';
import { manualClock } from '#core/clock';
import { memoryStore } from '#core/db/testing';
import { ownerMigrations } from '#owner';
import { testOwner } from '#owner/testing';
import { isControl } from './dispatcher.ts';
import { readCode } from './factor-code.ts';
import { testbed } from './testbed.ts';

const ME = 7;
const QUESTION = {
  kind: 'second_factor',
  title: 'Deploy',
  question: 'Run "Deploy"?',
  expiresAt: null,
  options: [
    { id: 'approve', label: 'Confirm', style: 'primary' as const },
    { id: 'refused', label: 'Refuse', style: 'neutral' as const },
  ],
};

/** A chat with the owner, whose second factor is the real one. */
async function setup({ isEnrolled = true } = {}) {
  const store = await memoryStore(ownerMigrations);
  const clock = manualClock(1_700_000_010_000);
  const { factors } = testOwner({ store, clock });
  const talked: string[] = [];
  const { secret } = await factors.beginTotp('x', 'owner');
  const code = (): string => TOTP.generate({ secret: Base32.fromBase32(secret), timestamp: clock.now() });
  const { recoveryCodes } = isEnrolled ? await factors.confirmTotp(code(), 'owner') : { recoveryCodes: null };
  const next = (): string => (clock.set(clock.now() + 30_000), code());
  const bed = await testbed({
    paired: [ME],
    ports: { factor: factors },
    talk: async function* ({ text }) {
      talked.push(text);
      yield { text: `talk: ${text}` };
    },
  });
  const ask = (title = 'Deploy') => bed.store.write((tx) => bed.approvals.ask(tx, { ...QUESTION, title }));
  /** Says something and gives what comes back. */
  const say = async (text: string): Promise<string> => {
    const before = bed.telegram.sentTo(ME).length;
    bed.telegram.say(text, { from: ME });
    await bed.telegram.until(() => bed.telegram.sentTo(ME).length > before);
    return bed.telegram.sentTo(ME).at(-1)!.text;
  };
  const cards = (count: number) => bed.telegram.until(() => bed.telegram.sentTo(ME).length === count);
  const end = async (): Promise<void> => {
    await bed[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  };
  return { bed, talked, ask, say, cards, next, code, recoveryCodes, [Symbol.asyncDispose]: end };
}

describe('A code in a chat', () => {
  it('answers the question that waits for it, and is neither kept nor shown to a model', async () => {
    await using t = await setup();
    const { id } = await t.ask();
    await t.cards(1);
    const [card] = t.bed.telegram.sentTo(ME);
    assert.match(card!.text, /six digits of your authenticator/);
    assert.deepEqual(
      card!.buttons.map(({ text }) => text),
      ['Refuse'],
    );
    const code = t.next();
    assert.match(await t.say(`${code.slice(0, 3)} ${code.slice(3)}`), /Deploy: Confirm, by channel:/);
    assert.equal((await t.bed.approvals.get(id)).answer, 'approve');
    const inbound = () => t.bed.store.db.selectFrom('channel_inbound').selectAll().execute();
    while ((await inbound()).some(({ status }) => status === 'received')) await new Promise((resolve) => setTimeout(resolve, 5));
    const rows = JSON.stringify(await inbound());
    assert.equal(rows.includes(code.slice(0, 3) + ' ' + code.slice(3)), false);
    assert.deepEqual(t.talked, []);
  });

  it('is a code also when nothing waits, or when it is wrong, and goes no further', async () => {
    await using t = await setup();
    assert.match(await t.say('123456'), /No question waits/);
    const { id } = await t.ask();
    await t.cards(2);
    assert.match(await t.say(t.code() === '123456' ? '654321' : '123456'), /Not a code of now/);
    assert.equal((await t.bed.approvals.get(id)).status, 'pending');
    assert.deepEqual(t.talked, []);
  });

  it('is guessed at five times', async () => {
    await using t = await setup();
    const { id } = await t.ask();
    await t.cards(1);
    for (let n = 0; n < 5; n += 1) assert.match(await t.say(`00000${n}`), /Not a code/);
    assert.match(await t.say(t.next()), /Too many attempts/);
    assert.equal((await t.bed.approvals.get(id)).status, 'pending');
  });

  it('is used for none of several questions until one is named', async () => {
    await using t = await setup();
    const [one, two] = [await t.ask('One'), await t.ask('Two')];
    await t.cards(2);
    const code = t.next();
    assert.match(await t.say(code), /Several questions wait/);
    assert.match(await t.say(`yes ${two.code.toLowerCase()} ${code}`), /Two: Confirm/);
    assert.match(await t.say(`${one.code} ${code}`), /Not a code of now/);
    assert.match(await t.say(t.recoveryCodes![0]!), /One: Confirm/);
  });

  it('is the only way to say yes; no is said as ever', async () => {
    await using t = await setup();
    const { code } = await t.ask();
    await t.cards(1);
    assert.match(await t.say(`approve ${code}`), /second factor/);
    assert.match(await t.say(`refused ${code}`), /Deploy: Refuse/);
  });

  it('is talk where there is no authenticator app', async () => {
    await using t = await setup({ isEnrolled: false });
    await t.ask();
    await t.cards(1);
    assert.match(t.bed.telegram.sentTo(ME)[0]!.text, /only in the browser/);
    assert.equal(await t.say('123456'), 'talk: 123456');
  });

  it('is read as such, and little else is', () => {
    const from = (text: string) => ({ text, messageId: '1', chat: 'c', sender: { id: '1', name: 'x' }, isPrivate: true }) as never;
    for (const [text, code, question] of [
      ['123456', '123456', null],
      [' 123 456\n', '123 456', null],
      ['yes K7QF 123456', '123456', 'K7QF'],
      ['k7qf 123 456', '123 456', 'K7QF'],
      ['ab3d-ef5h-jk7m-np9r', 'ab3d-ef5h-jk7m-np9r', null],
    ] as const) {
      assert.deepEqual(readCode(text), { code, question });
      assert.ok(isControl(from(text)));
    }
    for (const text of ['', '12345', '1234567', 'call 123456 now please', 'my pin is 123456', 'yes K7QF', '2026', 'abcd efgh'])
      assert.equal(readCode(text), null, text);
    fc.assert(fc.property(fc.string(), (text) => readCode(text) === null || /\d|[a-z]/i.test(text)));
  });
});
