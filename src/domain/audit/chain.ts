import { hash } from 'node:crypto';
import type { Tables } from '#core/db/store';
import type { AuditProblem } from './contract.ts';
import { GENESIS } from './tables.ts';

export type EntryRow = Tables['audit_entry'];

/** SHA-256 of the canonical JSON (keys in order) of every column but the hash itself, in hex. */
export function hashOf({ seq, at, actor, action, resource, decision, details, prev_hash }: Omit<EntryRow, 'hash'>): string {
  return hash('sha256', JSON.stringify({ action, actor, at, decision, details, prev_hash, resource, seq }));
}

/** Where a chain begins: nothing came before, or what came before was taken out up to a checkpoint. */
export interface Beginning {
  readonly seq: number;
  readonly hash: string;
}

export const BEGINNING: Beginning = { seq: 0, hash: GENESIS };

/** Follows a chain entry by entry; a broken entry is reported once and does not spoil those after it. */
export function chainChecker(report: (problem: AuditProblem) => void, begin = BEGINNING) {
  let { seq, hash: last } = begin;
  let checked = 0;

  function missing(until: number): void {
    if (seq + 1 === until) report({ seq: seq + 1, problem: 'removed', message: `Entry ${seq + 1} is missing` });
    else report({ seq: seq + 1, problem: 'removed', message: `Entries ${seq + 1} to ${until} are missing` });
  }

  return {
    /** Entries come in order of `seq`. */
    next(row: EntryRow): void {
      const hasGap = row.seq !== seq + 1;
      if (row.seq <= seq)
        return void report({ seq: row.seq, problem: 'relinked', message: `Entry ${row.seq} comes again, or out of order` });
      if (hasGap) missing(row.seq - 1);
      if (hashOf(row) !== row.hash)
        report({ seq: row.seq, problem: 'edited', message: `Entry ${row.seq} was edited: it no longer matches its hash` });
      else if (!hasGap && row.prev_hash !== last)
        report({
          seq: row.seq,
          problem: 'relinked',
          message: `Entry ${row.seq} does not follow from entry ${seq}: one of them was moved or replaced`,
        });
      ({ seq, hash: last } = row);
      checked += 1;
    },
    /** `head` is where the chain is on record to end. */
    end(head: { readonly seq: number; readonly hash: string }): void {
      if (head.seq > seq) missing(head.seq);
      else if (head.seq !== seq || head.hash !== last)
        report({
          seq,
          problem: 'head',
          message: `Entry ${seq} is not the end of the chain on record, entry ${head.seq}: the end was replaced`,
        });
    },
    checked: () => checked,
    /** Where it stands. */
    at: (): Beginning => ({ seq, hash: last }),
  };
}
