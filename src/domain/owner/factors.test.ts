import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { memoryStore, onEveryEngine } from '#core/db/testing';
import { ownerMigrations } from './tables.ts';
import { act, app, bed, enrol, HOME, open, PASSWORD, START, STEP } from './testbed.ts';
import { readRecoveryCode } from './recovery-codes.ts';
import { digitsOf } from './totp.ts';

const CLI = { id: 'cli', grants: new Set(['*']) };
const MINUTE = 60_000;

onEveryEngine('second factors', (openStore) => {
  const setup = async () => bed(await openStore(ownerMigrations));

  it('an app guards logins once a code has proved it', async () => {
    await using t = await setup();
    const { secret, uri, svg, text } = await t.owner.factors.beginTotp('owner at test', 'owner');
    assert.match(uri, /^otpauth:\/\/totp\/Castellan:owner%20at%20test\?issuer=Castellan&secret=[A-Z2-7]{32}&/);
    assert.ok(svg.startsWith('<svg') && text.includes('█'));
    assert.equal((await t.owner.login.withPassword(PASSWORD, HOME)).state.challenge, null); // not in force yet
    await assert.rejects(t.owner.factors.confirmTotp('000000', 'owner'), { code: 'owner.wrong_factor' });
    const code = app(secret, t.clock);
    const { recoveryCodes } = await t.owner.factors.confirmTotp(code(), 'owner');
    assert.deepEqual([recoveryCodes?.length, new Set(recoveryCodes).size], [10, 10]);
    t.clock.set(START + STEP);
    const first = await t.owner.login.withPassword(PASSWORD, HOME);
    assert.deepEqual([first.token, first.state.authenticated, first.state.csrfToken], [null, false, null]);
    assert.deepEqual(first.state.challenge?.factors, ['totp', 'recovery']);
    const second = await t.owner.login.withFactor(first.state.challenge!.id, { code: code() }, HOME);
    assert.deepEqual([second.state.session?.via, second.state.session?.factor], ['password', 'totp']);
    assert.notEqual(await t.owner.authenticateSession(open(second.token)), null);
  });

  it('a challenge outlives a restart, and is good for one login', async () => {
    await using t = await setup();
    const { code } = await enrol(t);
    const { challenge } = (await t.owner.login.withPassword(PASSWORD, HOME)).state;
    const again = t.restarted();
    await again.login.withFactor(challenge!.id, { code: code() }, HOME);
    t.clock.set(t.clock.now() + STEP);
    await assert.rejects(again.login.withFactor(challenge!.id, { code: code() }, HOME), { code: 'owner.challenge_over' });
  });

  it('a recovery code is good once, however it is typed', async () => {
    await using t = await setup();
    const { recoveryCodes } = await enrol(t);
    const login = async (code: string) => {
      const { challenge } = (await t.owner.login.withPassword(PASSWORD, HOME)).state;
      return t.owner.login.withFactor(challenge!.id, { code }, HOME);
    };
    const typed = ` ${recoveryCodes[0]!.toUpperCase().replaceAll('-', ' ').replaceAll('0', 'O')} `;
    assert.equal((await login(typed)).state.session?.factor, 'recovery');
    await assert.rejects(login(recoveryCodes[0]!), { code: 'owner.wrong_factor' });
    assert.deepEqual((await t.owner.factors.state(HOME.at)).recoveryCodes?.left, 9);
    assert.ok(t.told.includes('A recovery code was used'));
    await t.owner.factors.newRecoveryCodes('owner');
    await assert.rejects(login(recoveryCodes[1]!), { code: 'owner.wrong_factor' });
  });
});

