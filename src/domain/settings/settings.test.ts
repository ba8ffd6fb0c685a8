import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { fakeAudit } from '#audit/testing';
import { createBus } from '#core/bus';
import { manualClock } from '#core/clock';
import type { Store } from '#core/db/store';
import { memoryStore, onEveryEngine } from '#core/db/testing';
import { uuidv7 } from '#core/ids';
import type { Secret } from '#core/secret';
import {
  createSettings,
  defineSetting,
  generalSettings,
  ownerInterests,
  ownerTimeZone,
  settingsMigrations,
  settingsRoutes,
  type SettingsDeps,
} from '#settings';

const days = defineSetting({
  key: 'memory.retention_days',
  schema: z.number().int().min(1).max(100),
  default: 30,
  title: 'Days',
  description: 'How long.',
  category: 'memory',
  env: ['OLD_DAYS', 'DAYS'],
});
const tags = defineSetting({
  key: 'memory.tags',
  schema: z.array(z.string()),
  default: [],
  title: 'Tags',
  description: 'Which.',
  category: 'memory',
  env: ['TAGS'],
});
const token = defineSetting({
  key: 'telegram.bot_token',
  schema: z.string().min(8),
  default: '',
  title: 'Token',
  description: 'Of the bot.',
  category: 'telegram',
  sensitive: true,
  env: ['TELEGRAM_BOT_TOKEN'],
});

function settingsOn(store: Store, more: Partial<SettingsDeps> = {}) {
  const vault = new Map<string, Secret>();
  const told: string[] = [];
  const audit = fakeAudit();
  const bus = createBus((_, error) => assert.fail(String(error)));
  const settings = createSettings({
    store,
    bus,
    audit,
    clock: manualClock(5_000),
    newId: uuidv7(),
    definitions: [...generalSettings, days, tags, token],
    secrets: { set: async (name, value) => vault.set(name, value), has: async (name) => vault.has(name) },
    env: {},
    tell: (severity, title, body) => told.push(`${severity}: ${title}. ${body}`),
    ...more,
  });
  const start = () => settings.service.start({ signal: new AbortController().signal, exit: (cause) => assert.fail(String(cause)) });
  return { settings, vault, told, audit, bus, start };
}

/** Writes a row the way a person with a database tool would. */
const handEdit = (store: Store, key: string, value: string) =>
  store.write((tx) =>
    tx
      .insertInto('settings_value')
      .values({ key, value, changed_at: 1, changed_by: 'hand' })
      .onConflict((on) => on.column('key').doUpdateSet({ value }))
      .execute(),
  );

onEveryEngine('settings', (open) => {
  it('keep a value over a restart, with its history, and go back', async () => {
    await using store = await open(settingsMigrations);
    const newId = uuidv7(); // of two generators, ids made within the same millisecond have no order
    const first = settingsOn(store, { newId });
    await first.start();
    assert.equal(first.settings.get(days), 30);
    await first.settings.set('memory.retention_days', 10, 'owner');
    await first.settings.set('memory.retention_days', 20, 'owner');
    const again = settingsOn(store, { newId });
    await again.start();
    assert.equal(again.settings.get(days), 20);
    const history = await again.settings.history('memory.retention_days');
    assert.deepEqual(
      history.map(({ value }) => value),
      [20, 10],
    );
    await again.settings.revert('memory.retention_days', history[1]!.id, 'owner');
    assert.equal(again.settings.get(days), 10);
    const info = await again.settings.reset('memory.retention_days', 'token:1');
    assert.deepEqual([info.value, info.isDefault, again.settings.get(days)], [30, true, 30]);
    assert.deepEqual(
      (await again.settings.history('memory.retention_days')).map(({ value, changedBy }) => [value, changedBy]),
      [
        [null, 'token:1'],
        [10, 'owner'],
        [20, 'owner'],
        [10, 'owner'],
      ],
    );
  });

  it('change together or not at all', async () => {
    await using store = await open(settingsMigrations);
    const { settings, start, audit, vault } = settingsOn(store);
    await start();
    await assert.rejects(settings.setAll({ 'telegram.bot_token': 'plain-token', 'memory.retention_days': 0 }, 'owner'), {
      code: 'settings.invalid',
    });
    assert.deepEqual([settings.get(token), settings.get(days), vault.size, audit.entries.length], ['', 30, 0, 0]);
    await settings.setAll({ 'memory.tags': ['a'], 'memory.retention_days': 3 }, 'owner');
    assert.deepEqual([settings.get(tags), settings.get(days)], [['a'], 3]);
  });
});

