import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import type { Health, Running } from '#core/service';
import { checkMac, macOf, type Anchor, type AnchorKeeper, type SealKeys } from './anchor.ts';
import type { NewAuditEntry } from './audit.ts';
import { entryAt, lastCheckpoint, readHead } from './queries.ts';

/** Entries of a busy second share one note. */
const NOTE_AFTER_MS = 1_000;

export interface AnchoringDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly anchor: AnchorKeeper | null;
  readonly keys: SealKeys;
  readonly record: (entry: NewAuditEntry) => Promise<void>;
  readonly tell: (severity: 'warning' | 'critical', title: string, body: string) => void;
}

/** Keeps the anchor abreast of the chain. An anchor that does not match is left as the proof it is, until the owner accepts. */
export function anchoring({ store, clock, anchor, keys, record, tell }: AnchoringDeps) {
  let wanted: { readonly seq: number; readonly hash: string } | null = null;
  let writing: Promise<void> | null = null;
  let running: AbortSignal | null = null;
  let problem: string | null = null;

  async function seal(seq: number, hash: string): Promise<Anchor> {
    const at = clock.now();
    const sealing = await keys();
    return { seq, hash, at, mac: macOf(sealing, 'anchor', seq, hash, at) };
  }

  async function note(): Promise<void> {
    const at = wanted;
    if (!anchor || !at || problem !== null) return;
    const sealed = await seal(at.seq, at.hash).catch(() => null); // a vault that does not open is told of by the vault
    if (wanted === at) wanted = null;
    if (sealed) await anchor.write(sealed);
  }

  /** Writes what is wanted now, and what comes meanwhile a moment later. */
  async function keepNoting(signal: AbortSignal): Promise<void> {
    while (wanted) {
      await clock.sleep(NOTE_AFTER_MS, signal).catch(() => {});
      if (signal.aborted) return;
      await note();
    }
  }

  function noteSoon(at: { readonly seq: number; readonly hash: string }): void {
    if (!anchor) return;
    if (!wanted || at.seq > wanted.seq) wanted = at;
    if (!running || running.aborted || writing) return;
    const signal = running;
    writing = keepNoting(signal)
      .catch((error: unknown) => tell('warning', 'The audit log could not be anchored', String((error as Error).message)))
      .finally(() => (writing = null));
  }

  /** What the anchor says against the chain, or null. */
  async function disagreement(noted: Anchor | 'damaged'): Promise<string | null> {
    if (noted === 'damaged') return 'The anchor of the audit log cannot be read: it was altered or damaged.';
    const { seq, hash, at, mac } = noted;
    if (checkMac(await keys().catch(() => []), mac, 'anchor', seq, hash, at) === 'bad')
      return 'The anchor of the audit log was not written by Castellan: its seal is wrong.';
    const head = await readHead(store.db);
    if ((head?.seq ?? 0) < seq)
      return `The audit log ends at entry ${head?.seq ?? 0}, but on ${new Date(at).toISOString()} it had ${seq}: its end was cut off, or an older database was put back.`;
    if (seq <= ((await lastCheckpoint(store.db))?.seq ?? 0)) return null;
    return (await entryAt(store.db, seq))?.hash === hash ? null : `Entry ${seq} of the audit log is another one than the anchor says.`;
  }

  async function begin(): Promise<void> {
    if (!anchor) return;
    const noted = await anchor.read();
    problem = noted === null ? null : await disagreement(noted);
    if (problem !== null) {
      tell(
        'critical',
        'The audit log does not end where it should',
        `${problem} See "castellan audit verify"; if you know why, say "castellan audit accept".`,
      );
      await record({
        actor: 'system',
        action: 'audit.mismatch',
        resource: 'audit',
        details: { problem, ...(noted !== 'damaged' && noted) },
      });
      return;
    }
    const head = await readHead(store.db);
    if (noted === null && head && head.seq > 0)
      await record({ actor: 'system', action: 'audit.anchor', resource: 'audit', details: { from: head.seq } });
    else if (head && head.seq > 0) noteSoon(head);
  }

  return {
    noteSoon,

    async start(signal: AbortSignal): Promise<Running & { health(): Health }> {
      const life = new AbortController();
      running = AbortSignal.any([signal, life.signal]);
      await begin();
      return {
        async stop() {
          life.abort();
          await writing?.catch(() => {});
          await note();
        },
        health: () => (problem === null ? { ok: true } : { ok: false, detail: problem }),
      };
    },

    /** The owner's word that the chain is right as it is. */
    async accept(actor: string): Promise<void> {
      const before = problem;
      problem = null;
      await record({ actor, action: 'audit.accept', resource: 'audit', details: { was: before ?? 'nothing was wrong' } });
      const head = await readHead(store.db);
      if (head) wanted = head;
      await note();
    },
  };
}
