import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sql } from 'kysely';
import { manualClock } from '#core/clock';
import type { Store } from '#core/db/store';
import { onEveryEngine } from '#core/db/testing';
import { auditMigrations, createAudit } from '#audit';
import { hashOf } from './chain.ts';

const auditOn = (store: Store) =>
  createAudit({ store, clock: manualClock(1_000), redact: (text) => text.replaceAll('hunter2', '[secret:pw]') });

/** Does what an intruder with the file would: takes the guards off, then writes. */
async function tamper(store: Store, statement: string): Promise<void> {
  const drop = store.dialect.shared
    ? ['drop trigger audit_entry_fixed on audit_entry']
    : ['drop trigger audit_entry_fixed', 'drop trigger audit_entry_kept'];
  await store.write(async (tx) => {
    for (const each of [...drop, statement]) await sql.raw(each).execute(tx);
  });
}

onEveryEngine('audit', (open) => {
  async function setup(count: number) {
    const store = await open(auditMigrations);
    const audit = auditOn(store);
    for (let n = 1; n <= count; n += 1)
      await audit.record({ actor: 'owner', action: n % 2 ? 'settings.set' : 'runs.cancel', resource: `thing:${n}`, details: { n } });
    return { store, audit, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  }

  it('chains what it records and finds nothing wrong with it', async () => {
    await using t = await setup(5);
    const report = await t.audit.verify();
    assert.equal(report.ok, true);
    assert.deepEqual([report.checked, report.head.seq, report.problems], [5, 5, []]);
  });

  it('keeps one chain under concurrent writers, and forgets what was undone', async () => {
    await using t = await setup(0);
    const record = (n: number) => t.audit.record({ actor: 'run:1', action: 'a.b', resource: `r:${n}` });
    const jobs = Array.from({ length: 40 }, (_, n) =>
      t.store.write(async () => {
        await record(n);
        if (n % 4 === 0) throw new Error('undo');
      }),
    );
    await Promise.allSettled(jobs);
    const report = await t.audit.verify();
    assert.deepEqual([report.ok, report.checked], [true, 30]);
  });

  it('lists newest first, by page and by filter', async () => {
    await using t = await setup(5);
    const first = await t.audit.list({ limit: 2 });
    assert.deepEqual(
      first.items.map((entry) => entry.seq),
      [5, 4],
    );
    const second = await t.audit.list({ limit: 10, cursor: first.next! });
    assert.deepEqual([second.items.map((entry) => entry.seq), second.next], [[3, 2, 1], null]);
    const filtered = await t.audit.list({ limit: 10, action: 'settings.*' });
    assert.deepEqual(
      filtered.items.map((entry) => entry.details),
      [{ n: 5 }, { n: 3 }, { n: 1 }],
    );
    await assert.rejects(t.audit.list({ limit: 1, cursor: 'x' }), { code: 'input.invalid' });
  });

  it('takes secrets out before anything is stored', async () => {
    await using t = await setup(0);
    await t.audit.record({ actor: 'owner', action: 'a.b', resource: 'url:?p=hunter2', details: { argv: ['--pass', 'hunter2'] } });
    const { items } = await t.audit.list({ limit: 1 });
    assert.deepEqual([items[0]?.resource, items[0]?.details], ['url:?p=[secret:pw]', { argv: ['--pass', '[secret:pw]'] }]);
  });

  it('cannot be changed through the database it lives in', async () => {
    await using t = await setup(2);
    await assert.rejects(t.store.write((tx) => sql`update audit_entry set actor = 'x' where seq = 1`.execute(tx)));
    await assert.rejects(t.store.write((tx) => sql`delete from audit_entry where seq = 1`.execute(tx)));
    assert.equal((await t.audit.verify()).ok, true);
  });

  for (const [what, statement, expected] of [
    ['an edited entry', `update audit_entry set actor = 'nobody' where seq = 3`, [[3, 'edited']]],
    ['a removed entry', `delete from audit_entry where seq = 3`, [[3, 'removed']]],
    ['several removed entries', `delete from audit_entry where seq in (2, 3)`, [[2, 'removed']]],
    ['a cut off end', `delete from audit_entry where seq > 3`, [[4, 'removed']]],
  ] as const) {
    it(`names ${what}`, async () => {
      await using t = await setup(5);
      await tamper(t.store, statement);
      const report = await t.audit.verify();
      assert.equal(report.ok, false);
      assert.deepEqual(
        report.problems.map(({ seq, problem }) => [seq, problem]),
        expected,
      );
    });
  }

  it('names entries that changed places', async () => {
    await using t = await setup(5);
    await tamper(t.store, `update audit_entry set seq = case seq when 2 then -3 else -2 end where seq in (2, 3)`);
    await t.store.write((tx) => sql`update audit_entry set seq = -seq where seq < 0`.execute(tx));
    assert.deepEqual(
      (await t.audit.verify()).problems.map(({ seq, problem }) => [seq, problem]),
      [
        [2, 'edited'],
        [3, 'edited'],
        [4, 'relinked'],
      ],
    );
  });

  it('names the place after an entry that was replaced with its hash made good', async () => {
    await using t = await setup(5);
    const row = await t.store.db.selectFrom('audit_entry').selectAll().where('seq', '=', 3).executeTakeFirstOrThrow();
    await tamper(t.store, `update audit_entry set actor = 'nobody', hash = '${hashOf({ ...row, actor: 'nobody' })}' where seq = 3`);
    assert.deepEqual(
      (await t.audit.verify()).problems.map(({ seq, problem }) => [seq, problem]),
      [[4, 'relinked']],
    );
  });

  it('notices a replaced last entry', async () => {
    await using t = await setup(2);
    const row = await t.store.db.selectFrom('audit_entry').selectAll().where('seq', '=', 2).executeTakeFirstOrThrow();
    await tamper(t.store, `update audit_entry set actor = 'nobody', hash = '${hashOf({ ...row, actor: 'nobody' })}' where seq = 2`);
    assert.deepEqual(
      (await t.audit.verify()).problems.map(({ seq, problem }) => [seq, problem]),
      [[2, 'head']],
    );
  });
});
