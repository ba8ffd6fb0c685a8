import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { fakeAudit } from '#audit/testing';
import { createBus } from '#core/bus';
import { manualClock } from '#core/clock';
import { memoryStore } from '#core/db/testing';
import { secret } from '#core/secret';
import { createVault, vaultMigrations, vaultRoutes, type Borrower } from '#vault';
import type { SecretUse } from '#vault/contract';
import { memoryKey } from '#vault/testing';

const DAY = 86_400_000;

async function setup(uses: readonly SecretUse[] = []) {
  const store = await memoryStore(vaultMigrations);
  const audit = fakeAudit();
  const clock = manualClock(1_000 * DAY);
  const told: string[] = [];
  const vault = createVault({
    store,
    clock,
    audit,
    masterKey: memoryKey(),
    bus: createBus((_, error) => assert.fail(String(error))),
    references: async () => uses,
    tell: (_severity, title) => void told.push(title),
  });
  const recorded = () =>
    audit.entries
      .filter(({ action }) => action === 'vault.use')
      .map(({ actor, decision, details }) => [actor, decision, details?.['uses']]);
  return { store, audit, clock, told, vault, recorded, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

const skill: Borrower = { as: ['skill:web_fetch'], purpose: 'fetch' };

describe('lending', () => {
  it('refuses who is out of scope, by name and by host, and records that', async () => {
    await using t = await setup();
    await t.vault.set('key', secret('value-of-key'), 'owner', { scope: 'provider:*', hosts: 'api.example.com' });
    await assert.rejects(t.vault.get('key', skill), { code: 'vault.out_of_scope' });
    const provider: Borrower = { as: ['provider:X'], purpose: 'call', to: 'https://evil.example/v1' };
    await assert.rejects(t.vault.get('key', provider), { code: 'vault.out_of_scope' });
    await t.vault.get('key', { ...provider, to: 'https://api.example.com/v1' });
    assert.deepEqual(t.recorded(), [
      ['skill:web_fetch', 'deny', 1],
      ['provider:X', 'deny', 1],
      ['provider:X', 'allow', 1],
    ]);
    assert.equal((await t.vault.list())[0]?.uses, 1, 'a refusal is no use');
  });

  it('lends to a skill only for hosts that were named, and tells how to name one', async () => {
    await using t = await setup();
    await t.vault.set('key', secret('value-of-key'), 'owner');
    const by: Borrower = { ...skill, to: 'https://api.example.com/', onlyNamedHosts: true };
    await assert.rejects(t.vault.get('key', by), /--hosts 'api\.example\.com'/);
    await t.vault.describe('key', 'owner', { hosts: 'api.example.com' });
    await t.vault.get('key', by);
  });

  it('records the first use at once and those of the hour as a count', async () => {
    await using t = await setup();
    await t.vault.set('key', secret('value-of-key'), 'owner');
    const running = await t.vault.service.start({ signal: new AbortController().signal, exit: () => {} });
    for (let n = 0; n < 500; n += 1) await t.vault.get('key', skill);
    assert.deepEqual(t.recorded(), [['skill:web_fetch', 'allow', 1]]);
    await t.clock.advance(3_600_000);
    await t.vault.get('key', skill);
    for (let n = 0; n < 3; n += 1) await t.vault.get('key', skill);
    await running.stop();
    assert.deepEqual(
      t.recorded().map(([, , uses]) => uses),
      [1, 499, 4],
    );
  });

  it('counts each time a lent one is opened, and writes the count down within an hour', async () => {
    await using t = await setup();
    await t.vault.set('key', secret('value-of-key'), 'owner');
    const running = await t.vault.service.start({ signal: new AbortController().signal, exit: () => {} });
    const lent = await t.vault.get('key', skill);
    for (let n = 0; n < 8; n += 1)
      assert.equal(
        lent.use((text) => text),
        'value-of-key',
      );
    assert.equal(`${JSON.stringify({ lent })} ${inspect(lent)}`, '{"lent":"[secret]"} [secret]');
    await t.clock.advance(3_600_000);
    await t.clock.advance(3_600_000);
    await running.stop();
    assert.deepEqual(
      t.recorded().map(([, , uses]) => uses),
      [1, 7],
    );
    assert.equal((await t.vault.list())[0]?.uses, 8);
  });

  it('nobody gets a secret of the owner, and the own ones of the program stand in no list', async () => {
    await using t = await setup();
    await t.vault.set('key', secret('value-of-key'), 'owner');
    await assert.rejects(t.vault.get('key'), /by nobody/);
    await t.vault.set('~owner.totp', secret('value-of-totp'), 'system');
    assert.equal(
      (await t.vault.get('~owner.totp')).use((text) => text),
      'value-of-totp',
    );
    assert.deepEqual(
      (await t.vault.list()).map(({ name }) => name),
      ['key'],
    );
    await assert.rejects(t.vault.resolve('@secret:~owner.totp', skill), { code: 'vault.bad_reference' });
  });

  it('one that is referred to is not removed without force', async () => {
    await using t = await setup([{ secret: 'key', where: 'provider Claude' }]);
    await t.vault.set('key', secret('value-of-key'), 'owner');
    const remove = vaultRoutes(t.vault, () => 'http://127.0.0.1:4848').find(({ endpoint }) => endpoint.method === 'DELETE')!;
    const request = { caller: { id: 'owner', grants: new Set(['*']) }, signal: new AbortController().signal };
    await assert.rejects(remove.handle({ name: 'key' } as never, request) as Promise<unknown>, {
      code: 'vault.in_use',
      details: { name: 'key', usedBy: ['provider Claude'] },
    });
    await remove.handle({ name: 'key', force: 'true' } as never, request);
    assert.equal(await t.vault.has('key'), false);
  });

  it('the owner is told two weeks before one ends, once', async () => {
    await using t = await setup();
    await t.vault.set('key', secret('value-of-key'), 'owner', { expiresAt: new Date(1_020 * DAY).toISOString() });
    const running = await t.vault.service.start({ signal: new AbortController().signal, exit: () => {} });
    for (let n = 0; n < 40; n += 1) await t.clock.advance(DAY / 4);
    await running.stop();
    assert.deepEqual(t.told, ['The secret "key" ends on 1972-10-17']);
    assert.equal((await t.vault.rotate('key', secret('another-value'), 'owner', { graceMs: 0 })).expiresAt, null);
  });
});
