import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeAudit } from '#audit/testing';
import { createBus } from '#core/bus';
import { manualClock } from '#core/clock';
import { memoryStore, onEveryEngine, type TestStore } from '#core/db/testing';
import { createFetch } from '#core/fetch';
import { secret } from '#core/secret';
import { createVault, vaultMigrations, type Borrower, type MasterKeySource } from '#vault';
import type { OAuthClient } from '#vault/contract';
import { memoryKey } from '#vault/testing';
import { startFakeAuthority } from './fake-authority.ts';

const DAY = 86_400_000;
const BACK = 'http://127.0.0.1:4848/connections/callback';
const BY: Borrower = { as: ['skill:calendar'], purpose: 'fetch' };
const { signal } = new AbortController();

async function setup(openStore: (...migrations: never[]) => Promise<TestStore> = memoryStore as never) {
  const store = await openStore(vaultMigrations as never);
  const clock = manualClock(1_000 * DAY);
  const authority = await startFakeAuthority(clock.now);
  const web = createFetch();
  const told: string[] = [];
  const audit = fakeAudit();
  const open = (on = store, masterKey: MasterKeySource = memoryKey()) =>
    createVault({
      store: on,
      clock,
      audit,
      masterKey,
      fetch: web.fetch,
      bus: createBus((_, error) => assert.fail(String(error))),
      tell: (_severity, title) => void told.push(title),
    });
  const vault = open();
  const client: OAuthClient = {
    authorizeUrl: `${authority.url}/authorize`,
    tokenUrl: `${authority.url}/token`,
    deviceUrl: `${authority.url}/device`,
    revokeUrl: `${authority.url}/revoke`,
    issuer: authority.url,
    clientId: 'castellan',
    clientSecret: '@secret:client',
    clientAuth: 'post',
    scopes: ['calendar', 'tasks'],
    authorizeParams: { access_type: 'offline' },
  };
  await vault.set('client', secret('client-secret-0815'), 'owner', { scope: 'connection:*' });
  await vault.connections.define('calendar', { client, hosts: 'calendar.example.com' }, 'owner');
  const token = async (of = vault): Promise<string> => (await of.get('calendar', BY)).use((text) => text);
  const connect = async (of = vault) => {
    const { url } = await of.connections.start('calendar', { flow: 'browser', redirectUri: BACK, boundTo: 's1' }, 'owner', signal);
    return of.connections.complete(answerOf(await authority.approve(url)), 's1', 'owner', signal);
  };
  /** The service as long as the clock needs to pass its pauses. */
  const watching = async (during: () => Promise<unknown>): Promise<void> => {
    const running = await vault.service.start({ signal, exit: () => {} });
    await during();
    await running.stop();
  };
  return {
    store,
    clock,
    authority,
    vault,
    client,
    told,
    audit,
    open,
    token,
    connect,
    watching,
    async [Symbol.asyncDispose]() {
      await authority[Symbol.asyncDispose]();
      await web.close();
      await store[Symbol.asyncDispose]();
    },
  };
}

function answerOf({ searchParams: query }: URL) {
  const text = (name: string): string | undefined => query.get(name) ?? undefined;
  return { state: query.get('state')!, code: text('code'), error: text('error'), iss: text('iss') };
}

onEveryEngine('connections', (openStore) => {
  it('are granted in the browser with a proof key, lent like a secret, and told of without a token', async () => {
    await using t = await setup(openStore as never);
    const info = await t.connect();
    assert.deepEqual([info.state, info.granted, info.renews, info.problem], ['ok', ['calendar', 'tasks'], true, null]);
    const token = await t.token();
    assert.ok(t.authority.isValid(token));
    assert.equal(t.vault.redactor.redact(`Bearer ${token}`), 'Bearer [secret:calendar]');
    const rows = JSON.stringify(await t.store.db.selectFrom('vault_connection').selectAll().execute());
    assert.ok(!JSON.stringify([await t.vault.connections.list(), t.audit.entries, rows]).includes(token));
    await assert.rejects(t.vault.set('calendar', secret('a-value'), 'owner'), { code: 'vault.name_taken' });
  });
});

