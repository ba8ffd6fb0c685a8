import type { ServerResponse } from 'node:http';
import type { Clock } from '#core/clock';

/** How often whoever listens to a stream is asked again who they are. */
const EVERY_MS = 15_000;

/**
 * A signal for a long answer, aborted too when its caller would no longer be let in: a session that was ended, a token or certificate that was
 * revoked, a grant that was taken back. A request is judged once, and a stream may last for weeks.
 */
export function watched(signal: AbortSignal, res: ServerResponse, clock: Clock, readmit: () => Promise<unknown>): AbortSignal {
  const out = new AbortController();
  const over = new AbortController();
  res.once('close', () => over.abort());

  async function watch(): Promise<void> {
    for (;;) {
      await clock.sleep(EVERY_MS, over.signal);
      await readmit();
    }
  }

  watch().catch(() => out.abort());
  return AbortSignal.any([signal, out.signal]);
}
