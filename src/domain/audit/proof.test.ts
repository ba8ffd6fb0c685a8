import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import { manualClock } from '#core/clock';
import type { Store } from '#core/db/store';
import { memoryStore, onEveryEngine } from '#core/db/testing';
import { auditMigrations, createAudit, verifyExport } from '#audit';
import { createRedactor } from '#vault';
import type { Anchor, AnchorKeeper } from './anchor.ts';
import { hashOf, type EntryRow } from './chain.ts';
import { csvLine, readCsv } from './csv.ts';

const KEY = Buffer.alloc(32, 7);
const DAY = 86_400_000;
const STILL = { signal: new AbortController().signal, exit: () => {} };

/** An anchor kept outside of the database. */
function memoryAnchor(): AnchorKeeper & { kept: Anchor | 'damaged' | null } {
  const keeper = {
    kept: null as Anchor | 'damaged' | null,
    read: async () => keeper.kept,
    write: async (anchor: Anchor) => void (keeper.kept = anchor),
  };
  return keeper;
}

async function open(store: Store, anchor = memoryAnchor(), redact: (text: string) => string = (text) => text) {
  const clock = manualClock(1_000 * DAY);
  const told: string[] = [];
  const shelf = new Map<string, string>();
  const audit = createAudit({
    store,
    clock,
    redact,
    anchor,
    keys: async () => [KEY],
    shelf: async (name, lines) => {
      shelf.set(name, (await Array.fromAsync(lines)).join(''));
      return createHash('sha256').update(shelf.get(name)!).digest('hex');
    },
    tell: (_severity, title) => void told.push(title),
  });
  const record = (count: number, from = 1) =>
    store.write(async (tx) => {
      for (let n = from; n < from + count; n += 1)
        await audit.record({ actor: 'owner', action: 'thing.change', resource: `thing:${n}`, details: { n } }, tx);
    });
  /** From start to stop, as in a life of the program. */
  const live = async (during: () => Promise<unknown> = async () => {}): Promise<void> => {
    const running = await audit.service.start(STILL);
    await during();
    await running.stop();
  };
  return { audit, clock, anchor, told, shelf, record, live };
}

/** Takes the guards off, as whoever has the file can. */
async function tamper(store: Store, change: (rows: EntryRow[]) => EntryRow[] | void): Promise<void> {
  const rows = await store.db.selectFrom('audit_entry').selectAll().orderBy('seq').execute();
  const after = change(rows) ?? rows;
  await store.write(async (tx) => {
    for (const trigger of store.dialect.shared ? ['audit_entry_fixed on audit_entry'] : ['audit_entry_fixed', 'audit_entry_kept'])
      await sql.raw(`drop trigger ${trigger}`).execute(tx);
    await tx.deleteFrom('audit_entry').execute();
    if (after.length > 0) await tx.insertInto('audit_entry').values(after).execute();
  });
}

/** Makes every hash good again, and the recorded end with them. */
async function rechain(store: Store, change: (rows: EntryRow[]) => EntryRow[] | void): Promise<void> {
  await tamper(store, (rows) => {
    const changed = change(rows) ?? rows;
    let [seq, last] = [0, '0'.repeat(64)];
    return changed.map((row) => {
      const next = { ...row, seq: (seq += 1), prev_hash: last };
      last = hashOf(next);
      return { ...next, hash: last };
    });
  });
  const end = await store.db.selectFrom('audit_entry').selectAll().orderBy('seq', 'desc').limit(1).executeTakeFirstOrThrow();
  await store.write((tx) => tx.updateTable('audit_head').set({ seq: end.seq, hash: end.hash }).execute());
}

const kinds = (report: { readonly problems: readonly { readonly problem: string }[] }): string[] =>
  report.problems.map(({ problem }) => problem);

onEveryEngine('audit proof', (openStore) => {
  it('notices by the anchor that the end was cut off, though the database agrees with itself', async () => {
    await using store = await openStore(auditMigrations);
    const t = await open(store);
    await t.live(() => t.record(9));
    assert.equal((await t.audit.verify()).anchor?.sealed, true);
    await rechain(store, (rows) => rows.slice(0, 6));
    const report = await t.audit.verify();
    assert.deepEqual([report.ok, kinds(report)], [false, ['truncated']]);
  });

  it('keeps the chain provable when old entries are taken out, and the entries on the shelf', async () => {
    await using store = await openStore(auditMigrations);
    const t = await open(store);
    await t.record(250);
    await t.clock.advance(10 * DAY);
    await t.record(20, 251);
    assert.equal(await t.audit.retention.prune(5 * DAY), 250);
    const report = await t.audit.verify();
    assert.deepEqual([report.ok, report.checked, report.checkpoint?.seq, report.checkpoint?.sealed], [true, 21, 250, true]);
    const [[name, text]] = [...t.shelf] as [[string, string]];
    assert.equal(name, 'audit-000000001-000000250.jsonl');
    const file = await verifyExport(textOf(text));
    assert.deepEqual([file.ok, file.checked, file.end], [true, 250, { seq: 250, hash: report.checkpoint?.hash }]);
    await assert.rejects(store.write((tx) => sql`delete from audit_entry where seq = 260`.execute(tx)));
    await t.clock.advance(10 * DAY);
    await t.record(120, 271);
    assert.equal(await t.audit.retention.prune(5 * DAY), 0, 'twenty entries are not worth it');
    await t.clock.advance(10 * DAY);
    await t.record(1, 400);
    assert.equal(await t.audit.retention.prune(5 * DAY), 141);
    assert.equal((await t.audit.verify()).ok, true);
  });
});

