import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryStore, onEveryEngine } from '#core/db/testing';
import { fakeAuthenticator, type FakeAuthenticator, type Lies } from './fake-authenticator.ts';
import { relyingParty } from './passkeys.ts';
import { ownerMigrations } from './tables.ts';
import { act, bed, HOME, PASSWORD, type Bed } from './testbed.ts';

const MINUTE = 60_000;
type Ceremony = { challenge: string; rp: { id: string }; rpId?: string; allowCredentials?: unknown[]; user: { id: string } };

/** Enrols an authenticator under the one session of the bed. */
async function enrolled(
  { owner, session }: Bed,
  { at = HOME.at, lies = {}, key = fakeAuthenticator() }: { at?: string; lies?: Lies; key?: FakeAuthenticator } = {},
) {
  const subject = owner.subjectOf({ id: 'owner', grants: new Set() }, session);
  const { challenge, options } = await owner.factors.beginPasskey(at, subject);
  const response = key.create(options as Ceremony, at, lies);
  const added = await owner.factors.addPasskey({ challenge, name: 'my key', response }, { at, subject, actor: 'owner' });
  return { key, ...added };
}

/** The question of a refused act, and a proof of it as the header carries one. */
async function asked({ owner, session }: Bed, more: Parameters<typeof act>[2] = {}, given?: string) {
  const error = (await owner.assertFactor(act(session, given, more)).then(
    () => assert.fail('it passed'),
    (thrown: unknown) => thrown,
  )) as { code: string; details: { challenge: string; passkey: Ceremony } };
  const { challenge, passkey } = error.details;
  return {
    code: error.code,
    options: passkey,
    proof: (key: FakeAuthenticator, lies: Lies = {}) => JSON.stringify({ challenge, response: key.get(passkey as never, HOME.at, lies) }),
  };
}

onEveryEngine('passkeys', (openStore) => {
  const setup = async () => bed(await openStore(ownerMigrations));

  it('open the door without a password, and guard acts', async () => {
    await using t = await setup();
    assert.equal((await t.owner.state(undefined, HOME.at)).passkeys, false);
    const { key, recoveryCodes } = await enrolled(t);
    assert.equal(recoveryCodes?.length, 10);
    assert.equal((await t.owner.state(undefined, HOME.at)).passkeys, true);
    const { challenge, options } = await t.owner.login.beginPasskey(HOME);
    assert.deepEqual((options as Ceremony).allowCredentials, []); // a stranger learns nothing of what there is
    const { state } = await t.owner.login.withPasskey(challenge, key.get(options as never, HOME.at), HOME);
    assert.deepEqual([state.authenticated, state.session?.via], [true, 'passkey']);
    await t.owner.assertFactor(act(t.session, (await asked(t)).proof(key)));
    const [row] = await t.store.db.selectFrom('owner_passkey').selectAll().execute();
    assert.equal(Number(row!.counter), 3);
  });

  it('are the second step after the password, and need not know their owner then', async () => {
    await using t = await setup();
    const { key } = await enrolled(t);
    const { challenge } = (await t.owner.login.withPassword(PASSWORD, HOME)).state;
    assert.deepEqual(challenge?.factors, ['passkey', 'recovery']);
    const passkey = key.get(challenge!.passkey as never, HOME.at, { userVerified: false });
    assert.equal((await t.owner.login.withFactor(challenge!.id, { passkey }, HOME)).state.session?.factor, 'passkey');
  });
});

