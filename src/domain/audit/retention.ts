import { createHash } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import type { Running } from '#core/service';
import { macOf, type SealKeys } from './anchor.ts';
import type { NewAuditEntry } from './audit.ts';
import { exportLines } from './export.ts';
import { countUntil, deleteUntil, insertCheckpoint, lastBefore, lastCheckpoint } from './queries.ts';

const DAY_MS = 86_400_000;
const SWEEP_EVERY_MS = 6 * 3_600_000;
/** Not worth a checkpoint below that. */
const LEAST_PRUNED = 100;
const BATCH = 1_000;

/** Where entries are put before they leave the database: a name for the file, its lines; answers the SHA-256 of it. */
export type Shelf = (name: string, lines: AsyncIterable<string>) => Promise<string>;

/** Puts files into a folder: written whole, put through to the disk, then moved into place. */
export function shelfIn(folder: string): Shelf {
  return async (name, lines) => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, name);
    const hash = createHash('sha256');
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      for await (const line of lines) {
        hash.update(line);
        await file.write(line);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    return hash.digest('hex');
  };
}

export interface RetentionDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly keys: SealKeys;
  readonly keepDays?: () => number;
  readonly shelf?: Shelf;
  readonly record: (entry: NewAuditEntry, tx?: Db) => Promise<void>;
}

/** Takes out old entries so that the rest still proves itself: a sealed checkpoint says where they ended, and an entry tells of it. */
export interface Retention {
  /** Takes out what is older; how many entries. A crash at any moment leaves a chain that verifies; the next call goes on. */
  prune(olderThanMs: number): Promise<number>;
  sweepNowAndThen(signal: AbortSignal): Running;
}

export function createRetention({ store, clock, keys, keepDays = () => 0, shelf, record }: RetentionDeps): Retention {
  async function prune(olderThanMs: number): Promise<number> {
    const before = await lastCheckpoint(store.db);
    if (before) await drop(before.seq); // what a crash left
    const last = await lastBefore(store.db, clock.now() - olderThanMs);
    if (!last) return 0;
    const entries = await countUntil(store.db, last.seq);
    if (entries < LEAST_PRUNED) return 0;
    const { seq, hash } = last;
    const file = shelf && `audit-${pad((before?.seq ?? 0) + 1)}-${pad(seq)}.jsonl`;
    const sha256 = file && (await shelf(file, exportLines({ db: store.db, clock, format: 'jsonl', filter: {}, until: seq })));
    const sealing = await keys(); // without a seal nothing is taken out
    await store.write(async (tx) => {
      const at = clock.now();
      await insertCheckpoint(tx, { seq, hash, at, entries, mac: macOf(sealing, 'checkpoint', seq, hash, at, entries) });
      await record(
        {
          actor: 'system',
          action: 'audit.prune',
          resource: 'audit',
          details: { through: seq, hash, entries, ...(file && { file, sha256 }) },
        },
        tx,
      );
    });
    await drop(seq);
    return entries;
  }

  async function drop(seq: number): Promise<void> {
    while ((await store.write((tx) => deleteUntil(tx, seq, BATCH))) === BATCH);
  }

  async function sweep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(SWEEP_EVERY_MS, signal).catch(() => {});
      const days = keepDays();
      if (!signal.aborted && days > 0) await prune(days * DAY_MS).catch(() => {}); // the next sweep tries again
    }
  }

  return {
    prune,
    sweepNowAndThen(signal) {
      const end = new AbortController();
      const sweeping = sweep(AbortSignal.any([signal, end.signal]));
      return {
        async stop() {
          end.abort();
          await sweeping;
        },
      };
    },
  };
}

function pad(seq: number): string {
  return String(seq).padStart(9, '0');
}
