import type { Api } from 'grammy';
import type { Clock } from '#core/clock';
import { failureCode } from '../failure.ts';
import type { Ear } from '../kind.ts';
import { asGrammySignal, isOfPlatform, POLL_SECONDS, retryMs, type Call } from './api.ts';
import { ALLOWED_UPDATES, readUpdates } from './inbound.ts';

export interface PollingDeps {
  readonly call: Call;
  readonly clock: Clock;
  /** A webhook of ours from before: Telegram answers no poll while it is set. Nobody else's is taken away. */
  readonly isOurs: (url: string) => boolean;
}

/** Asks for updates, and again (getUpdates). */
export function createPolling({ call, clock, isOurs }: PollingDeps): (ear: Ear, stop: AbortSignal) => Promise<void> {
  async function freeOfWebhook(stop: AbortSignal): Promise<void> {
    const { url = '' } = await call((it: Api) => it.getWebhookInfo(asGrammySignal(stop)));
    if (isOurs(url)) await call((it) => it.deleteWebhook({}, asGrammySignal(stop)));
  }

  return async (ear, stop) => {
    let offset = Number(ear.cursor ?? 0);
    let isFree = false;
    for (let failures = 0; !stop.aborted;) {
      try {
        if (!isFree) await freeOfWebhook(stop);
        isFree = true;
        const updates = await call((it) =>
          it.getUpdates({ offset, timeout: POLL_SECONDS, limit: 100, allowed_updates: [...ALLOWED_UPDATES] }, asGrammySignal(stop)),
        );
        failures = 0;
        ear.alive();
        const read = readUpdates(updates, offset);
        if (read.offset !== offset) await ear.receive({ messages: read.messages, cursor: String(read.offset) });
        offset = read.offset; // asking with it is what tells Telegram: the rows are on disk by now
      } catch (error) {
        if (stop.aborted) return;
        if (failureCode(error) === 'channel.unauthorized' || !isOfPlatform(error)) throw error;
        ear.trouble(error as Error);
        failures += 1;
        await clock.sleep(retryMs(error, failures), stop).catch(() => {});
      }
    }
  };
}
