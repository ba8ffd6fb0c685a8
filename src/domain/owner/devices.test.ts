import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryStore } from '#core/db/testing';
import { deviceName } from './device-name.ts';
import { devicesOf, revokeDevice, type Senders } from './devices.ts';
import { ownerMigrations } from './tables.ts';
import { bed, HOME, open, PASSWORD, START } from './testbed.ts';
import { testOwner } from './testing.ts';

const DAY = 86_400_000;
const MAKER = { id: 'owner', grants: new Set(['*']) };
const iso = (ms: number): string => new Date(ms).toISOString();

function fakeSenders(): Senders & { readonly left: string[] } {
  const left: string[] = [];
  return {
    left,
    list: async () => [
      { channel: 'c1', id: 'a:b', name: 'Ann', where: 'telegram', pairedAt: iso(START - DAY), lastSeenAt: iso(START + DAY) },
    ],
    unpair: async (channel, sender) => void left.push(`${channel}/${sender}`),
  };
}

describe('devices', () => {
  const setup = async () => bed(await memoryStore(ownerMigrations));

  it('are all that can act for the owner, last seen first, and each can be ended', async () => {
    await using t = await setup();
    const senders = fakeSenders();
    const phone = {
      ...HOME,
      address: '203.0.113.5',
      userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile Safari/604.1',
    };
    t.clock.set(START + 1_000);
    const { token } = await t.owner.login.withPassword(PASSWORD, phone);
    const { info } = await t.owner.tokens.create({ name: 'ci', grants: ['runs:read'] }, MAKER);
    await t.owner.tokens.create({ name: 'gone', expiresAt: iso(START + 2_000) }, MAKER);
    t.clock.set(START + 2_000);
    const { session } = (await t.owner.authenticateSession(open(token)))!;
    const list = await devicesOf(t.owner, senders, session.id);
    assert.deepEqual(
      list.map(({ kind, name, detail, isCurrent }) => [kind, name, detail, isCurrent]),
      [
        ['sender', 'Ann', 'telegram', false],
        ['browser', 'Safari on iPhone', '203.0.113.5', true],
        ['browser', 'Unknown browser', '127.0.0.1', false],
        ['token', 'ci', 'runs:read', false],
      ],
    );
    for (const { id } of list) await revokeDevice(t.owner, senders, id, 'owner');
    assert.deepEqual(senders.left, ['c1/a:b']);
    assert.equal(await t.owner.authenticateSession(open(token)), null);
    assert.equal(await t.owner.authenticateSession(t.session), null);
    assert.deepEqual(
      (await t.owner.tokens.list()).map(({ name }) => name),
      ['gone'],
    );
    for (const id of ['', 'browser:', 'token', 'sender:c1', 'device:1', `token:${info.id}`, 'browser:nobody'])
      await assert.rejects(revokeDevice(t.owner, senders, id, 'owner'), { kind: 'not_found' });
  });

  it('a browser that was not seen before is told of, one that was is not', async () => {
    await using t = await setup();
    await t.owner.login.withPassword(PASSWORD, HOME);
    assert.deepEqual(t.told, []);
    await t.owner.login.withPassword(PASSWORD, { ...HOME, address: '203.0.113.5' });
    assert.deepEqual(t.told, ['A new browser logged in']);
  });

  it('all others are logged out at once', async () => {
    await using t = await setup();
    const { token } = await t.owner.login.withPassword(PASSWORD, HOME);
    await t.owner.login.withPassword(PASSWORD, HOME);
    assert.equal(await t.owner.revokeOtherSessions(open(token), 'owner'), 2);
    assert.notEqual(await t.owner.authenticateSession(open(token)), null);
    assert.equal(await t.owner.revokeOtherSessions(undefined, 'cli'), 1);
    assert.deepEqual(t.audit.entries.at(-1)?.details, { ended: 1 });
  });

  it('are named for people, and what they say is not believed further', () => {
    for (const [userAgent, name] of [
      ['Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0', 'Firefox on Linux'],
      ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0', 'Edge on Windows'],
      ['Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36', 'Chrome on Android'],
      ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15', 'Safari on macOS'],
      ['curl/8.5.0', 'curl'],
      ['', 'Unknown browser'],
      ['<script>alert(1)</script>', 'Unknown browser'],
    ] as const)
      assert.equal(deviceName(userAgent), name);
  });
});

describe('limits', () => {
  it('of sessions are settings, and hold for those that are open', async () => {
    await using store = await memoryStore(ownerMigrations);
    const t = await bed(store);
    let limits = { idleMs: 7 * DAY, absoluteMs: 30 * DAY };
    const owner = testOwner({ store, clock: t.clock, limits: () => limits });
    assert.notEqual(await owner.authenticateSession(t.session), null);
    t.clock.set(START + DAY);
    limits = { idleMs: DAY, absoluteMs: 30 * DAY };
    assert.equal(await owner.authenticateSession(t.session), null);
    limits = { idleMs: 7 * DAY, absoluteMs: DAY };
    assert.equal(await owner.authenticateSession(t.session), null);
    limits = { idleMs: 60 * DAY, absoluteMs: 60 * DAY };
    t.clock.set(START + 30 * DAY);
    assert.equal(await owner.authenticateSession(t.session), null, 'it keeps the shorter of this and what it began with');
  });

  it('of a token are a minute’s worth of requests, filled evenly', async () => {
    await using t = await bed(await memoryStore(ownerMigrations));
    const { token } = await t.owner.tokens.create({ name: 'slow', ratePerMinute: 3 }, MAKER);
    const { token: free } = await t.owner.tokens.create({ name: 'free' }, MAKER);
    const use = (it = token) => t.owner.authenticate(open(it));
    for (let n = 0; n < 3; n += 1) assert.notEqual(await use(), null);
    await assert.rejects(use(), { kind: 'limited', code: 'owner.token_rate', details: { retryAfterSeconds: 20 } });
    for (let n = 0; n < 50; n += 1) assert.notEqual(await use(free), null);
    t.clock.set(t.clock.now() + 20_000);
    assert.notEqual(await use(), null);
    await assert.rejects(use(), { code: 'owner.token_rate' });
  });

  it('the end of a token is told of once, in time', async () => {
    await using t = await bed(await memoryStore(ownerMigrations));
    await t.owner.tokens.create({ name: 'soon', expiresAt: iso(START + 8 * DAY) }, MAKER);
    await t.owner.tokens.create({ name: 'late', expiresAt: iso(START + 80 * DAY) }, MAKER);
    await t.owner.tokens.create({ name: 'never' }, MAKER);
    const end = new AbortController();
    const running = await t.owner.service.start({ signal: end.signal, exit: assert.fail });
    await t.clock.advance(0);
    assert.deepEqual(t.told, []);
    await t.clock.advance(DAY);
    await t.clock.advance(2 * DAY);
    assert.deepEqual(t.told, ['An API token ends soon']);
    end.abort();
    await running.stop();
  });
});
