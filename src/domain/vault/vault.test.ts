import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { fakeAudit } from '#audit/testing';
import { createBus } from '#core/bus';
import { manualClock } from '#core/clock';
import type { Store } from '#core/db/store';
import { memoryStore, onEveryEngine } from '#core/db/testing';
import { AppError } from '#core/errors';
import { secret, type Secret } from '#core/secret';
import { createVault, vaultMigrations, vaultRoutes, type Borrower, type MasterKeySource } from '#vault';
import { memoryKey } from '#vault/testing';

const BY: Borrower = { as: ['skill:github'], purpose: 'test' };
const open = (value: Secret): string => value.use((text) => text);

function vaultOn(store: Store, masterKey: MasterKeySource = memoryKey()) {
  const audit = fakeAudit();
  const clock = manualClock(1_000_000);
  const vault = createVault({ store, clock, audit, masterKey, bus: createBus((_, error) => assert.fail(String(error))) });
  return { vault, clock, audit };
}

onEveryEngine('vault', (openStore) => {
  async function setup() {
    const store = await openStore(vaultMigrations);
    return { store, ...vaultOn(store), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  }

  it('gives back what it sealed, and shows everything but the value', async () => {
    await using t = await setup();
    await t.vault.set('github', secret('ghp_correct-horse'), 'owner', { scope: 'skill:github', description: 'for issues' });
    assert.equal(open(await t.vault.get('github', BY)), 'ghp_correct-horse');
    assert.equal(open(await t.vault.resolve('@secret:github', BY)), 'ghp_correct-horse');
    const shown = await t.vault.list();
    assert.deepEqual(shown, [
      {
        name: 'github',
        scope: 'skill:github',
        hosts: '',
        description: 'for issues',
        version: 1,
        createdAt: '1970-01-01T00:16:40.000Z',
        rotatedAt: null,
        lastUsedAt: '1970-01-01T00:16:40.000Z',
        uses: 1,
        expiresAt: null,
        previousUntil: null,
      },
    ]);
    assert.equal(inspect([shown, t.audit.entries, await t.vault.get('github', BY)], { depth: 9 }).includes('horse'), false);
  });

  it('stores nothing that reads as the value, and never the same bytes twice', async () => {
    await using t = await setup();
    await t.vault.set('a', secret('plain-plain-plain'), 'owner');
    await t.vault.set('b', secret('plain-plain-plain'), 'owner');
    const rows = await t.store.db.selectFrom('vault_secret').selectAll().execute();
    const [a, b] = rows.map((row) => Buffer.from(row.sealed));
    assert.equal(a!.equals(b!), false);
    assert.equal(Buffer.from(rows[0]!.nonce).equals(Buffer.from(rows[1]!.nonce)), false);
    assert.equal(Buffer.concat([a!, b!]).includes('plain'), false);
  });

  it('set replaces at once and keeps what was not given; rotate lets the old one go on for a while', async () => {
    await using t = await setup();
    await t.vault.set('hook', secret('first-one'), 'owner', { description: 'of the shop' });
    await t.vault.set('hook', secret('second-one'), 'owner');
    assert.deepEqual((await t.vault.accepted('hook', BY)).map(open), ['second-one']);
    const info = await t.vault.rotate('hook', secret('third-one'), 'owner', { graceMs: 60_000 });
    assert.deepEqual([info.version, info.description, info.previousUntil], [3, 'of the shop', '1970-01-01T00:17:40.000Z']);
    assert.deepEqual((await t.vault.accepted('hook', BY)).map(open), ['third-one', 'second-one']);
    await t.clock.advance(60_000);
    assert.deepEqual((await t.vault.accepted('hook', BY)).map(open), ['third-one']);
    await assert.rejects(t.vault.rotate('other', secret('x-value'), 'owner', { graceMs: 0 }), { code: 'vault.no_secret' });
  });

  it('forgets what was removed', async () => {
    await using t = await setup();
    await t.vault.set('a', secret('value-of-a'), 'owner');
    await t.vault.remove('a', 'owner');
    await assert.rejects(t.vault.get('a', BY), { kind: 'not_found', code: 'vault.no_secret' });
    await assert.rejects(t.vault.remove('a', 'owner'), { code: 'vault.no_secret' });
    assert.equal(t.vault.redactor.redact('value-of-a'), 'value-of-a');
    assert.deepEqual(
      t.audit.entries.map((entry) => entry.action),
      ['vault.set', 'vault.remove'],
    );
  });

  it('with the wrong key says so, changes nothing, and opens again with the right one', async () => {
    await using t = await setup();
    await t.vault.set('a', secret('value-of-a'), 'owner');
    const other = vaultOn(t.store, memoryKey(2)).vault;
    await assert.rejects(other.get('a', BY), { code: 'vault.wrong_key' });
    await assert.rejects(other.set('a', secret('overwritten'), 'owner'), { code: 'vault.wrong_key' });
    await assert.rejects(other.set('new', secret('overwritten'), 'owner'), { code: 'vault.wrong_key' });
    assert.equal(open(await vaultOn(t.store).vault.get('a', BY)), 'value-of-a');
  });
});

describe('vault', () => {
  async function setup(masterKey?: MasterKeySource) {
    const store = await memoryStore(vaultMigrations);
    return { store, ...vaultOn(store, masterKey), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  }

  it('does not open a row that was moved to another name, or altered', async () => {
    await using t = await setup();
    await t.vault.set('cheap', secret('value-cheap'), 'owner');
    await t.vault.set('dear', secret('value-dear'), 'owner');
    const dear = await t.store.db.selectFrom('vault_secret').selectAll().where('name', '=', 'dear').executeTakeFirstOrThrow();
    await t.store.write((tx) =>
      tx.updateTable('vault_secret').set({ nonce: dear.nonce, sealed: dear.sealed }).where('name', '=', 'cheap').execute(),
    );
    const again = vaultOn(t.store).vault;
    for (const vault of [t.vault, again]) {
      await assert.rejects(vault.get('cheap', BY), { code: 'vault.damaged' });
      assert.equal(open(await vault.get('dear', BY)), 'value-dear');
    }
    await again.set('cheap', secret('value-anew'), 'owner');
    assert.equal(open(await again.get('cheap', BY)), 'value-anew');
  });

  it('makes no new key while there are secrets of a lost one', async () => {
    let lost = false;
    const source: MasterKeySource = {
      ...memoryKey(),
      read: async () => (lost ? null : memoryKey().read()),
      create: () => assert.fail('made a new key'),
    };
    await using t = await setup(source);
    await t.vault.set('a', secret('value-of-a'), 'owner');
    lost = true;
    await assert.rejects(vaultOn(t.store, source).vault.get('a', BY), { code: 'vault.key_missing' });
  });

  it('reads no key until it is used, and then once', async () => {
    let reads = 0;
    await using t = await setup({
      ...memoryKey(),
      read: async () => {
        reads += 1;
        return memoryKey().read();
      },
    });
    assert.equal(reads, 0);
    await Promise.all([t.vault.keyFor('csrf'), t.vault.set('a', secret('value-of-a'), 'owner')]);
    await t.vault.get('a', BY);
    assert.equal(reads, 1);
  });

  it('derives another key for each purpose', async () => {
    await using t = await setup();
    assert.deepEqual(await t.vault.keyFor('a'), await t.vault.keyFor('a'));
    assert.notDeepEqual(await t.vault.keyFor('a'), await t.vault.keyFor('b'));
  });

  for (const bad of ['', '  ', '[secret]', '[secret:github]', 'Bearer [secret:github]', '@secret:github', 'undefined', 'null']) {
    it(`refuses ${JSON.stringify(bad)} as a secret`, async () => {
      await using t = await setup();
      await assert.rejects(t.vault.set('a', secret(bad), 'owner'), { code: 'vault.not_a_secret' });
      assert.deepEqual(await t.vault.list(), []);
    });
  }

  for (const name of ['', 'a b', '../x', 'a.', '.a', 'x'.repeat(129)]) {
    it(`refuses the name ${JSON.stringify(name.slice(0, 9))}`, async () => {
      await using t = await setup();
      await assert.rejects(t.vault.set(name, secret('some-value'), 'owner'), { code: 'input.invalid' });
    });
  }

  it('fills references into a text, and refuses half a reference', async () => {
    await using t = await setup();
    await t.vault.set('user', secret('ann-0001'), 'owner');
    await t.vault.set('pass.word', secret('pw-$&-1'), 'owner');
    assert.equal(open(await t.vault.fill('Basic @secret:user:@secret:pass.word.', BY)), 'Basic ann-0001:pw-$&-1.');
    await assert.rejects(t.vault.fill('x @secret:none', BY), { code: 'vault.no_secret' });
    await assert.rejects(t.vault.resolve('x @secret:user', BY), { code: 'vault.bad_reference' });
  });

  it('an undone write leaves no trace, in the redactor either', async () => {
    await using t = await setup();
    await assert.rejects(
      t.store.write(async () => {
        await t.vault.set('a', secret('value-of-a'), 'owner');
        throw new Error('undo');
      }),
    );
    assert.equal(await t.vault.has('a'), false);
    assert.equal(t.vault.redactor.redact('value-of-a'), 'value-of-a');
  });

  it('its redactor knows every accepted version, from the start of the service on', async () => {
    await using t = await setup();
    await t.vault.set('a', secret('value-one'), 'owner');
    await t.vault.rotate('a', secret('value-two'), 'owner', { graceMs: 1_000 });
    assert.equal(t.vault.redactor.redact('value-one, value-two'), '[secret:a], [secret:a]');
    const again = vaultOn(t.store).vault;
    const running = await again.service.start({ signal: new AbortController().signal, exit: () => {} });
    await running.stop();
    assert.deepEqual(running.health?.(), { ok: true, detail: '1 secrets' });
    assert.equal(again.redactor.redact('value-one, value-two'), '[secret:a], [secret:a]');
  });

  it('a service that cannot open it is unwell, not down', async () => {
    await using t = await setup();
    await t.vault.set('a', secret('value-of-a'), 'owner');
    const running = await vaultOn(t.store, memoryKey(2)).vault.service.start({
      signal: new AbortController().signal,
      exit: () => assert.fail('down'),
    });
    await running.stop();
    assert.equal(running.health?.().ok, false);
  });

  it('answers over HTTP without a value', async () => {
    await using t = await setup();
    const request = { caller: { id: 'owner', grants: new Set(['*']) }, signal: new AbortController().signal };
    const call = async (method: string, input: object): Promise<unknown> => {
      const found = vaultRoutes(t.vault, () => 'http://127.0.0.1:4848').find(
        (each) => `${each.endpoint.method} ${each.endpoint.path}` === method,
      )!;
      return found.endpoint.output.parse(await found.handle(found.endpoint.input.parse(input) as never, request));
    };
    const answers = [
      await call('PUT /api/secrets/{name}', { name: 'a', value: 'canary-1' }),
      await call('POST /api/secrets/{name}/rotate', { name: 'a', value: 'canary-2' }),
      await call('GET /api/secrets', {}),
      await call('DELETE /api/secrets/{name}', { name: 'a' }),
    ];
    assert.equal(JSON.stringify(answers).includes('canary'), false);
    await assert.rejects(
      call('PUT /api/secrets/{name}', { name: 'a', value: '[secret:canary]' }),
      (error) => error instanceof AppError && !JSON.stringify([error.message, error.details]).includes('canary'),
    );
  });
});
