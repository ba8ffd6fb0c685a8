import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeAudit } from '#audit/testing';
import { createBus, type Events } from '#core/bus';
import { manualClock, type Clock } from '#core/clock';
import { createOutbox, outboxMigrations } from '#core/db/outbox';
import { createLocalQueue, queueMigrations } from '#core/db/queue';
import { memoryStore, onEveryEngine, type TestStore } from '#core/db/testing';
import { AppError } from '#core/errors';
import { uuidv7 } from '#core/ids';
import { createApprovals, policyMigrations, policyRoutes, type ApprovalsDeps, type NewApproval } from '#policy';
import { yesOrNo } from '#policy/contract';
import { readAnswer } from './codes.ts';

const START = 1_700_000_000_000;
const owner = { by: 'owner', via: 'web' };
const question: NewApproval = {
  runId: 'r1',
  step: 'send',
  kind: 'approval_step',
  title: 'Send it?',
  question: 'Shall the mail go out?',
  details: { to: 'ann@example.com' },
  options: yesOrNo,
  expiresAt: null,
};

function approvalsOn(store: TestStore, clock: Clock, more: Partial<ApprovalsDeps> = {}) {
  const newId = uuidv7();
  const seen: [string, unknown][] = [];
  const bus = createBus((_, error) => assert.fail(String(error)));
  bus.tap((name, event) => void seen.push([name, (event as Events['approval.asked']).approval.status]), new AbortController().signal);
  const audit = fakeAudit();
  const queue = createLocalQueue({ store, clock, newId, onError: (_, error) => assert.fail(error) });
  const approvals = createApprovals({
    store,
    clock,
    newId,
    audit,
    queue,
    outbox: createOutbox({ store, bus, clock, newId }),
    ...more,
  });
  const ask = (it: Partial<NewApproval> = {}) => store.write((tx) => approvals.ask(tx, { ...question, ...it }));
  return { approvals, ask, seen, bus, audit };
}

