import { setImmediate as breathe } from 'node:timers/promises';
import type { Clock } from '#core/clock';
import type { Db } from '#core/db/store';
import { canonicalJson } from '#core/json';
import { BEGINNING, type EntryRow } from './chain.ts';
import type { AuditFilter, ExportFormat } from './contract.ts';
import { csvLine } from './csv.ts';
import { findAfter, lastCheckpoint, readHead } from './queries.ts';

const PAGE = 1_000;

/** Of the first line of an export. */
export const FORMAT = 'castellan.audit/1';
export const CSV_HEAD = ['seq', 'at', 'actor', 'action', 'resource', 'decision', 'details', 'prev_hash', 'hash'] as const;

export interface ExportDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly format: ExportFormat;
  readonly filter: AuditFilter;
  /** The last entry; the end of the chain when left out. */
  readonly until?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The lines of an export, each with its line feed. JSON lines say first where the chain begins and last where it ends, so that a file
 * that was cut is known; CSV is for spreadsheets and holds the entries alone.
 */
export async function* exportLines({ db, clock, format, filter, until, signal }: ExportDeps): AsyncGenerator<string, void, void> {
  const head = (await readHead(db)) ?? BEGINNING;
  const end = until ?? head.seq;
  const checkpoint = (await lastCheckpoint(db)) ?? BEGINNING;
  const isPartial = Object.values(filter).some((value) => value !== undefined);
  const exportedAt = new Date(clock.now()).toISOString();
  if (format === 'csv') yield csvLine(CSV_HEAD);
  else yield line({ format: FORMAT, exportedAt, begin: { seq: checkpoint.seq, hash: checkpoint.hash }, filter: isPartial ? filter : null });
  let entries = 0;
  let last = { seq: checkpoint.seq, hash: checkpoint.hash };
  for (;;) {
    signal?.throwIfAborted();
    const rows = await findAfter(db, filter, last.seq, end, PAGE);
    if (rows.length > 0) {
      entries += rows.length;
      last = rows.at(-1)!;
      yield rows.map((row) => (format === 'csv' ? csvRow(row) : line(jsonRow(row)))).join('');
    }
    if (rows.length < PAGE) break;
    await breathe();
  }
  if (format === 'jsonl') yield line({ end: { entries, seq: last.seq, hash: last.hash } });
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** `details` as the JSON it is where that gives back the very text that was hashed, else as that text. */
function jsonRow({ details, prev_hash: prevHash, hash, ...row }: EntryRow): object {
  return { ...row, at: new Date(row.at).toISOString(), ...readable(details), prevHash, hash };
}

function readable(details: string): { details: unknown } | { detailsText: string } {
  try {
    const value: unknown = JSON.parse(details);
    return canonicalJson(value) === details ? { details: value } : { detailsText: details };
  } catch {
    return { detailsText: details };
  }
}

function csvRow(row: EntryRow): string {
  return csvLine([
    String(row.seq),
    new Date(row.at).toISOString(),
    row.actor,
    row.action,
    row.resource,
    row.decision ?? '',
    row.details,
    row.prev_hash,
    row.hash,
  ]);
}