/** Real time, for what waits on the network while the clock stands. */
async function eventually(test: () => Promise<boolean> | boolean, step: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < 5_000; n += 1) {
    if (await test()) return;
    await step();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert.fail('it never came to pass');
}

describe('a grant', () => {
  it('is completed once, in the session that began it, with its own state and from its own service', async () => {
    await using t = await setup();
    const begin = async () => {
      const { url } = await t.vault.connections.start('calendar', { flow: 'browser', redirectUri: BACK, boundTo: 's1' }, 'owner', signal);
      return answerOf(await t.authority.approve(url));
    };
    const complete = (answer: ReturnType<typeof answerOf>, session = 's1') =>
      t.vault.connections.complete(answer, session, 'owner', signal);
    await assert.rejects(complete(await begin(), 's2'), { code: 'vault.connection_session' });
    await assert.rejects(complete({ ...(await begin()), state: 'guessed' }), { code: 'vault.connection_state' });
    await assert.rejects(complete({ ...(await begin()), iss: 'https://evil.example' }), { code: 'vault.connection_issuer' });
    await assert.rejects(complete({ ...(await begin()), code: 'guessed' }), { code: 'vault.connection_refused' });
    const late = await begin();
    await t.clock.advance(600_000);
    await assert.rejects(complete(late), { code: 'vault.connection_state' });
    const good = await begin();
    await complete(good);
    await assert.rejects(complete(good), { code: 'vault.connection_state' });
    assert.ok(t.authority.isValid(await t.token()), 'the second try did not reach the service, which would have ended the grant');
  });

  it('that the owner refuses there says so', async () => {
    await using t = await setup();
    const { url } = await t.vault.connections.start('calendar', { flow: 'browser', redirectUri: BACK, boundTo: '' }, 'cli', signal);
    const answer = answerOf(await t.authority.approve(url, 'no'));
    await assert.rejects(t.vault.connections.complete(answer, 'any session', 'owner', signal), { code: 'vault.connection_refused' });
    assert.deepEqual(
      (await t.vault.connections.list()).map(({ state, problem }) => [state, problem]),
      [['new', 'access_denied']],
    );
    await assert.rejects(t.token(), { code: 'vault.connection_broken' });
  });

  it('a challenge of another verifier is refused, whatever the code', async () => {
    await using t = await setup();
    const one = await t.vault.connections.start('calendar', { flow: 'browser', redirectUri: BACK, boundTo: '' }, 'cli', signal);
    const two = await t.vault.connections.start('calendar', { flow: 'browser', redirectUri: BACK, boundTo: '' }, 'cli', signal);
    const stolen = answerOf(await t.authority.approve(one.url));
    const injected = { ...answerOf(await t.authority.approve(two.url)), code: stolen.code };
    await assert.rejects(t.vault.connections.complete(injected, '', 'owner', signal), { code: 'vault.connection_refused' });
  });

  it('is given on another device: waits, slows down when told, and comes to its end', async () => {
    await using t = await setup();
    const { url, userCode } = await t.vault.connections.start(
      'calendar',
      { flow: 'device', redirectUri: BACK, boundTo: 's1' },
      'cli',
      signal,
    );
    assert.equal(url, `${t.authority.url}/type`);
    const state = async () => (await t.vault.connections.get('calendar')).state;
    await t.watching(async () => {
      const polls = () => t.authority.asked.filter(({ path }) => path === '/token').length;
      await eventually(
        () => polls() >= 2,
        () => t.clock.advance(1_000),
      );
      assert.equal(await state(), 'new');
      t.authority.typeIn(userCode!);
      await eventually(
        async () => (await state()) === 'ok',
        () => t.clock.advance(1_000),
      );
    });
    assert.ok(t.authority.isValid(await t.token()));
    assert.equal((await t.store.db.selectFrom('vault_attempt').selectAll().execute()).length, 0);
  });

  it('on a device that says no, or nothing in time, is over', async () => {
    await using t = await setup();
    await t.watching(async () => {
      for (const [say, problem] of [
        ['no', /access_denied/],
        [null, /in time/],
      ] as const) {
        const { userCode } = await t.vault.connections.start('calendar', { flow: 'device', redirectUri: BACK, boundTo: '' }, 'cli', signal);
        if (say) t.authority.typeIn(userCode!, say);
        else
          await t.store.write((tx) =>
            tx
              .updateTable('vault_attempt')
              .set({ expires_at: t.clock.now() + DAY })
              .execute(),
          );
        if (!say) await t.clock.advance(600_000);
        await eventually(
          async () => problem.test((await t.vault.connections.get('calendar')).problem ?? ''),
          () => t.clock.advance(1_000),
        );
      }
    });
  });

  it('shows its secret as Basic where the service wants that', async () => {
    await using t = await setup();
    await t.vault.connections.define('calendar', { client: { ...t.client, clientAuth: 'basic' } }, 'owner');
    await t.connect();
    const { form, authorization } = t.authority.asked.at(-1)!;
    assert.deepEqual([form.has('client_secret'), authorization?.startsWith('Basic ')], [false, true]);
  });

  it('is revoked when it is removed', async () => {
    await using t = await setup();
    await t.connect();
    const token = await t.token();
    assert.equal(await t.vault.connections.remove('calendar', 'owner', signal), true);
    assert.equal(t.authority.isValid(token), false);
    await assert.rejects(t.token(), { code: 'vault.no_secret' });
  });

  it('ends when another service or client takes its place, and goes on when only words change', async () => {
    await using t = await setup();
    await t.connect();
    assert.equal(
      (await t.vault.connections.define('calendar', { client: { ...t.client, scopes: ['more'] }, description: 'x' }, 'owner')).state,
      'ok',
    );
    const evil = { ...t.client, tokenUrl: 'https://evil.example/token' };
    assert.equal((await t.vault.connections.define('calendar', { client: evil }, 'owner')).state, 'new');
    assert.equal((await t.store.db.selectFrom('vault_connection').select('sealed').executeTakeFirstOrThrow()).sealed, null);
  });

  it('is lent only within its scope and to its hosts', async () => {
    await using t = await setup();
    await t.connect();
    const to = (url: string) => t.vault.get('calendar', { ...BY, to: url, onlyNamedHosts: true });
    await to('https://calendar.example.com/v3');
    await assert.rejects(to('https://evil.example/'), { code: 'vault.out_of_scope' });
  });
});

