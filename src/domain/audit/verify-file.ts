import { z } from 'zod';
import { canonicalJson } from '#core/json';
import { BEGINNING, chainChecker, type Beginning, type EntryRow } from './chain.ts';
import { Decision, type AuditProblem } from './contract.ts';
import { readCsv } from './csv.ts';
import { CSV_HEAD, FORMAT } from './export.ts';

const PROBLEMS_SHOWN = 100;

/** What an exported file proves by itself. */
export interface FileReport {
  readonly ok: boolean;
  readonly checked: number;
  /** The entry before the first one of the file; null for the entries of a filter, which do not follow each other. */
  readonly begin: Beginning | null;
  /** Its last entry: compare it with one noted elsewhere, or with the running agent. */
  readonly end: Beginning;
  /** It says itself where it ends, so that its end cannot be cut off unnoticed. */
  readonly closed: boolean;
  readonly problems: readonly AuditProblem[];
}

const Header = z.object({
  format: z.literal(FORMAT, `this is no ${FORMAT}`),
  begin: z.object({ seq: z.number(), hash: z.string() }),
  filter: z.record(z.string(), z.unknown()).nullable(),
});
const Trailer = z.object({ end: z.object({ entries: z.number(), seq: z.number(), hash: z.string() }) });
const Line = z.object({
  seq: z.number(),
  at: z.string(),
  actor: z.string(),
  action: z.string(),
  resource: z.string(),
  decision: Decision.nullable(),
  details: z.unknown().optional(),
  detailsText: z.string().optional(),
  prevHash: z.string(),
  hash: z.string(),
});

/** Checks an export, JSON lines or CSV, without any database. Never throws for a broken one: the report says what is wrong. */
export async function verifyExport(chunks: AsyncIterable<string>): Promise<FileReport> {
  const problems: AuditProblem[] = [];
  let broken = 0;
  const report = (problem: AuditProblem): void => {
    broken += 1;
    if (problems.length < PROBLEMS_SHOWN) problems.push(problem);
  };
  const { begin, rows, end } = await open(chunks, report);
  const chain = chainChecker(begin ? report : reportEdited(report), begin ?? undefined);
  for await (const row of rows) chain.next(row);
  const closing = end();
  const { seq, hash } = chain.at();
  if (closing === null) report({ seq, problem: 'truncated', message: `The file breaks off after entry ${seq}: its end is missing` });
  if (closing && (closing.entries !== chain.checked() || closing.seq !== seq || closing.hash !== hash))
    report({ seq, problem: 'truncated', message: `The file should end with entry ${closing.seq} after ${closing.entries} entries` });
  return { ok: broken === 0, checked: chain.checked(), begin, end: { seq, hash }, closed: closing !== undefined, problems };
}

/** Entries of a filter do not follow each other; each can still be held against its own hash. */
function reportEdited(report: (problem: AuditProblem) => void): (problem: AuditProblem) => void {
  return (problem) => {
    if (problem.problem === 'edited') report(problem);
  };
}

type Closing = z.infer<typeof Trailer>['end'];

interface Opened {
  readonly begin: Beginning | null;
  readonly rows: AsyncIterable<EntryRow>;
  /** What the last line said; null when it is missing, undefined where the format has none. */
  readonly end: () => Closing | null | undefined;
}

async function open(chunks: AsyncIterable<string>, report: (problem: AuditProblem) => void): Promise<Opened> {
  const all = chunks[Symbol.asyncIterator]();
  const first = await all.next();
  const start = first.done ? '' : first.value;
  const rest: AsyncIterable<string> = {
    async *[Symbol.asyncIterator]() {
      yield start;
      for (let next = await all.next(); !next.done; next = await all.next()) yield next.value;
    },
  };
  return start.startsWith(CSV_HEAD[0]) ? openCsv(rest, report) : openLines(rest, report);
}

const unreadable = (seq: number, what: string): AuditProblem => ({
  seq,
  problem: 'edited',
  message: `${what} after entry ${seq} cannot be read`,
});

async function openLines(chunks: AsyncIterable<string>, report: (problem: AuditProblem) => void): Promise<Opened> {
  const lines = linesOf(chunks)[Symbol.asyncIterator]();
  const head = Header.safeParse(parsed(((await lines.next()).value as string | undefined) ?? ''));
  if (!head.success) report({ seq: 0, problem: 'edited', message: `The first line does not say ${FORMAT}` });
  let closing: Closing | null = null;
  async function* rows(): AsyncGenerator<EntryRow, void, void> {
    let seq = 0;
    for (let next = await lines.next(); !next.done; next = await lines.next()) {
      const value = parsed(next.value);
      if (closing) report(unreadable(seq, 'What comes'));
      const last = Trailer.safeParse(value);
      if (last.success) {
        closing = last.data.end;
        continue;
      }
      const row = Line.safeParse(value);
      if (!row.success) {
        report(unreadable(seq, 'A line'));
        continue;
      }
      const { prevHash, at, details, detailsText = canonicalJson(details ?? {}), ...same } = row.data;
      ({ seq } = same);
      yield { ...same, at: Date.parse(at), details: detailsText, prev_hash: prevHash };
    }
  }
  const begin = head.success && head.data.filter !== null ? null : head.success ? head.data.begin : BEGINNING;
  return { begin, rows: rows(), end: () => closing };
}

async function openCsv(chunks: AsyncIterable<string>, report: (problem: AuditProblem) => void): Promise<Opened> {
  const table = readCsv(chunks)[Symbol.asyncIterator]();
  await table.next();
  const first = await table.next();
  async function* rows(): AsyncGenerator<EntryRow, void, void> {
    let last = 0;
    for (let next = first; !next.done; next = await table.next()) {
      const row = csvEntry(next.value);
      if (!row) {
        report(unreadable(last, 'A row'));
        continue;
      }
      last = row.seq;
      yield row;
    }
  }
  const begin = first.done ? null : csvEntry(first.value);
  return { begin: begin ? { seq: begin.seq - 1, hash: begin.prev_hash } : BEGINNING, rows: rows(), end: () => undefined };
}

function csvEntry(cells: readonly string[]): EntryRow | null {
  if (cells.length !== CSV_HEAD.length) return null;
  const [seq, at, actor, action, resource, decision, details, prev_hash, hash] = cells as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const verdict = Decision.nullable().safeParse(decision === '' ? null : decision);
  if (!/^\d+$/.test(seq) || Number.isNaN(Date.parse(at)) || !verdict.success) return null;
  return { seq: Number(seq), at: Date.parse(at), actor, action, resource, decision: verdict.data, details, prev_hash, hash };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string, void, void> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== '') yield rest;
}
