import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '#core/clock';
import { AppError } from '#core/errors';
import type { Secret } from '#core/secret';
import { secret } from '#core/secret';
import { failureCode } from '../failure.ts';
import type { Connection, Ear } from '../kind.ts';
import { asGrammySignal, isOfPlatform, retryMs, type Call } from './api.ts';
import { ALLOWED_UPDATES, readUpdates } from './inbound.ts';

/** How often Telegram is asked whether it reaches us. */
const LOOK_EVERY_MS = 30_000;
/** Telegram sends what it was given as `secret_token` in this header (Bot API, setWebhook). */
const HEADER = 'x-telegram-bot-api-secret-token';

export interface WebhookDeps {
  readonly call: Call;
  readonly clock: Clock;
  readonly token: Secret;
  readonly channelId: string;
  readonly callbackUrl: string | null;
}

/**
 * Telegram calls us (setWebhook), one call at a time, so that messages keep their order. What it calls with is derived from the token: nobody
 * has to keep it, and it changes when the token does.
 */
export function createWebhook({
  call,
  clock,
  token,
  channelId,
  callbackUrl,
}: WebhookDeps): Required<Pick<Connection, 'listen' | 'answer'>> {
  if (callbackUrl === null)
    throw new AppError(
      'invalid',
      'channel.no_public_url',
      'mode: for a webhook Telegram must reach the public side: set CASTELLAN_PUBLIC_URL to its address, or take mode polling',
    );
  const word = secret(token.use((value) => createHmac('sha256', value).update(`castellan webhook ${channelId}`).digest('base64url')));

  async function look(ear: Ear, stop: AbortSignal): Promise<void> {
    const signal = asGrammySignal(stop);
    const { url, pending_update_count: pending, last_error_message: why } = await call((it) => it.getWebhookInfo(signal));
    if (url !== callbackUrl) {
      const options = { allowed_updates: [...ALLOWED_UPDATES], max_connections: 1 };
      await call((it) => word.use((secret_token) => it.setWebhook(callbackUrl!, { ...options, secret_token }, signal)));
    } else if (pending > 0 && why !== undefined)
      return ear.trouble(new AppError('unavailable', 'channel.unreached', `Telegram does not reach ${callbackUrl}: ${why}`));
    ear.alive();
  }

  return {
    async listen(ear, stop) {
      for (let failures = 0; !stop.aborted;) {
        let pauseMs = LOOK_EVERY_MS;
        try {
          await look(ear, stop);
          failures = 0;
        } catch (error) {
          if (stop.aborted) return;
          if (failureCode(error) === 'channel.unauthorized' || !isOfPlatform(error)) throw error;
          ear.trouble(error as Error);
          failures += 1;
          pauseMs = retryMs(error, failures);
        }
        await clock.sleep(pauseMs, stop).catch(() => {});
      }
    },

    async answer({ method, headers, body }, ear) {
      if (method !== 'POST' || !word.use((expected) => isSame(headers[HEADER], expected))) return null;
      const { messages } = readUpdates([read(body)], 0);
      if (messages.length > 0) await ear.receive({ messages, cursor: null });
      ear.alive();
      return { status: 200 }; // also to what we cannot read: it would come again and again
    },
  };
}

/** Takes as long whatever is wrong with the guess. */
function isSame(given: string | string[] | undefined, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return typeof given === 'string' && timingSafeEqual(digest(given), digest(expected));
}

function read(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return null;
  }
}