describe('renewal', () => {
  it('is one for all who ask at once, here and in another process', async () => {
    await using t = await setup();
    await t.connect();
    const other = t.open();
    await t.clock.advance(3_590_000);
    t.authority.ways.delayMs = 30;
    const before = t.authority.asked.length;
    const asking = Promise.all([...Array.from({ length: 50 }, () => t.token()), ...Array.from({ length: 50 }, () => t.token(other))]);
    let isOver = false;
    void asking.finally(() => (isOver = true)).catch(() => {});
    await eventually(
      () => isOver,
      () => t.clock.advance(5),
    );
    const tokens = await asking;
    assert.equal(t.authority.asked.length - before, 1);
    assert.equal(new Set(tokens).size, 1);
    assert.ok(t.authority.isValid(tokens[0]!));
  });

  it('keeps the new refresh token on disk before anybody has the access', async () => {
    await using t = await setup();
    await t.connect();
    for (let n = 0; n < 4; n += 1) {
      await t.clock.advance(3_590_000);
      assert.ok(t.authority.isValid(await t.token()));
      const again = t.open(); // as after a kill at this moment
      await t.clock.advance(3_590_000);
      assert.ok(t.authority.isValid(await t.token(again)));
    }
    assert.deepEqual(t.told, []);
  });

  it('that was cut off between answer and disk is tried again with the old token; a service with a grace takes it', async () => {
    await using t = await setup();
    t.authority.ways.gracePeriod = true;
    await t.connect();
    await t.clock.advance(3_590_000);
    const dying = t.open({
      ...t.store,
      write: async (fn) =>
        t.store.write(async (tx) => {
          const result = await fn(tx);
          const { version } = await tx.selectFrom('vault_connection').select('version').executeTakeFirstOrThrow();
          if (version > 1) throw new Error('killed');
          return result;
        }),
    } as TestStore);
    await assert.rejects(t.token(dying), /killed/);
    await t.clock.advance(60_000); // the lease of the dead
    assert.ok(t.authority.isValid(await t.token()));
    assert.equal((await t.vault.connections.get('calendar')).state, 'ok');
  });

  it('that is refused clears the token, tells the owner once, and works again after a new grant', async () => {
    await using t = await setup();
    await t.connect();
    t.authority.revokeAll();
    await t.clock.advance(3_590_000);
    for (let n = 0; n < 3; n += 1) await assert.rejects(t.token(), { code: 'vault.connection_broken' });
    assert.equal((await t.vault.connections.get('calendar')).state, 'broken');
    assert.equal((await t.store.db.selectFrom('vault_connection').select('sealed').executeTakeFirstOrThrow()).sealed, null);
    assert.deepEqual(t.told, ['The connection "calendar" broke']);
    await t.connect();
    assert.ok(t.authority.isValid(await t.token()));
  });

  it('goes on with the access there is while the service is down, and then by itself', async () => {
    await using t = await setup();
    await t.connect();
    const token = await t.token();
    t.authority.ways.down = true;
    await t.clock.advance(3_560_000); // 40 s are left
    assert.equal(await t.token(), token);
    assert.equal((await t.vault.connections.get('calendar')).state, 'failing');
    await t.clock.advance(60_000);
    await assert.rejects(t.token(), { code: 'vault.connection_unreachable' });
    await assert.rejects(t.token(), { code: 'vault.connection_unreachable' });
    assert.deepEqual(t.told, ['The connection "calendar" cannot be renewed']);
    t.authority.ways.down = false;
    assert.ok(t.authority.isValid(await t.token()));
    assert.equal((await t.vault.connections.get('calendar')).state, 'ok');
  });

  it('happens ahead of time, with nobody asking', async () => {
    await using t = await setup();
    await t.connect();
    await t.watching(() =>
      eventually(
        async () => (await t.vault.connections.get('calendar')).renewedAt !== null,
        () => t.clock.advance(60_000),
      ),
    );
    assert.ok(t.clock.now() - 1_000 * DAY < 3_600_000, 'before its end');
  });

  it('a grant that ends by itself is told of a week before, once', async () => {
    await using t = await setup();
    t.authority.ways.refreshExpiresIn = 60 * 86_400;
    t.authority.ways.rotates = false;
    t.authority.ways.expiresIn = 30 * 86_400;
    await t.connect();
    const { breaksAt } = await t.vault.connections.get('calendar');
    assert.equal(Date.parse(breaksAt!), 1_060 * DAY);
    t.authority.ways.refreshExpiresIn = null;
    await t.watching(async () => {
      for (let day = 0; day < 52; day += 1) await t.clock.advance(DAY);
      assert.deepEqual(t.told, []);
      await eventually(
        () => t.told.length > 0,
        () => t.clock.advance(DAY / 4),
      );
      for (let n = 0; n < 20; n += 1) await t.clock.advance(DAY / 24);
    });
    assert.equal(t.told.length, 1);
    assert.match(t.told[0]!, /^The connection "calendar" ends on 1972-11-26/);
  });

  it('a change of the master key takes the tokens along, and a grant under way', async () => {
    const keys = [1, 2].map((last) => Buffer.alloc(32, last));
    let inForce = 0;
    await using t = await setup();
    const masterKey = {
      where: 'memory',
      read: async () => keys[inForce]!,
      create: async () => keys[inForce]!,
      prepare: async () => ({ key: keys[(inForce += 1)]!, kdf: null }),
    };
    const vault = t.open(t.store, masterKey);
    await t.connect(vault);
    const token = await t.token(vault);
    const { url } = await vault.connections.start('calendar', { flow: 'browser', redirectUri: BACK, boundTo: '' }, 'cli', signal);
    assert.equal((await vault.changeMasterKey({ kind: 'file' }, 'destroy', 'owner')).resealed, 2);
    const after = t.open(t.store, masterKey);
    assert.equal(await t.token(after), token);
    assert.equal((await after.connections.complete(answerOf(await t.authority.approve(url)), '', 'owner', signal)).state, 'ok');
    await assert.rejects(t.token(t.open()), { code: 'vault.wrong_key' });
  });
});
