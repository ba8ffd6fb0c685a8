import { createHash } from 'node:crypto';
import { canonicalJson } from '#core/json';
import type { Tables } from '#core/db/store';
import type { AuditProblem } from './contract.ts';
import { GENESIS } from './tables.ts';

export type EntryRow = Tables['audit_entry'];

/** SHA-256 of the canonical JSON of every column but the hash itself, in hex. */
export function hashOf({ hash: _, ...row }: Omit<EntryRow, 'hash'> & { readonly hash?: string }): string {
  return createHash('sha256').update(canonicalJson(row)).digest('hex');
}

/** Follows a chain entry by entry; a broken entry is reported once and does not spoil those after it. */
export function chainChecker(report: (problem: AuditProblem) => void) {
  let seq = 0;
  let hash = GENESIS;
  let checked = 0;

  function missing(until: number): void {
    if (seq + 1 === until) report({ seq: seq + 1, problem: 'removed', message: `Entry ${seq + 1} is missing` });
    else report({ seq: seq + 1, problem: 'removed', message: `Entries ${seq + 1} to ${until} are missing` });
  }

  return {
    /** Entries come in order of `seq`. */
    next(row: EntryRow): void {
      const hasGap = row.seq !== seq + 1;
      if (hasGap) missing(row.seq - 1);
      if (hashOf(row) !== row.hash)
        report({ seq: row.seq, problem: 'edited', message: `Entry ${row.seq} was edited: it no longer matches its hash` });
      else if (!hasGap && row.prev_hash !== hash)
        report({
          seq: row.seq,
          problem: 'relinked',
          message: `Entry ${row.seq} does not follow from entry ${seq}: one of them was moved or replaced`,
        });
      ({ seq, hash } = row);
      checked += 1;
    },
    /** `head` is where the chain is on record to end. */
    end(head: { readonly seq: number; readonly hash: string }): void {
      if (head.seq > seq) missing(head.seq);
      else if (head.seq !== seq || head.hash !== hash)
        report({
          seq,
          problem: 'head',
          message: `Entry ${seq} is not the end of the chain on record, entry ${head.seq}: the end was replaced`,
        });
    },
    checked: () => checked,
  };
}
