import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import { canonicalJson, type Json } from '#core/json';
import type { Redact } from '#core/redact';
import type { Service } from '#core/service';
import type { AnchorKeeper, SealKeys } from './anchor.ts';
import { anchoring } from './anchoring.ts';
import { hashOf, type EntryRow } from './chain.ts';
import type { AuditEntry, AuditFilter, AuditProgress, AuditReport, Decision, ExportFormat } from './contract.ts';
import { exportLines } from './export.ts';
import { findEntries, insertEntry, takePlace } from './queries.ts';
import { createRetention, type Retention, type Shelf } from './retention.ts';
import { walkChain } from './verify.ts';

/** What is to be remembered; see `AuditEntry` for the words to use. */
export interface NewAuditEntry {
  readonly actor: string;
  readonly action: string;
  readonly resource: string;
  readonly decision?: Decision;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface AuditDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Takes secrets out of a text before it is stored; the vault's redactor. */
  readonly redact: Redact;
  /** Where the end of the chain is noted outside of the database; nowhere when left out. */
  readonly anchor?: AnchorKeeper;
  /** Keys of the vault that seal anchors and checkpoints; unsealed when left out. */
  readonly keys?: SealKeys;
  /** After so many days an entry is taken out of the database; 0 keeps all, as does leaving it out. */
  readonly keepDays?: () => number;
  /** Where entries are put before they are taken out; they are dropped when left out. */
  readonly shelf?: Shelf;
  /** A word to the owner. */
  readonly tell?: (severity: 'warning' | 'critical', title: string, body: string) => void;
}

/** The owner's record of who did what: written once, chained by hash, never changed. */
export interface Audit {
  /** Inside a `store.write` pass its `tx` (or call it there: it joins), so that the act and its record share one fate. */
  record(entry: NewAuditEntry, tx?: Db): Promise<void>;
  list(
    query: AuditFilter & { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<{ items: AuditEntry[]; next: string | null }>;
  /** Reads the whole chain, a page at a time. Never throws for a broken chain: the report says what is wrong. */
  verify(signal?: AbortSignal): Promise<AuditReport>;
  /** The same, telling how far it is. */
  follow(signal?: AbortSignal): AsyncIterable<AuditProgress>;
  /** The entries of a filter, oldest first, as lines of a file that can be verified without the database. */
  export(format: ExportFormat, filter: AuditFilter, signal?: AbortSignal): AsyncIterable<string>;
  /** Takes the end as it is for the true one, where the anchor says otherwise. */
  accept(actor: string): Promise<AuditReport>;
  readonly retention: Retention;
  /** Keeps the anchor abreast of the chain, and takes out what is older than it should be. */
  readonly service: Service;
}

export function createAudit(deps: AuditDeps): Audit {
  const { store, clock, redact, anchor = null, keys = async () => [], tell = () => {} } = deps;
  const anchors = anchoring({ store, clock, anchor, keys, record, tell });
  const retention = createRetention({ ...deps, keys, record });

  async function append(tx: Db, entry: NewAuditEntry): Promise<void> {
    const details = (redact.stored ?? redact)(canonicalJson(entry.details ?? {}));
    const place = await takePlace(tx);
    const row: Omit<EntryRow, 'hash'> = {
      seq: place.seq,
      at: clock.now(),
      actor: redact(entry.actor),
      action: entry.action,
      resource: redact(entry.resource),
      decision: entry.decision ?? null,
      details,
      prev_hash: place.hash,
    };
    const hash = hashOf(row);
    await insertEntry(tx, { ...row, hash });
    store.onCommit(() => anchors.noteSoon({ seq: row.seq, hash }));
  }

  function record(entry: NewAuditEntry, tx?: Db): Promise<void> {
    return tx ? append(tx, entry) : store.write((own) => append(own, entry));
  }

  const follow = (signal?: AbortSignal): AsyncIterable<AuditProgress> => walkChain({ db: store.db, anchor, keys, signal });

  async function verify(signal?: AbortSignal): Promise<AuditReport> {
    for await (const { report } of follow(signal)) if (report) return report;
    throw new Error('A check of the chain ended without a report');
  }

  return {
    record,
    follow,
    verify,
    retention,

    async list({ limit, cursor, ...filter }) {
      const before = cursor === undefined ? undefined : Number(cursor);
      if (before !== undefined && !Number.isSafeInteger(before))
        throw new AppError('invalid', 'input.invalid', 'cursor: use the "next" of the page before');
      const rows = await findEntries(store.db, filter, limit + 1, before);
      const items = rows.slice(0, limit).map(toEntry);
      return { items, next: rows.length > limit ? String(items.at(-1)!.seq) : null };
    },

    export: (format, filter, signal) => exportLines({ db: store.db, clock, format, filter, signal }),

    async accept(actor) {
      await anchors.accept(actor);
      return verify();
    },

    service: {
      name: 'audit',
      async start(run) {
        const noting = await anchors.start(run.signal);
        const sweeping = retention.sweepNowAndThen(run.signal);
        return {
          async stop() {
            await Promise.all([noting.stop(), sweeping.stop()]);
          },
          health: noting.health,
        };
      },
    },
  };
}

/** An entry as it is shown. */
export function toEntry(row: EntryRow): AuditEntry {
  const { seq, actor, action, resource, decision, hash } = row;
  return {
    seq,
    at: new Date(row.at).toISOString(),
    actor,
    action,
    resource,
    decision,
    details: readDetails(row.details),
    prevHash: row.prev_hash,
    hash,
  };
}

/** A tampered entry is still shown, as the text it is. */
function readDetails(text: string): AuditEntry['details'] {
  try {
    return JSON.parse(text) as Json as AuditEntry['details'];
  } catch {
    return text;
  }
}
