import assert from 'node:assert/strict';
import { it } from 'node:test';
import { onEveryEngine } from '#core/db/testing';
import { skillMigrations, type InstalledRow } from '../tables.ts';
import { allInstalled, findInstalled, putInstalled, setInstalledState } from './queries.ts';

const ROW: InstalledRow = {
  name: 'greet',
  version: '1.0.0',
  state: 'enabled',
  reason: null,
  checksum: 'c',
  manifest: '{}',
  size_bytes: 1,
  source: '/x',
  installed_by: 'owner',
  installed_at: 1,
  changed_at: 1,
};

onEveryEngine('installed skills', (open) => {
  it('are kept by name', async () => {
    await using store = await open(skillMigrations);
    await store.write((tx) => putInstalled(tx, ROW));
    await store.write((tx) => putInstalled(tx, { ...ROW, version: '2.0.0' }));
    await store.write((tx) => setInstalledState(tx, 'greet', { state: 'disabled', reason: 'why', changed_at: 2 }));
    const kept = { ...ROW, version: '2.0.0', state: 'disabled', reason: 'why', changed_at: 2 };
    assert.deepEqual({ ...(await findInstalled(store.db, 'greet')) }, kept);
    assert.equal((await allInstalled(store.db)).length, 1);
    assert.equal(await findInstalled(store.db, 'other'), undefined);
  });
});