describe('an attack on a passkey', () => {
  const setup = async () => bed(await memoryStore(ownerMigrations));

  for (const [what, lies] of [
    ['one that did not know its owner', { userVerified: false }],
    ['one that nobody touched', { userPresent: false, userVerified: false }],
    ['one that signed for a page of another origin', { origin: 'http://localhost:3000' }],
    ['one that signed for a page of another host', { origin: 'https://evil.example' }],
    ['one that is bound to another name', { rpId: 'evil.example' }],
    ['one that answers another challenge', { challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
  ] as const) {
    it(`a login refuses ${what}`, async () => {
      await using t = await setup();
      const { key } = await enrolled(t);
      const { challenge, options } = await t.owner.login.beginPasskey(HOME);
      await assert.rejects(t.owner.login.withPasskey(challenge, key.get(options as never, HOME.at, lies), HOME), {
        code: 'owner.wrong_factor',
      });
      await assert.rejects(t.owner.login.withPasskey(challenge, key.get(options as never, HOME.at), HOME), {
        code: 'owner.challenge_over',
      });
      assert.deepEqual(t.audit.entries.at(-1)?.details, { via: 'passkey', address: '127.0.0.1' });
    });
  }

  it('a counter that goes backwards is a copy, and the owner is told', async () => {
    await using t = await setup();
    const { key } = await enrolled(t, { lies: { counter: 7 } });
    const login = async (counter: number) => {
      const { challenge, options } = await t.owner.login.beginPasskey(HOME);
      return t.owner.login.withPasskey(challenge, key.get(options as never, HOME.at, { counter }), HOME);
    };
    await login(8);
    for (const counter of [8, 3, 0]) await assert.rejects(login(counter), { code: 'owner.passkey_cloned' });
    assert.equal(t.told.filter((title) => title === 'A passkey may have been copied').length, 3);
    await login(9);
  });

  it('one that never counts is taken as such', async () => {
    await using t = await setup();
    const { key } = await enrolled(t, { lies: { counter: 0 } });
    for (let n = 0; n < 2; n += 1) await t.owner.assertFactor(act(t.session, (await asked(t)).proof(key, { counter: 0 })));
  });

  it('a key that was never enrolled opens nothing, nor does a replay', async () => {
    await using t = await setup();
    const { key } = await enrolled(t);
    const { challenge, options } = await t.owner.login.beginPasskey(HOME);
    const answer = key.get(options as never, HOME.at);
    await assert.rejects(t.owner.login.withPasskey(challenge, fakeAuthenticator().get(options as never, HOME.at), HOME), {
      code: 'owner.wrong_factor',
    });
    const next = await t.owner.login.beginPasskey(HOME);
    await assert.rejects(t.owner.login.withPasskey(next.challenge, answer, HOME), { code: 'owner.wrong_factor' });
  });

  it('a proof is good for its own act, its own session, two minutes, and once', async () => {
    await using t = await setup();
    const { key } = await enrolled(t);
    const reject = async (given: string, session = t.session, more = {}) => {
      await assert.rejects(t.owner.assertFactor(act(session, given, more)), { code: 'owner.wrong_factor' });
    };
    await reject((await asked(t)).proof(key), t.session, { act: 'POST /api/things other' });
    await reject((await asked(t)).proof(key), 'the session of another');
    await reject((await asked(t)).proof(key), t.session, { caller: { id: 'token:1', grants: new Set(['*']) } });
    const late = (await asked(t)).proof(key);
    t.clock.set(t.clock.now() + 2 * MINUTE);
    await reject(late);
    const good = (await asked(t)).proof(key);
    await t.owner.assertFactor(act(t.session, good));
    await reject(good);
    for (const bad of ['{', '{}', '{"challenge":"x"}', '{"challenge":1,"response":{}}']) await reject(bad);
  });

  it('enrolling is bound to the session that began it, and to the address', async () => {
    await using t = await setup();
    const { challenge, options } = await t.owner.factors.beginPasskey(HOME.at, 'session:a');
    const response = fakeAuthenticator().create(options as Ceremony, HOME.at);
    const add = (subject: string, at = HOME.at) =>
      t.owner.factors.addPasskey({ challenge, name: 'x', response }, { at, subject, actor: 'owner' });
    await assert.rejects(add('session:b'), { code: 'owner.challenge_over' });
    assert.equal((await add('session:a')).passkey.isUsableHere, true); // another's attempt does not use it up
    await assert.rejects(add('session:a'), { code: 'owner.challenge_over' });
    await assert.rejects(enrolled(t, { lies: { origin: 'http://localhost:3000' } }), { code: 'owner.wrong_factor' });
    await assert.rejects(enrolled(t, { lies: { rpId: 'evil.example' } }), { code: 'owner.wrong_factor' });
    assert.equal((await t.owner.factors.state(HOME.at)).passkeys.length, 1);
  });

  it('is not used at an address that it is not bound to', async () => {
    await using t = await setup();
    const { key } = await enrolled(t);
    const there = { ...HOME, at: 'https://castle.example' };
    assert.equal((await t.owner.state(undefined, there.at)).passkeys, false);
    const { challenge, options } = await t.owner.login.beginPasskey(there);
    await assert.rejects(t.owner.login.withPasskey(challenge, key.get(options as never, there.at), there), { code: 'owner.wrong_factor' });
    const { options: none } = await asked(t, { at: there.at });
    assert.equal(none, undefined);
    for (const at of ['http://127.0.0.1:4848', 'http://[::1]:4848']) {
      assert.equal(relyingParty(at), null);
      await assert.rejects(t.owner.login.beginPasskey({ ...HOME, at }), { code: 'owner.passkey_needs_name' });
    }
  });

  it('two agents under one name keep their passkeys apart; one agent knows one user', async () => {
    await using one = await setup();
    await using two = await setup();
    const userOf = async (t: Bed) => ((await t.owner.factors.beginPasskey(HOME.at, 's')).options as Ceremony).user.id;
    await enrolled(one);
    assert.equal(await userOf(one), await userOf(one));
    assert.notEqual(await userOf(one), await userOf(two));
  });

  it('is removed, renamed, and not enrolled twice', async () => {
    await using t = await setup();
    const { key, passkey } = await enrolled(t);
    await assert.rejects(enrolled(t, { key }), { code: 'owner.passkey_known' });
    assert.equal((await t.owner.factors.renamePasskey(passkey.id, 'phone', 'owner')).name, 'phone');
    await t.owner.factors.removePasskey(passkey.id, 'owner');
    await assert.rejects(t.owner.factors.removePasskey(passkey.id, 'owner'), { code: 'owner.no_passkey' });
    assert.deepEqual(await t.owner.factors.kinds(), []);
  });
});