describe('a code', () => {
  const setup = async () => bed(await memoryStore(ownerMigrations));
  const use = (t: Awaited<ReturnType<typeof setup>>, code: string) => t.owner.assertFactor(act(t.session, code));

  it('is used once, and so are those of the steps before', async () => {
    await using t = await setup();
    const { code } = await enrol(t);
    const [before, now] = [code(-1), code()];
    await use(t, now);
    await assert.rejects(use(t, now), { code: 'owner.wrong_factor' });
    await assert.rejects(use(t, before), { code: 'owner.wrong_factor' });
    t.clock.set(t.clock.now() + STEP);
    await use(t, code());
  });

  it('that enrolled the app is used up by it', async () => {
    await using t = await setup();
    const { secret } = await t.owner.factors.beginTotp('x', 'owner');
    const code = app(secret, t.clock)();
    await t.owner.factors.confirmTotp(code, 'owner');
    await assert.rejects(use(t, code), { code: 'owner.wrong_factor' });
  });

  it('is taken one step early or late, and no further', async () => {
    for (const [steps, isGood] of [
      [-2, false],
      [-1, true],
      [0, true],
      [1, true],
      [2, false],
    ] as const) {
      await using t = await setup();
      const { code } = await enrol(t);
      t.clock.set(t.clock.now() + 2 * STEP);
      const outcome = use(t, code(steps));
      await (isGood ? outcome : assert.rejects(outcome, { code: 'owner.wrong_factor' }));
    }
  });

  it('used by two at once is used by one', async () => {
    await using t = await setup();
    const { code } = await enrol(t);
    const settled = await Promise.allSettled(Array.from({ length: 4 }, () => use(t, code())));
    assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('is not guessed: five attempts a session, also after a restart, and twenty an hour in all', async () => {
    await using t = await setup();
    const { code, recoveryCodes } = await enrol(t);
    const wrong = code() === '123456' ? '654321' : '123456';
    for (let n = 0; n < 5; n += 1) await assert.rejects(use(t, wrong), { code: 'owner.wrong_factor' });
    assert.equal(t.told.includes('Somebody guesses at your second factor'), false);
    await assert.rejects(use(t, code()), { kind: 'limited', code: 'owner.too_many_attempts' });
    assert.ok(t.told.includes('Somebody guesses at your second factor'));
    await assert.rejects(t.restarted().assertFactor(act(t.session, code())), { code: 'owner.too_many_attempts' });
    for (let n = 0; n < 15; n += 1) await assert.rejects(t.owner.assertFactor(act(`other ${n}`, wrong)), { code: 'owner.wrong_factor' });
    await assert.rejects(t.owner.assertFactor(act('yet another', code())), { code: 'owner.too_many_attempts' });
    await t.owner.assertFactor(act('yet another', recoveryCodes[0])); // which nobody can guess: the owner is not locked out
    await t.owner.assertFactor(act('yet another', code()));
  });

  it('never stands in the database, the audit or an error', async () => {
    await using t = await setup();
    const { secret } = await t.owner.factors.beginTotp('x', 'owner');
    const code = app(secret, t.clock);
    const { recoveryCodes } = await t.owner.factors.confirmTotp(code(), 'owner');
    const { challenge } = (await t.owner.login.withPassword(PASSWORD, HOME)).state;
    const thrown = await t.owner.login.withFactor(challenge!.id, { code: code() }, HOME).catch((error: unknown) => error);
    const tables = await Promise.all(
      (['owner_totp', 'owner_recovery_code', 'owner_challenge', 'owner_throttle'] as const).map((name) =>
        t.store.db.selectFrom(name).selectAll().execute(),
      ),
    );
    const seen = JSON.stringify([tables, t.audit.entries, thrown]);
    for (const canary of [secret, code(), challenge!.id, ...recoveryCodes!]) assert.equal(seen.includes(canary), false, canary);
  });

  it('is known by its looks where there is an app, whatever its time', async () => {
    await using t = await setup();
    assert.equal(await t.owner.factors.isCode('123456'), false);
    const { recoveryCodes } = await enrol(t);
    for (const text of ['123456', ' 000 000 ', recoveryCodes[0]!]) assert.equal(await t.owner.factors.isCode(text), true, text);
    for (const text of ['', '12345', 'it is 123456', 'sixteen letters!']) assert.equal(await t.owner.factors.isCode(text), false, text);
  });

  it('is read with a gap, and nothing else is one', () => {
    for (const text of ['123456', '123 456', ' 123-456 ']) assert.equal(digitsOf(text), '123456');
    fc.assert(fc.property(fc.string(), (text) => digitsOf(text) === null || /^\d{6}$/.test(text.replaceAll(/\D/g, ''))));
    for (const text of ['12345', '1234567', '12 34 56', '１２３４５６', 'abcdef', '']) assert.equal(digitsOf(text), null, text);
    assert.equal(readRecoveryCode('abcd-efgh-jkmn-pqrs'), 'abcdefghjkmnpqrs');
    for (const text of ['abcd', '123456', 'abcd-efgh-jkmn-pqr!', 'uuuu-uuuu-uuuu-uuuu']) assert.equal(readRecoveryCode(text), null, text);
  });
});

describe('a login that waits for its second factor', () => {
  const setup = async () => bed(await memoryStore(ownerMigrations));
  const begin = async (t: Awaited<ReturnType<typeof setup>>) => (await t.owner.login.withPassword(PASSWORD, HOME)).state.challenge!;

  it('is over after two minutes', async () => {
    await using t = await setup();
    const { code } = await enrol(t);
    const { id } = await begin(t);
    t.clock.set(t.clock.now() + 2 * MINUTE);
    await assert.rejects(t.owner.login.withFactor(id, { code: code() }, HOME), { code: 'owner.challenge_over' });
  });

  it('is over after five wrong codes, wherever they come from', async () => {
    await using t = await setup();
    const { code } = await enrol(t);
    const { id } = await begin(t);
    const wrong = code() === '123456' ? '654321' : '123456';
    for (let n = 0; n < 5; n += 1)
      await assert.rejects(t.owner.login.withFactor(id, { code: wrong }, { ...HOME, address: `203.0.113.${n}` }), {
        code: 'owner.wrong_factor',
      });
    await assert.rejects(t.owner.login.withFactor(id, { code: code() }, HOME), { code: 'owner.challenge_over' });
  });

  it('follows a link too', async () => {
    await using t = await setup();
    const { code } = await enrol(t);
    const { url } = await t.owner.createLoginLink('http://localhost:4848');
    const { token, state } = await t.owner.login.withLink(open(url).split('#login=')[1]!, HOME);
    assert.equal(token, null);
    const { session } = (await t.owner.login.withFactor(state.challenge!.id, { code: code() }, HOME)).state;
    assert.equal(session?.via, 'link');
  });

  it('takes no challenge of another kind, and no made-up one', async () => {
    await using t = await setup();
    const { code } = await enrol(t);
    const { challenge } = await t.owner.login.beginPasskey(HOME);
    for (const id of [challenge, '', 'x', 'undefined'])
      await assert.rejects(t.owner.login.withFactor(id, { code: code() }, HOME), { code: 'owner.challenge_over' });
  });
});

describe('a sensitive act', () => {
  const setup = async () => bed(await memoryStore(ownerMigrations));

  it('needs the password where no factor is enrolled, and counts guesses', async () => {
    await using t = await setup();
    await assert.rejects(t.owner.assertFactor(act(t.session)), { code: 'owner.factor_needed', details: { factors: ['password'] } });
    await assert.rejects(t.owner.assertFactor(act(t.session, 'wrong')), { code: 'owner.wrong_factor' });
    await t.owner.assertFactor(act(t.session, PASSWORD));
    await t.owner.assertFactor(act(t.session, undefined, { whenEnrolled: true }));
    await assert.rejects(t.owner.assertFactor(act(undefined, undefined, { caller: CLI })), { code: 'owner.factor_needed' });
    for (let n = 0; n < 5; n += 1) await t.owner.assertFactor(act(t.session, `wrong ${n}`)).catch(() => {});
    await assert.rejects(t.owner.assertFactor(act(t.session, PASSWORD)), { code: 'owner.too_many_attempts' });
  });

  it('needs the factor once there is one, of everybody, and the password is none', async () => {
    await using t = await setup();
    const { code } = await enrol(t);
    const token = { id: 'token:1', grants: new Set(['*']) };
    for (const caller of [CLI, token, { id: 'owner', grants: new Set(['*']) }]) {
      const request = (given?: string, whenEnrolled = false) => act(t.session, given, { caller, whenEnrolled });
      await assert.rejects(t.owner.assertFactor(request()), { code: 'owner.factor_needed', details: { factors: ['totp', 'recovery'] } });
      await assert.rejects(t.owner.assertFactor(request(undefined, true)), { code: 'owner.factor_needed' });
      await assert.rejects(t.owner.assertFactor(request(PASSWORD)), { code: 'owner.wrong_factor' });
    }
    await t.owner.assertFactor(act(undefined, code(), { caller: CLI }));
  });

  it('with no password passes for the command line of this machine and nobody else', async () => {
    await using store = await memoryStore(ownerMigrations);
    const { testOwner } = await import('./testing.ts');
    const { manualClock } = await import('#core/clock');
    const owner = testOwner({ store, clock: manualClock(START) });
    await owner.assertFactor(act(undefined, undefined, { caller: CLI }));
    for (const caller of [
      { id: 'owner', grants: new Set(['*']) },
      { id: 'token:1', grants: new Set(['*']) },
    ])
      for (const given of [undefined, '', 'x'])
        await assert.rejects(owner.assertFactor(act('s', given, { caller })), { code: 'owner.factor_needed', details: { factors: [] } });
  });

  it('is recorded, allowed or denied', async () => {
    await using t = await setup();
    const { code } = await enrol(t);
    await t.owner.assertFactor(act(t.session, '000000')).catch(() => {});
    await t.owner.assertFactor(act(t.session, code()));
    assert.deepEqual(
      t.audit.entries.filter(({ action }) => action === 'owner.factor').map(({ actor, decision, details }) => [actor, decision, details]),
      [
        ['owner', 'deny', { factor: 'totp', act: 'POST /api/things' }],
        ['owner', 'allow', { factor: 'totp', act: 'POST /api/things' }],
      ],
    );
  });

  it('removing the last factor takes the recovery codes with it', async () => {
    await using t = await setup();
    const { recoveryCodes } = await enrol(t);
    await t.owner.factors.removeTotp('owner');
    assert.deepEqual(await t.owner.factors.kinds(), []);
    assert.equal((await t.owner.factors.state(HOME.at)).recoveryCodes, null);
    await assert.rejects(t.owner.assertFactor(act(t.session, recoveryCodes[0])), { code: 'owner.wrong_factor' });
    await assert.rejects(t.owner.factors.removeTotp('owner'), { code: 'owner.no_factor' });
    await assert.rejects(t.owner.factors.newRecoveryCodes('owner'), { code: 'owner.no_factor' });
  });

  it('a new app takes the place of the old one only when proved', async () => {
    await using t = await setup();
    const { code } = await enrol(t);
    const { secret } = await t.owner.factors.beginTotp('x', 'owner');
    await t.owner.assertFactor(act(t.session, code()));
    t.clock.set(t.clock.now() + STEP);
    const next = app(secret, t.clock);
    assert.equal((await t.owner.factors.confirmTotp(next(), 'owner')).recoveryCodes, null);
    t.clock.set(t.clock.now() + STEP);
    await assert.rejects(t.owner.assertFactor(act(t.session, code())), { code: 'owner.wrong_factor' });
    await t.owner.assertFactor(act(t.session, next()));
  });

  it('an enrolment waits a quarter of an hour', async () => {
    await using t = await setup();
    const { secret } = await t.owner.factors.beginTotp('x', 'owner');
    t.clock.set(START + 15 * MINUTE);
    await assert.rejects(t.owner.factors.confirmTotp(app(secret, t.clock)(), 'owner'), { code: 'owner.no_enrolment' });
  });
});
