import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import { canonicalJson, type Json } from '#core/json';
import { chainChecker, hashOf, type EntryRow } from './chain.ts';
import type { AuditEntry, AuditFilter, AuditProblem, AuditReport, Decision } from './contract.ts';
import { entriesAfter, entriesBeyond, findEntries, insertEntry, readHead, takePlace } from './queries.ts';

const PROBLEMS_SHOWN = 100;
const PAGE = 1_000;

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
  readonly redact: (text: string) => string;
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
}

export function createAudit({ store, clock, redact }: AuditDeps): Audit {
  async function append(tx: Db, entry: NewAuditEntry): Promise<void> {
    const details = redact(canonicalJson(entry.details ?? {}));
    const place = await takePlace(tx);
    const row: Omit<EntryRow, 'hash'> = {
      seq: place.seq,
      at: clock.now(),
      actor: entry.actor,
      action: entry.action,
      resource: redact(entry.resource),
      decision: entry.decision ?? null,
      details,
      prev_hash: place.hash,
    };
    await insertEntry(tx, { ...row, hash: hashOf(row) });
  }

  return {
    record: (entry, tx) => (tx ? append(tx, entry) : store.write((own) => append(own, entry))),

    async list({ limit, cursor, ...filter }) {
      const before = cursor === undefined ? undefined : Number(cursor);
      if (before !== undefined && !Number.isSafeInteger(before))
        throw new AppError('invalid', 'input.invalid', 'cursor: use the "next" of the page before');
      const rows = await findEntries(store.db, filter, limit + 1, before);
      const items = rows.slice(0, limit).map(toEntry);
      return { items, next: rows.length > limit ? String(items.at(-1)!.seq) : null };
    },

    async verify(signal) {
      const problems: AuditProblem[] = [];
      let broken = 0;
      const chain = chainChecker((problem) => {
        broken += 1;
        if (problems.length < PROBLEMS_SHOWN) problems.push(problem);
      });
      const head = (await readHead(store.db)) ?? { seq: 0, hash: '' };
      let last = 0;
      for (;;) {
        signal?.throwIfAborted();
        const rows = await entriesAfter(store.db, last, head.seq, PAGE);
        for (const row of rows) chain.next(row);
        if (rows.length < PAGE) break;
        last = rows.at(-1)!.seq;
      }
      chain.end(head);
      const [beyond] = await entriesBeyond(store.db, head.seq);
      if (beyond && beyond.seq > ((await readHead(store.db))?.seq ?? 0)) {
        broken += 1;
        problems.push({
          seq: beyond.seq,
          problem: 'head',
          message: `Entry ${beyond.seq} lies beyond the end of the chain on record, entry ${head.seq}`,
        });
      }
      return { ok: broken === 0, checked: chain.checked(), head, problems };
    },
  };
}

function toEntry(row: EntryRow): AuditEntry {
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