onEveryEngine('approvals', (open) => {
  async function setup() {
    const store = await open(outboxMigrations, queueMigrations, policyMigrations);
    const clock = manualClock(START);
    return { store, clock, ...approvalsOn(store, clock), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  }

  it('the first answer wins and the next one learns who gave it', async () => {
    await using t = await setup();
    const { id } = await t.ask();
    const results = await Promise.allSettled([
      t.approvals.answer(id, 'yes', owner),
      t.approvals.answer(id, 'No', { by: 'channel:7', via: 'telegram' }),
    ]);
    const won = results.find((result) => result.status === 'fulfilled')!.value;
    const lost = results.find((result) => result.status === 'rejected')!.reason as { code: string; details: Record<string, unknown> };
    assert.equal(lost.code, 'policy.already_answered');
    assert.deepEqual([lost.details['answer'], lost.details['answeredBy'], lost.details['via']], [won.answer, won.answeredBy, won.via]);
    assert.deepEqual(await t.approvals.get(id), won);
    assert.deepEqual(
      t.audit.entries.map(({ action, decision }) => [action, decision]),
      [
        ['policy.ask', 'ask'],
        ['policy.answer', won.answer === 'yes' ? 'allow' : 'deny'],
      ],
    );
  });

  it('expires what nobody answered, also when the time passed while it was down', async () => {
    await using t = await setup();
    const { id } = await t.ask({ expiresAt: START + 1_000 });
    const { id: kept } = await t.ask({ expiresAt: START + 1_000 });
    await t.approvals.answer(kept, 'no', owner);
    t.clock.set(START + 1_000);
    await assert.rejects(t.approvals.answer(id, 'yes', owner), { code: 'policy.approval_expired' });
    const again = approvalsOn(t.store, t.clock);
    const expired = Promise.withResolvers<unknown>();
    again.bus.subscribe('approval.expired', ({ approval }) => expired.resolve(approval.id), new AbortController().signal);
    const running = await again.approvals.service.start({ signal: new AbortController().signal, exit: () => assert.fail('down') });
    assert.equal(await expired.promise, id);
    await running.stop();
    assert.deepEqual([(await t.approvals.get(id)).status, (await t.approvals.get(kept)).status], ['expired', 'answered']);
  });

  it('lists by status and run, newest first, by page', async () => {
    await using t = await setup();
    const [a, b, c] = [await t.ask(), await t.ask({ runId: 'r2' }), await t.ask()];
    await t.approvals.answer(a.id, 'yes', owner);
    assert.deepEqual(
      (await t.approvals.list({ status: 'pending', limit: 10 })).items.map(({ id }) => id),
      [c.id, b.id],
    );
    const first = await t.approvals.list({ run: 'r1', limit: 1 });
    assert.deepEqual([first.items.map(({ id }) => id), first.next], [[c.id], c.id]);
    assert.deepEqual(
      (await t.approvals.list({ run: 'r1', limit: 1, cursor: first.next! })).items.map(({ id }) => id),
      [a.id],
    );
  });
});

describe('approvals', () => {
  async function setup(more: Partial<ApprovalsDeps> = {}) {
    const store = await memoryStore(outboxMigrations, queueMigrations, policyMigrations);
    const clock = manualClock(START);
    return { store, clock, ...approvalsOn(store, clock, more), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  }

  it('asking again under the same id is the same question, asked once', async () => {
    await using t = await setup();
    const first = await t.ask({ id: 'r1/send' });
    const again = await t.ask({ id: 'r1/send', title: 'Another title' });
    assert.deepEqual(again, first);
    assert.deepEqual(t.seen, [['approval.asked', 'pending']]);
  });

  it('a question that was undone was never asked', async () => {
    await using t = await setup();
    await assert.rejects(
      t.store.write(async (tx) => {
        await t.approvals.ask(tx, { ...question, expiresAt: START + 5 });
        throw new Error('undo');
      }),
    );
    assert.deepEqual([(await t.approvals.list({ limit: 9 })).items, t.seen], [[], []]);
  });

  it('a withdrawn question takes no answer, an answered one cannot be withdrawn', async () => {
    await using t = await setup();
    const [a, b, c] = [await t.ask(), await t.ask(), await t.ask({ runId: 'r2' })];
    await t.approvals.answer(a.id, 'yes', owner);
    await t.store.write((tx) => t.approvals.withdrawAll(tx, 'r1'));
    assert.deepEqual(
      (await t.approvals.list({ limit: 9 })).items.map(({ status }) => status),
      ['pending', 'withdrawn', 'answered'],
    );
    await assert.rejects(t.approvals.answer(b.id, 'yes', owner), { kind: 'conflict', code: 'policy.approval_withdrawn' });
    await t.store.write((tx) => t.approvals.withdraw(tx, c.id));
    await assert.rejects(
      t.store.write((tx) => t.approvals.withdraw(tx, 'none')),
      { code: 'policy.no_approval' },
    );
    assert.deepEqual(t.seen.map(([name]) => name).toSorted(), [
      'approval.answered',
      'approval.asked',
      'approval.asked',
      'approval.asked',
      'approval.withdrawn',
      'approval.withdrawn',
    ]);
  });

  it('takes no other option, no answer to nothing, and none from a run', async () => {
    await using t = await setup();
    const { id } = await t.ask();
    await assert.rejects(t.approvals.answer(id, 'maybe', owner), { kind: 'invalid', code: 'policy.unknown_option' });
    await assert.rejects(t.approvals.answer('none', 'yes', owner), { kind: 'not_found', code: 'policy.no_approval' });
    await assert.rejects(t.approvals.answer(id, 'yes', { by: 'run:r1', via: 'mcp' }), { kind: 'forbidden', code: 'policy.not_eligible' });
    assert.equal((await t.approvals.get(id)).status, 'pending');
  });

  it('a second factor is asked for, except to refuse, and a wrong one changes nothing', async () => {
    await using t = await setup();
    const [one, two] = [await t.ask({ kind: 'second_factor' }), await t.ask({ kind: 'second_factor' })];
    const wrong = async () => {
      throw new AppError('forbidden', 'owner.wrong_factor', 'no');
    };
    await assert.rejects(t.approvals.answer(one.id, 'yes', owner), { code: 'policy.factor_needed' });
    await assert.rejects(t.approvals.answerText(`yes ${one.code}`, owner), { code: 'policy.factor_needed' });
    await assert.rejects(t.approvals.answer(one.id, 'yes', { ...owner, verifyFactor: wrong }), { code: 'owner.wrong_factor' });
    assert.equal((await t.approvals.get(one.id)).status, 'pending');
    assert.equal((await t.approvals.answer(one.id, 'yes', { ...owner, verifyFactor: async () => {} })).answer, 'yes');
    assert.equal((await t.approvals.answer(two.id, 'no', owner)).answer, 'no');
  });

  it('is answered by a text with its code', async () => {
    await using t = await setup();
    const options = [
      { id: 'retry', label: 'Send it again', style: 'primary' },
      { id: 'done', label: 'It was sent', style: 'neutral' },
    ] as const;
    const [a, b] = [await t.ask(), await t.ask({ options })];
    const sender = { by: 'channel:7', via: 'telegram' };
    for (const text of ['yes', 'yes please do', `maybe ${a.code}`, 'hello there', 'yes ZZZZ9', '', a.code])
      assert.equal(await t.approvals.answerText(text, sender), null, text);
    assert.equal((await t.approvals.answerText(`${a.code.toLowerCase()}: Yes`, sender))?.answer, 'yes');
    assert.equal((await t.approvals.answerText(`it was sent ${b.code}.`, sender))?.answer, 'done');
    await assert.rejects(t.approvals.answerText(`no ${a.code}`, sender), { code: 'policy.already_answered' });
  });

  it('gives a code anew when the first one is taken, and never to two that wait', async () => {
    const rolls = [
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [1, 1, 1, 1],
      [0, 0, 0, 0],
    ];
    await using t = await setup({ random: () => Uint8Array.from(rolls.shift()!) });
    const a = await t.ask();
    assert.deepEqual([a.code, (await t.ask()).code], ['AAAA', 'BBBB']);
    await t.approvals.answer(a.id, 'yes', owner);
    assert.equal((await t.ask()).code, 'AAAA');
    assert.equal((await t.approvals.answerText('no AAAA', owner))?.answer, 'no');
  });

  it('answers over HTTP in the shape of the contract', async () => {
    await using t = await setup();
    const { id } = await t.ask();
    const request = { caller: { id: 'cli', grants: new Set(['*']) }, signal: new AbortController().signal };
    const routes = policyRoutes({
      approvals: t.approvals,
      policy: {} as never,
      heldBy: async () => undefined,
      catalogue: () => [{ grant: 'a:b', opens: ['x'] }],
    });
    const call = async (name: string, input: object): Promise<unknown> => {
      const found = routes.find(({ endpoint }) => `${endpoint.method} ${endpoint.path}` === name)!;
      return found.endpoint.output.parse(await found.handle(found.endpoint.input.parse(input) as never, request));
    };
    const answered = (await call('POST /api/approvals/{id}/answer', { id, option: 'no', note: 'not today' })) as {
      via: string;
      note: string;
    };
    assert.deepEqual([answered.via, answered.note], ['cli', 'not today']);
    assert.deepEqual(await call('GET /api/approvals/{id}', { id }), answered);
    assert.deepEqual(await call('GET /api/approvals', {}), { items: [answered], next: null });
    assert.deepEqual(await call('GET /api/grants/catalogue', {}), { items: [{ grant: 'a:b', opens: ['x'] }], next: null });
  });
});

it('readAnswer finds the code at either end of a short text', () => {
  assert.deepEqual(readAnswer('yes K7QF'), [{ code: 'K7QF', option: 'yes' }]);
  assert.deepEqual(readAnswer('k7qf, yes!'), [{ code: 'K7QF', option: 'yes' }]);
  assert.deepEqual(readAnswer('K7QF was not what I meant when I wrote about the yes'), []);
});
