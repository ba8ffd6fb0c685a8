import type { Clock } from '#core/clock';
import type { Transcript } from './transcript.ts';

/** At most so much of an answer is lost by a crash. */
const KEEP_EVERY_MS = 500;
const KEEP_CHARS = 2_048;

/** Stores a growing answer now and then. */
export interface Keeper {
  /** Something was added. */
  grown(): void;
  /** Resolves when nothing more will be stored. */
  stop(): Promise<void>;
}

export function createKeeper(transcript: Transcript, clock: Clock, save: () => Promise<void>, onError: (error: unknown) => void): Keeper {
  const stopping = new AbortController();
  let saved = 0;
  let saving: Promise<void> | null = null;
  let isArmed = false;

  function arm(): void {
    if (isArmed || stopping.signal.aborted) return;
    isArmed = true;
    clock.sleep(KEEP_EVERY_MS, stopping.signal).then(
      () => {
        isArmed = false;
        keep();
      },
      () => {},
    );
  }

  function keep(): void {
    if (saving || stopping.signal.aborted || transcript.end === saved) return;
    const place = transcript.end;
    saving = save()
      .then(() => void (saved = place), onError)
      .finally(() => {
        saving = null;
        if (transcript.end > saved) arm();
      });
  }

  return {
    grown() {
      if (transcript.end - saved >= KEEP_CHARS) keep();
      else arm();
    },
    async stop() {
      stopping.abort();
      await saving;
    },
  };
}