async function* textOf(text: string, size = 777): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

describe('audit proof', () => {
  async function setup(count: number) {
    const store = await memoryStore(auditMigrations);
    const t = await open(store);
    await t.live(() => t.record(count));
    return { store, ...t, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
  }

  for (const [what, change] of [
    ['edited', (rows: EntryRow[]) => rows.map((row) => (row.seq === 3 ? { ...row, actor: 'nobody' } : row))],
    ['removed', (rows: EntryRow[]) => rows.filter(({ seq }) => seq !== 3)],
    ['reordered', (rows: EntryRow[]) => [rows[0]!, rows[2]!, rows[1]!, ...rows.slice(3)]],
    ['inserted', (rows: EntryRow[]) => rows.flatMap((row) => (row.seq === 3 ? [row, { ...row, actor: 'nobody' }] : [row]))],
    ['truncated', (rows: EntryRow[]) => rows.slice(0, 4)],
  ] as const) {
    it(`a row ${what} is found, though the whole chain was computed anew`, async () => {
      await using t = await setup(9);
      await rechain(t.store, change as (rows: EntryRow[]) => EntryRow[]);
      const report = await t.audit.verify();
      assert.equal(report.ok, false);
      assert.ok(
        kinds(report).every((kind) => kind === 'truncated' || kind === 'anchor'),
        String(kinds(report)),
      );
    });
  }

  it('a forged anchor, and one that was damaged, are found', async () => {
    await using t = await setup(4);
    await rechain(t.store, (rows) => rows.slice(0, 2));
    const end = await t.store.db.selectFrom('audit_head').selectAll().executeTakeFirstOrThrow();
    t.anchor.kept = { ...(t.anchor.kept as Anchor), seq: end.seq, hash: end.hash };
    assert.deepEqual(kinds(await t.audit.verify()), ['anchor']);
    t.anchor.kept = 'damaged';
    assert.deepEqual(kinds(await t.audit.verify()), ['anchor']);
  });

  it('a start on a cut chain tells the owner and leaves the proof until it is accepted', async () => {
    await using t = await setup(9);
    await rechain(t.store, (rows) => rows.slice(0, 4));
    const before = t.anchor.kept;
    await t.live(() => t.record(20));
    assert.deepEqual(t.told, ['The audit log does not end where it should']);
    assert.equal(t.anchor.kept, before);
    const { items } = await t.audit.list({ limit: 1, action: 'audit.mismatch' });
    assert.equal(items.length, 1);
    await t.live(async () => {
      assert.equal((await t.audit.accept('owner')).ok, true);
    });
    assert.equal((await t.audit.verify()).ok, true);
  });

  it('a checkpoint by another hand is found: without a word in the chain, or without the seal', async () => {
    await using t = await setup(0);
    await t.record(200);
    const row = await t.store.db.selectFrom('audit_entry').selectAll().where('seq', '=', 150).executeTakeFirstOrThrow();
    await t.store.write((tx) =>
      tx
        .insertInto('audit_checkpoint')
        .values({ seq: 150, hash: row.hash, at: 5, entries: 150, mac: 'ab'.repeat(32) })
        .execute(),
    );
    await t.store.write((tx) => tx.deleteFrom('audit_entry').where('seq', '<=', 150).execute());
    assert.deepEqual(kinds(await t.audit.verify()), ['checkpoint']);
    await t.audit.record({
      actor: 'system',
      action: 'audit.prune',
      resource: 'audit',
      details: { through: 150, hash: row.hash, entries: 150 },
    });
    assert.deepEqual(kinds(await t.audit.verify()), ['checkpoint']);
  });

  it('a crash between the checkpoint and the deletion leaves a chain that verifies, and the next sweep goes on', async () => {
    await using t = await setup(0);
    await t.record(200);
    await t.clock.advance(10 * DAY);
    await t.record(3, 201);
    await t.audit.retention.prune(5 * DAY);
    const gone = await t.store.db.selectFrom('audit_entry').selectAll().orderBy('seq').limit(1).executeTakeFirstOrThrow();
    assert.equal(gone.seq, 201);
    // as after a crash: the checkpoint is there, and so is one of the entries
    await t.store.write((tx) =>
      tx
        .insertInto('audit_entry')
        .values({ ...gone, seq: 200, hash: 'a'.repeat(64) })
        .execute(),
    );
    assert.equal((await t.audit.verify()).ok, true);
    assert.equal(await t.audit.retention.prune(5 * DAY), 0);
    assert.equal((await t.store.db.selectFrom('audit_entry').selectAll().where('seq', '<=', 200).execute()).length, 0);
  });

  for (const format of ['jsonl', 'csv'] as const) {
    it(`an export as ${format} proves itself, and what was done to it shows`, async () => {
      await using t = await setup(0);
      await t.record(30);
      await t.audit.record({ actor: '=cmd', action: 'a.b', resource: '\'-1,"x"\n2', details: { text: 'ü,"\n' } });
      await t.record(5, 40);
      const text = (await Array.fromAsync(t.audit.export(format, {}))).join('');
      const whole = await verifyExport(textOf(text));
      assert.deepEqual([whole.ok, whole.checked, whole.closed, whole.problems], [true, 36, format === 'jsonl', []]);
      assert.equal(whole.end.hash, (await t.audit.verify()).head.hash);
      const lines = text.split('\n');
      for (const [what, broken] of [
        ['edited', text.replace('thing:7', 'thing:8')],
        ['removed', lines.toSpliced(9, 1).join('\n')],
        ['reordered', lines.toSpliced(9, 2, lines[10]!, lines[9]!).join('\n')],
        ['doubled', lines.toSpliced(9, 0, lines[9]!).join('\n')],
        ['garbled', lines.toSpliced(9, 1, '{"seq"').join('\n')],
        ...(format === 'jsonl' ? [['cut', lines.slice(0, -4).join('\n')] as const] : []),
      ] as const)
        assert.equal((await verifyExport(textOf(broken))).ok, false, what);
    });
  }

  it('an export of a filter holds its entries, each proven by its own hash', async () => {
    await using t = await setup(0);
    await t.record(20);
    await t.audit.record({ actor: 'token:7', action: 'secret.use', resource: 'secret:github' });
    await t.record(20, 30);
    const text = (await Array.fromAsync(t.audit.export('jsonl', { actor: 'token:*' }))).join('');
    const report = await verifyExport(textOf(text));
    assert.deepEqual([report.ok, report.checked, report.begin], [true, 1, null]);
    assert.equal((await verifyExport(textOf(text.replace('github', 'gitlab')))).ok, false);
  });

  it('finds entries by words, whatever their letters', async () => {
    await using t = await setup(12);
    const found = async (q: string) => (await t.audit.list({ limit: 50, q })).items.map(({ seq }) => seq);
    assert.deepEqual(await found('THING:7 owner'), [7]);
    assert.deepEqual(await found('100%'), []);
    assert.deepEqual(await found('_hing'), []);
  });

  it('the net that cleans every text on its way to the database leaves the chain whole', async () => {
    await using store = await memoryStore(auditMigrations);
    const redactor = createRedactor();
    store.cleanTexts(redactor.stored);
    const t = await open(store, memoryAnchor(), redactor);
    await t.record(6_000);
    await t.audit.record({
      actor: 'owner',
      action: 'a.b',
      resource: 'x',
      details: { token: `ghp_${'aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5'}`, url: 'https://u:p4ssw0rd-x@h/' },
    });
    const report = await t.audit.verify();
    assert.deepEqual([report.ok, report.checked], [true, 6_001]);
  });

  it('csv gives back what it was given', async () => {
    const cells = ['=1+1', "'=x", "''=x", "it's", 'a,b', '"q"', 'line\nbreak', '', '+', '@x', 'ü'];
    const [row] = await Array.fromAsync(readCsv(textOf(csvLine(cells), 3)));
    assert.deepEqual(row, cells);
    assert.ok(csvLine(['=1']).startsWith("'="));
  });

  it('a hundred thousand entries are checked a page at a time, and others have their turn in between', async () => {
    await using store = await memoryStore(auditMigrations);
    const t = await open(store);
    let last = '0'.repeat(64);
    const rows: EntryRow[] = [];
    for (let seq = 1; seq <= 100_000; seq += 1) {
      const row = {
        seq,
        at: seq,
        actor: 'owner',
        action: 'thing.change',
        resource: `thing:${seq}`,
        decision: null,
        details: '{"n":1}',
        prev_hash: last,
      };
      rows.push({ ...row, hash: (last = hashOf(row)) });
    }
    await store.write(async (tx) => {
      for (let at = 0; at < rows.length; at += 2_000)
        await tx
          .insertInto('audit_entry')
          .values(rows.slice(at, at + 2_000))
          .execute();
      await tx.updateTable('audit_head').set({ seq: 100_000, hash: last }).execute();
    });
    let turns = 0;
    const clock = setInterval(() => (turns += 1), 0);
    const seen: number[] = [];
    for await (const { checked, of } of t.audit.follow()) {
      seen.push(checked);
      assert.equal(of, 100_000);
    }
    clearInterval(clock);
    assert.equal(seen.at(-1), 100_000);
    assert.ok(turns > 50, `others had ${turns} turns`);
  });
});
