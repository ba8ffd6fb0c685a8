import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeAudit } from '#audit/testing';
import { manualClock, type ManualClock } from '#core/clock';
import { memoryStore, onEveryEngine, type TestStore } from '#core/db/testing';
import { secret, type Secret } from '#core/secret';
import { doorRoutes, ownerMigrations, ownerRoutes, sessionCookie, type Owner } from '#owner';
import { RFC9106_COST } from './password.ts';
import { testOwner } from './testing.ts';

const START = 1_700_000_000_000;
const MINUTE = 60_000;
const DAY = 86_400_000;
const GOOD = 'seven wet horses';
const from = (address: string) => ({ address, userAgent: 'test', at: 'http://localhost:4848' });
const here = from('127.0.0.1');
const open = (it: Secret | null): string => it!.use((text) => text);
const codeOf = (url: Secret): string => open(url).split('#login=')[1]!;

function ownerOn(store: TestStore, clock: ManualClock) {
  const audit = fakeAudit();
  const owner = testOwner({ store, clock, audit, controlToken: secret('castellan_local_control') });
  return { owner, audit };
}

async function start(store: TestStore) {
  const clock = manualClock(START);
  return { store, clock, ...ownerOn(store, clock), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

/** In by a link, with a password set. */
async function withPassword(owner: Owner): Promise<string> {
  const { url } = await owner.createLoginLink('http://127.0.0.1:4848');
  const { token } = await owner.login.withLink(codeOf(url), here);
  await owner.setPassword(open(token), GOOD, undefined, here);
  return open(token);
}

onEveryEngine('owner', (openStore) => {
  const setup = async () => start(await openStore(ownerMigrations));

  it('comes in by a link once, sets a password, and comes in by that', async () => {
    await using t = await setup();
    assert.equal(await t.owner.hasPassword(), false);
    await assert.rejects(t.owner.login.withPassword('anything at all', here), { kind: 'unauthenticated', code: 'owner.no_password' });
    const { url } = await t.owner.createLoginLink('http://127.0.0.1:4848');
    assert.match(open(url), /^http:\/\/127\.0\.0\.1:4848\/#login=[\w-]{32}$/);
    const { token, state } = await t.owner.login.withLink(codeOf(url), here);
    assert.deepEqual([state.authenticated, state.passwordSet, state.session?.via], [true, false, 'link']);
    await assert.rejects(t.owner.login.withLink(codeOf(url), here), { code: 'owner.bad_link' });
    await t.owner.setPassword(open(token), GOOD, undefined, here);
    const second = await t.owner.login.withPassword(GOOD, here);
    assert.deepEqual((await t.owner.authenticateSession(open(second.token)))?.caller, { id: 'owner', grants: new Set(['*']) });
    await assert.rejects(t.owner.login.withPassword('seven wet horse', here), { kind: 'unauthenticated', code: 'owner.wrong_password' });
  });

  it('refuses after too many attempts from one address, also after a restart, and then forgives', async () => {
    await using t = await setup();
    await withPassword(t.owner);
    const results = await Promise.allSettled(
      Array.from({ length: 9 }, () => t.owner.login.withPassword('wrong wrong wrong', from('203.0.113.9'))),
    );
    const codes = results.map((result) => (result as PromiseRejectedResult).reason.code as string).toSorted();
    assert.deepEqual(codes, [...Array<string>(4).fill('owner.too_many_attempts'), ...Array<string>(5).fill('owner.wrong_password')]);
    const again = ownerOn(t.store, t.clock).owner;
    await assert.rejects(again.login.withPassword(GOOD, from('203.0.113.9')), {
      kind: 'limited',
      code: 'owner.too_many_attempts',
      details: { retryAfterSeconds: 900 },
    });
    await again.login.withPassword(GOOD, here);
    t.clock.set(START + 15 * MINUTE);
    await again.login.withPassword(GOOD, from('203.0.113.9'));
  });

  it('makes tokens that do what they were granted until they end', async () => {
    await using t = await setup();
    const maker = { id: 'owner', grants: new Set(['*']) };
    const { token, info } = await t.owner.tokens.create(
      { name: 'ci', grants: ['runs:*'], expiresAt: new Date(START + DAY).toISOString() },
      maker,
    );
    assert.match(open(token), /^castellan_[\w-]{43}$/);
    assert.deepEqual(await t.owner.authenticate(open(token)), { id: `token:${info.id}`, grants: new Set(['runs:*']) });
    assert.equal((await t.owner.tokens.list())[0]?.lastUsedAt, new Date(START).toISOString());
    t.clock.set(START + DAY);
    assert.equal(await t.owner.authenticate(open(token)), null);
    const { token: other, info: itsInfo } = await t.owner.tokens.create({ name: 'all' }, maker);
    await t.owner.tokens.revoke(itsInfo.id, 'owner');
    assert.equal(await t.owner.authenticate(open(other)), null);
    await assert.rejects(t.owner.tokens.revoke(itsInfo.id, 'owner'), { code: 'owner.no_token' });
  });
});

describe('owner', () => {
  const setup = async () => start(await memoryStore(ownerMigrations));

  it('a login link is too old after 15 minutes', async () => {
    await using t = await setup();
    const { url } = await t.owner.createLoginLink('http://127.0.0.1:4848');
    t.clock.set(START + 15 * MINUTE);
    await assert.rejects(t.owner.login.withLink(codeOf(url), here), { kind: 'unauthenticated', code: 'owner.bad_link' });
  });

  it('slows the guessing of one account from many addresses, while a link still opens', async () => {
    await using t = await setup();
    await withPassword(t.owner);
    for (let n = 0; n < 30; n += 1)
      await assert.rejects(t.owner.login.withPassword('wrong wrong wrong', from(`203.0.113.${n}`)), { code: 'owner.wrong_password' });
    await assert.rejects(t.owner.login.withPassword(GOOD, here), { code: 'owner.too_many_attempts' });
    const { url } = await t.owner.createLoginLink('http://127.0.0.1:4848');
    await t.owner.login.withLink(codeOf(url), here);
    await t.owner.login.withPassword(GOOD, here);
  });

  it('takes a /64 of IPv6 for one address', async () => {
    await using t = await setup();
    await withPassword(t.owner);
    for (let n = 1; n <= 5; n += 1)
      await assert.rejects(t.owner.login.withPassword('wrong wrong wrong', from(`2001:db8:1:2::${n}`)), { code: 'owner.wrong_password' });
    await assert.rejects(t.owner.login.withPassword(GOOD, from('2001:db8:1:2:ffff::1')), { code: 'owner.too_many_attempts' });
    await t.owner.login.withPassword(GOOD, from('2001:db8:1:3::1'));
  });

  it('a session ends after a week unused, a month at most, at logout and when revoked', async () => {
    await using t = await setup();
    const token = await withPassword(t.owner);
    const idle = open((await t.owner.login.withPassword(GOOD, here)).token);
    for (let day = 6; day < 30; day += 6) {
      t.clock.set(START + day * DAY);
      assert.notEqual(await t.owner.authenticateSession(token), null, `day ${day}`);
    }
    assert.equal(await t.owner.authenticateSession(idle), null);
    t.clock.set(START + 30 * DAY);
    assert.equal(await t.owner.authenticateSession(token), null);
    const [one, two] = [
      open((await t.owner.login.withPassword(GOOD, here)).token),
      open((await t.owner.login.withPassword(GOOD, here)).token),
    ];
    await t.owner.logout(one);
    assert.equal(await t.owner.authenticateSession(one), null);
    const [left] = await t.owner.sessions.list();
    await t.owner.revokeSession(left!.id, 'owner');
    assert.equal(await t.owner.authenticateSession(two), null);
    await assert.rejects(t.owner.revokeSession(left!.id, 'owner'), { code: 'owner.no_session' });
  });

  it('a new password needs the old one, and ends every other session', async () => {
    await using t = await setup();
    const link = await withPassword(t.owner);
    const mine = open((await t.owner.login.withPassword(GOOD, here)).token);
    const next = 'eight dry camels';
    await assert.rejects(t.owner.setPassword(undefined, next, GOOD, here), { code: 'owner.not_logged_in' });
    await assert.rejects(t.owner.setPassword(mine, next, undefined, here), { code: 'owner.password_needed' });
    await assert.rejects(t.owner.setPassword(mine, next, 'not the one', here), { code: 'owner.wrong_password' });
    await t.owner.setPassword(mine, next, GOOD, here);
    assert.equal(await t.owner.authenticateSession(link), null);
    assert.notEqual(await t.owner.authenticateSession(mine), null);
    await assert.rejects(t.owner.login.withPassword(GOOD, here), { code: 'owner.wrong_password' });
    await t.owner.login.withPassword(next, here);
  });

  it('a link session may set a password for 15 minutes, not for ever', async () => {
    await using t = await setup();
    const link = await withPassword(t.owner);
    await t.owner.setPassword(link, 'eight dry camels', undefined, here);
    t.clock.set(START + 15 * MINUTE);
    await assert.rejects(t.owner.setPassword(link, 'nine odd goats', undefined, here), { code: 'owner.password_needed' });
  });

  for (const weak of [
    '',
    'short',
    'password12',
    'Password123!',
    'qwertyuiop',
    '1234567890',
    'changeme123',
    'aaaaaaaaaaaa',
    'castellan2026',
    'abababababab',
    'undefined!!',
    'iloveyou2024',
    'passwordpassword',
    '1q2w3e4r5t',
  ]) {
    it(`refuses the password ${JSON.stringify(weak)}`, async () => {
      await using t = await setup();
      const { url } = await t.owner.createLoginLink('http://127.0.0.1:4848');
      const { token } = await t.owner.login.withLink(codeOf(url), here);
      await assert.rejects(t.owner.setPassword(open(token), weak, undefined, here), { kind: 'invalid', code: 'owner.weak_password' });
      assert.equal(await t.owner.hasPassword(), false);
    });
  }

  it('refuses a password that is the secret of something else here', async () => {
    await using store = await memoryStore(ownerMigrations);
    const owner = testOwner({ store, clock: manualClock(START), isUsedElsewhere: (text) => text === GOOD });
    const { token } = await owner.login.withLink(codeOf((await owner.createLoginLink('http://127.0.0.1:4848')).url), here);
    await assert.rejects(owner.setPassword(open(token), GOOD, undefined, here), { code: 'owner.weak_password' });
    await owner.setPassword(open(token), `${GOOD} and a mule`, undefined, here);
  });

  it('keeps with a session the certificate it was opened with', async () => {
    await using t = await setup();
    const { url } = await t.owner.createLoginLink('http://127.0.0.1:4848');
    const { state } = await t.owner.login.withLink(codeOf(url), { ...here, certificate: 'Anna' });
    assert.equal(state.session?.certificate, 'Anna');
    assert.deepEqual(t.audit.entries.at(-1)?.details, { via: 'link', address: '127.0.0.1', certificate: 'Anna' });
  });

  it('binds the CSRF token to one session', async () => {
    await using t = await setup();
    const one = await withPassword(t.owner);
    const { token: two, state } = await t.owner.login.withPassword(GOOD, here);
    const own = (await t.owner.authenticateSession(one))!.csrfToken;
    assert.equal(t.owner.isCsrfToken(one, own), true);
    assert.equal((await t.owner.state(open(two), here.at)).csrfToken, state.csrfToken);
    for (const bad of [undefined, '', 'undefined', state.csrfToken!, `${own}x`]) assert.equal(t.owner.isCsrfToken(one, bad), false);
  });

  it('knows no other bearer than a token of its own', async () => {
    await using t = await setup();
    const session = await withPassword(t.owner);
    assert.equal((await t.owner.authenticate('castellan_local_control'))?.id, 'cli');
    for (const bad of ['', 'undefined', 'null', 'castellan_', 'castellan_local_', session])
      assert.equal(await t.owner.authenticate(bad), null);
    for (const bad of ['', 'undefined', 'castellan_local_control']) assert.equal(await t.owner.authenticateSession(bad), null);
  });

  it('a token cannot hand on more than it holds', async () => {
    await using t = await setup();
    const weak = { id: 'token:1', grants: new Set(['runs:*', 'tokens:write']) };
    for (const grants of [['*'], ['runs:read', 'audit:read'], ['tokens:*']])
      await assert.rejects(t.owner.tokens.create({ name: 'x', grants }, weak), { kind: 'forbidden', code: 'owner.grant_exceeded' });
    await assert.rejects(t.owner.tokens.create({ name: 'x' }, weak), { code: 'owner.grant_exceeded' });
    await t.owner.tokens.create({ name: 'x', grants: ['runs:read', 'runs:*', 'tokens:write'] }, weak);
    for (const bad of [{ name: '' }, { name: 'x', grants: [] }, { name: 'x', grants: ['runs'] }])
      await assert.rejects(t.owner.tokens.create(bad, { id: 'owner', grants: new Set(['*']) }), { code: 'input.invalid' });
    await assert.rejects(
      t.owner.tokens.create({ name: 'x', expiresAt: new Date(START).toISOString() }, { id: 'owner', grants: new Set(['*']) }),
      { code: 'owner.token_expired' },
    );
  });

  it('stores and records nothing that would let anyone in', async () => {
    await using t = await setup();
    const { url } = await t.owner.createLoginLink('http://127.0.0.1:4848');
    const session = await withPassword(t.owner);
    const { token } = await t.owner.tokens.create({ name: 'x' }, { id: 'owner', grants: new Set(['*']) });
    await assert.rejects(t.owner.login.withPassword('canary password', here));
    const tables = await Promise.all(
      (['owner_password', 'owner_login_link', 'owner_session', 'owner_token', 'owner_throttle'] as const).map((name) =>
        t.store.db.selectFrom(name).selectAll().execute(),
      ),
    );
    const seen = JSON.stringify([tables, t.audit.entries]);
    for (const canary of [codeOf(url), session, open(token), GOOD, 'canary']) assert.equal(seen.includes(canary), false);
    assert.deepEqual(
      t.audit.entries.map(({ action, decision }) => [action, decision]),
      [
        ['owner.login', 'allow'],
        ['owner.set_password', undefined],
        ['owner.create_token', undefined],
        ['owner.login', 'deny'],
      ],
    );
  });

  it('keeps the password as argon2id of the cost RFC 9106 recommends, and reads it back', async () => {
    await using store = await memoryStore(ownerMigrations);
    const owner = testOwner({ store, clock: manualClock(START), passwordCost: RFC9106_COST });
    await withPassword(owner);
    const row = await store.db.selectFrom('owner_password').selectAll().executeTakeFirstOrThrow();
    assert.match(row.hash, /^\$argon2id\$v=19\$m=65536,t=3,p=4\$/);
    assert.equal(await ownerOn(store, manualClock(START)).owner.verifyPassword(GOOD), true);
  });

  it('opens and shuts the door over HTTP', async () => {
    await using t = await setup();
    const call = async (name: string, input: object, sessionToken?: string) => {
      const found = doorRoutes(t.owner).find(({ endpoint }) => `${endpoint.method} ${endpoint.path}` === name)!;
      const answer = await found.handle(found.endpoint.input.parse(input) as never, {
        ...here,
        ...(sessionToken !== undefined && { sessionToken }),
      });
      return { body: found.endpoint.output.parse(answer.body) as { authenticated?: boolean }, setSession: answer.setSession };
    };
    assert.equal((await call('GET /api/session', {})).body.authenticated, false);
    const { url } = await t.owner.createLoginLink('http://127.0.0.1:4848');
    const linked = await call('POST /api/login/link', { code: codeOf(url) });
    const token = open(linked.setSession!.token);
    assert.equal(JSON.stringify(linked.body).includes(token), false);
    await call('PUT /api/password', { password: GOOD }, token);
    assert.equal((await call('GET /api/session', {}, token)).body.authenticated, true);
    assert.equal((await call('POST /api/logout', {}, token)).setSession, null);
    assert.equal((await call('GET /api/session', {}, token)).body.authenticated, false);
    assert.notEqual((await call('POST /api/login', { password: GOOD })).setSession, undefined);
  });

  it('shows tokens and sessions over HTTP, a token once', async () => {
    await using t = await setup();
    await withPassword(t.owner);
    const request = { caller: { id: 'owner', grants: new Set(['*']) }, signal: new AbortController().signal };
    const call = async (name: string, input: object): Promise<unknown> => {
      const found = ownerRoutes({
        owner: t.owner,
        senders: { list: async () => [], unpair: async () => {} },
        baseUrl: () => 'http://127.0.0.1:4848',
      }).find(({ endpoint }) => `${endpoint.method} ${endpoint.path}` === name)!;
      return found.endpoint.output.parse(await found.handle(found.endpoint.input.parse(input) as never, request));
    };
    const { id, token } = (await call('POST /api/tokens', { name: 'ci', grants: ['runs:read'] })) as { id: string; token: string };
    const listed = await call('GET /api/tokens', {});
    assert.equal(JSON.stringify(listed).includes(token), false);
    await call('DELETE /api/tokens/{id}', { id });
    const { items } = (await call('GET /api/sessions', {})) as { items: { id: string }[] };
    await call('DELETE /api/sessions/{id}', { id: items[0]!.id });
    const { url } = (await call('POST /api/login/links', {})) as { url: string };
    await t.owner.login.withLink(url.split('#login=')[1]!, here);
  });
});

it('the session cookie is for this host only, and named so under TLS', () => {
  assert.deepEqual(sessionCookie(true), {
    name: '__Host-castellan',
    attributes: { httpOnly: true, sameSite: 'strict', secure: true, path: '/', maxAge: 2_592_000 },
  });
  assert.deepEqual([sessionCookie(false).name, sessionCookie(false).attributes.secure], ['castellan', false]);
});