describe('settings', () => {
  async function setup(more: Partial<SettingsDeps> = {}, before: (store: Store) => Promise<unknown> = async () => {}) {
    const store = await memoryStore(settingsMigrations);
    await before(store);
    const it = settingsOn(store, more);
    await it.start();
    return { ...it, store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  }

  it('refuse an unknown key and name the nearest', async () => {
    await using t = await setup();
    await assert.rejects(t.settings.set('memory.retention_day', 3, 'owner'), {
      kind: 'not_found',
      code: 'settings.unknown_key',
      details: { key: 'memory.retention_day', nearest: ['memory.retention_days', 'runs.retention_days'] },
    });
    await assert.rejects(t.settings.set('retention_days', 3, 'owner'), { code: 'settings.unknown_key' });
    assert.throws(() => t.settings.value('nothing.like.it.at.all'), {
      code: 'settings.unknown_key',
      details: { key: 'nothing.like.it.at.all', nearest: [] },
    });
  });

  it('store nothing of an invalid value', async () => {
    await using t = await setup();
    for (const bad of ['ten', 0, 1.5, null, [3]])
      await assert.rejects(t.settings.set('memory.retention_days', bad, 'owner'), { kind: 'invalid', code: 'settings.invalid' });
    await assert.rejects(t.settings.set('owner.time_zone', 'Mars/Olympus', 'owner'), { code: 'settings.invalid' });
    assert.deepEqual([await t.settings.history('memory.retention_days'), t.settings.get(days), t.audit.entries], [[], 30, []]);
  });

  it('tell those who subscribed, after the cache has changed', async () => {
    await using t = await setup();
    const seen: unknown[] = [];
    const over = new AbortController();
    t.settings.subscribe(days, (value) => void seen.push([value, t.settings.get(days)]), over.signal);
    await t.settings.set('memory.retention_days', 5, 'owner');
    await t.settings.set('memory.tags', ['x'], 'owner');
    await t.settings.reset('memory.retention_days', 'owner');
    over.abort();
    await t.settings.set('memory.retention_days', 6, 'owner');
    assert.deepEqual(seen, [
      [5, 5],
      [30, 30],
    ]);
  });

  it('an undone change leaves the cache alone', async () => {
    await using t = await setup();
    await assert.rejects(
      t.store.write(async () => {
        await t.settings.set('memory.retention_days', 5, 'owner');
        throw new Error('undo');
      }),
    );
    assert.equal(t.settings.get(days), 30);
  });

  for (const row of ['{broken', '"text"', '500', 'null']) {
    it(`a stored ${row} falls back to the last good value, and the owner is told`, async () => {
      await using t = await setup({}, async (store) => {
        const before = settingsOn(store);
        await before.start();
        await before.settings.set('memory.retention_days', 77, 'owner');
        await handEdit(store, 'memory.retention_days', row);
        await handEdit(store, 'gone.module', '1');
      });
      assert.equal(t.settings.get(days), 77);
      assert.equal(t.told.length, 1);
      assert.match(t.told[0]!, /^warning: Setting memory\.retention_days/);
      assert.notEqual(t.settings.describe('memory.retention_days').problem, null);
      await t.settings.set('memory.retention_days', 8, 'owner');
      assert.equal(t.settings.describe('memory.retention_days').problem, null);
    });
  }

  it('a malformed row without a history falls back to the default', async () => {
    await using t = await setup({}, (store) => handEdit(store, 'owner.interests', '[1,2]'));
    assert.deepEqual(t.settings.get(ownerInterests), ownerInterests.default);
  });

  it('sensitive text goes to the vault and leaves a reference, everywhere', async () => {
    await using t = await setup();
    const info = await t.settings.set('telegram.bot_token', 'canary-token', 'owner');
    assert.deepEqual([info.value, t.settings.get(token)], ['@secret:telegram.bot_token', '@secret:telegram.bot_token']);
    assert.equal(
      t.vault.get('telegram.bot_token')!.use((text) => text),
      'canary-token',
    );
    const tables = [
      await t.store.db.selectFrom('settings_value').selectAll().execute(),
      await t.settings.history('telegram.bot_token'),
      t.audit.entries,
      t.settings.list(),
    ];
    assert.equal(JSON.stringify(tables).includes('canary'), false);
    await assert.rejects(t.settings.set('telegram.bot_token', 'short', 'owner'), { code: 'settings.invalid' });
    await assert.rejects(t.settings.set('telegram.bot_token', '@secret:nothing', 'owner'), { code: 'settings.invalid' });
    await t.settings.set('telegram.bot_token', '', 'owner');
    assert.equal(t.settings.get(token), '');
  });

  for (const row of ['"canary-token"', 'canary-token']) {
    it(`a hand-written sensitive row ${row} is moved to the vault at start`, async () => {
      await using t = await setup({}, (store) => handEdit(store, 'telegram.bot_token', row));
      assert.equal(t.settings.get(token), '@secret:telegram.bot_token');
      assert.equal(
        t.vault.get('telegram.bot_token')!.use((text) => text),
        'canary-token',
      );
      const rows = await t.store.db.selectFrom('settings_value').selectAll().execute();
      assert.equal(JSON.stringify([rows, t.told]).includes('canary'), false);
    });
  }

  it('take the environment at the first start only, and never bring back what was reset', async () => {
    const env = { DAYS: '12', TAGS: 'a, b', TELEGRAM_BOT_TOKEN: 'canary-token' };
    await using t = await setup({ env });
    assert.deepEqual([t.settings.get(days), t.settings.get(tags), t.settings.get(token)], [12, ['a', 'b'], '@secret:telegram.bot_token']);
    await t.settings.set('memory.retention_days', 13, 'owner');
    await t.settings.reset('memory.tags', 'owner');
    const again = settingsOn(t.store, { env: { ...env, OLD_DAYS: '99' } });
    await again.start();
    assert.deepEqual([again.settings.get(days), again.settings.get(tags)], [13, []]);
  });

  it('an environment value that does not fit is told and left', async () => {
    await using t = await setup({ env: { DAYS: 'many' } });
    assert.equal(t.settings.get(days), 30);
    assert.match(t.told.join(), /DAYS was not taken over/);
  });

  it('cannot be read before they are loaded, and refuse a key defined twice', async () => {
    await using store = await memoryStore(settingsMigrations);
    assert.throws(() => settingsOn(store).settings.get(days), /before the settings were loaded/);
    assert.throws(() => settingsOn(store, { definitions: [days, days] }), /memory\.retention_days/);
  });

  it('every general setting has a default its own schema accepts', async () => {
    for (const setting of generalSettings) assert.deepEqual(setting.schema.parse(setting.default), setting.default, setting.key);
    await using t = await setup();
    assert.equal(t.settings.get(ownerTimeZone), Intl.DateTimeFormat().resolvedOptions().timeZone);
  });

  it('answer over HTTP in the shape of the contract', async () => {
    await using t = await setup();
    const request = { caller: { id: 'owner', grants: new Set(['*']) }, signal: new AbortController().signal };
    const call = async (name: string, input: object): Promise<unknown> => {
      const found = settingsRoutes(t.settings).find(({ endpoint }) => `${endpoint.method} ${endpoint.path}` === name)!;
      return found.endpoint.output.parse(await found.handle(found.endpoint.input.parse(input) as never, request));
    };
    await call('PUT /api/settings/{key}', { key: 'owner.name', value: 'Ann' });
    await call('PUT /api/settings', { values: { 'ui.theme': 'dark' } });
    const { items } = (await call('GET /api/settings', { category: 'owner' })) as {
      items: { key: string; value: unknown; schema: unknown }[];
    };
    assert.deepEqual(items.find(({ key }) => key === 'owner.name')?.value, 'Ann');
    const { items: changes } = (await call('GET /api/settings/{key}/history', { key: 'owner.name' })) as { items: { id: string }[] };
    await call('POST /api/settings/{key}/revert', { key: 'owner.name', id: changes[0]!.id });
    await call('DELETE /api/settings/{key}', { key: 'owner.name' });
    await call('GET /api/settings/{key}', { key: 'owner.name' });
    await assert.rejects(call('POST /api/settings/{key}/revert', { key: 'owner.name', id: 'none' }), { code: 'settings.no_change' });
  });
});
