import { setImmediate as breathe } from 'node:timers/promises';
import type { Db } from '#core/db/store';
import { checkMac, type AnchorKeeper, type SealKeys } from './anchor.ts';
import { chainChecker, type EntryRow } from './chain.ts';
import type { AuditProblem, AuditProgress, AuditReport } from './contract.ts';
import { countUntil, entriesAfter, entriesBeyond, lastCheckpoint, readHead, type CheckpointRow } from './queries.ts';

const PROBLEMS_SHOWN = 100;
/** About ten milliseconds of reading and hashing: then others have their turn. */
const PAGE = 1_000;

export interface VerifyDeps {
  readonly db: Db;
  readonly anchor: AnchorKeeper | null;
  readonly keys: SealKeys;
  readonly signal?: AbortSignal | undefined;
}

/** Reads the chain a page at a time and lets the program breathe in between; the last value carries the report. */
export async function* walkChain({ db, anchor, keys, signal }: VerifyDeps): AsyncGenerator<AuditProgress, void, void> {
  const problems: AuditProblem[] = [];
  let broken = 0;
  const report = (problem: AuditProblem): void => {
    broken += 1;
    if (problems.length < PROBLEMS_SHOWN) problems.push(problem);
  };
  const sealKeys = await keys().catch(() => []);
  const noted = (await anchor?.read()) ?? null; // before the head: the chain may grow meanwhile, the anchor only follows
  const checkpoint = (await lastCheckpoint(db)) ?? null;
  const head = (await readHead(db)) ?? { seq: 0, hash: '' };
  const of = await countUntil(db, head.seq);

  const chain = chainChecker(report, checkpoint ?? undefined);
  const watch = [watchCheckpoint(checkpoint, sealKeys, report), watchAnchor(noted, sealKeys, report)];
  let last = checkpoint?.seq ?? 0;
  for (;;) {
    signal?.throwIfAborted();
    const rows = await entriesAfter(db, last, head.seq, PAGE);
    for (const row of rows) {
      chain.next(row);
      for (const each of watch) each.next(row);
    }
    if (rows.length < PAGE) break;
    last = rows.at(-1)!.seq;
    yield { checked: chain.checked(), of, report: null };
    await breathe();
  }
  if ((await lastCheckpoint(db))?.seq !== checkpoint?.seq) return yield* walkChain({ db, anchor, keys, signal }); // retention was at work
  chain.end(head);
  for (const each of watch) each.end(chain.at().seq, checkpoint?.seq ?? 0);
  const [beyond] = await entriesBeyond(db, head.seq);
  if (beyond && beyond.seq > ((await readHead(db))?.seq ?? 0))
    report({
      seq: beyond.seq,
      problem: 'head',
      message: `Entry ${beyond.seq} lies beyond the end of the chain on record, entry ${head.seq}`,
    });
  const told: AuditReport = {
    ok: broken === 0,
    checked: chain.checked(),
    head,
    checkpoint: checkpoint && {
      seq: checkpoint.seq,
      hash: checkpoint.hash,
      at: new Date(checkpoint.at).toISOString(),
      sealed: sealOf(checkpoint, sealKeys) === 'good',
    },
    anchor:
      noted === null || noted === 'damaged'
        ? null
        : {
            seq: noted.seq,
            at: new Date(noted.at).toISOString(),
            sealed: checkMac(sealKeys, noted.mac, 'anchor', noted.seq, noted.hash, noted.at) === 'good',
          },
    problems: problems.toSorted((a, b) => a.seq - b.seq),
  };
  yield { checked: chain.checked(), of, report: told };
}

/** Looks at each entry as it passes, and has its say at the end. */
interface Watch {
  next(row: EntryRow): void;
  end(lastSeq: number, beganAfter: number): void;
}

const sealOf = ({ seq, hash, at, entries, mac }: CheckpointRow, keys: readonly Uint8Array[]) =>
  checkMac(keys, mac, 'checkpoint', seq, hash, at, entries);

/** What retention took out is told of by an entry of the chain itself, and sealed. */
function watchCheckpoint(checkpoint: CheckpointRow | null, keys: readonly Uint8Array[], report: (problem: AuditProblem) => void): Watch {
  let isTold = checkpoint === null;
  return {
    next(row) {
      if (!checkpoint || row.action !== 'audit.prune') return;
      isTold ||= row.details.includes(`"hash":"${checkpoint.hash}"`) && row.details.includes(`"through":${checkpoint.seq}`);
    },
    end() {
      if (!checkpoint) return;
      const { seq } = checkpoint;
      if (!isTold) report({ seq, problem: 'checkpoint', message: `Entries up to ${seq} are gone, and no entry tells who took them out` });
      else if (sealOf(checkpoint, keys) === 'bad')
        report({ seq, problem: 'checkpoint', message: `Entries up to ${seq} were not taken out by Castellan: the seal is wrong` });
    },
  };
}

function watchAnchor(
  noted: Awaited<ReturnType<AnchorKeeper['read']>>,
  keys: readonly Uint8Array[],
  report: (problem: AuditProblem) => void,
): Watch {
  if (noted === null) return { next: () => {}, end: () => {} };
  if (noted === 'damaged')
    return {
      next: () => {},
      end: (seq) =>
        report({ seq, problem: 'anchor', message: 'The anchor outside of the database cannot be read: it was altered or damaged' }),
    };
  const { seq, hash, at, mac } = noted;
  const day = new Date(at).toISOString();
  let found: string | null = null;
  return {
    next(row) {
      if (row.seq === seq) found = row.hash;
    },
    end(lastSeq, beganAfter) {
      if (checkMac(keys, mac, 'anchor', seq, hash, at) === 'bad')
        report({ seq, problem: 'anchor', message: 'The anchor outside of the database was not written by Castellan: its seal is wrong' });
      else if (lastSeq < seq)
        report({
          seq: lastSeq + 1,
          problem: 'truncated',
          message: `The chain ends at entry ${lastSeq}, but at ${day} it had ${seq}: its end was cut off, or an older database was put back`,
        });
      else if (seq > beganAfter && found !== hash)
        report({ seq, problem: 'anchor', message: `Entry ${seq} is another one than at ${day}: the chain was rewritten` });
    },
  };
}
