import type { TurnEvent } from './contract.ts';
import { createTranscript, type Transcript } from './transcript.ts';
import type { TurnRow } from './tables.ts';

export type EndEvent = Extract<TurnEvent, { type: 'end' }>;

/** Why a turn was stopped: by its owner, or because the program ends. */
export type StopReason = 'cancelled' | 'closing';

/** A turn that this process drives, with those who listen to it. */
export interface LiveTurn {
  readonly row: TurnRow;
  readonly transcript: Transcript;
  readonly signal: AbortSignal;
  readonly end: EndEvent | null;
  /** Resolves at its end. */
  readonly done: Promise<void>;
  stop(reason: StopReason): void;
  stoppedBy(): StopReason | null;
  /** Resolves at the next change; ask before you look. */
  changed(): Promise<void>;
  wake(): void;
  finish(end: EndEvent): void;
}

export function createLiveTurn(row: TurnRow): LiveTurn {
  const abort = new AbortController();
  const done = Promise.withResolvers<void>();
  let next = Promise.withResolvers<void>();
  let end: EndEvent | null = null;
  let reason: StopReason | null = null;

  function wake(): void {
    next.resolve();
    next = Promise.withResolvers<void>();
  }

  return {
    row,
    transcript: createTranscript(),
    signal: abort.signal,
    get end() {
      return end;
    },
    done: done.promise,
    stop(why) {
      reason ??= why;
      abort.abort();
    },
    stoppedBy: () => reason,
    changed: () => next.promise,
    wake,
    finish(it) {
      end ??= it;
      wake();
      done.resolve();
    },
  };
}
