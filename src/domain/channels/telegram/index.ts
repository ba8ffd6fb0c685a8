import type { Api } from 'grammy';
import { z } from 'zod';
import { check } from '#core/json';
import type { Button, ChannelKind, Connection, Ear, OpenContext, OutgoingMessage } from '../kind.ts';
import { failureCode } from '../failure.ts';
import { asGrammySignal, isNotModified, isParseError, openApi, POLL_SECONDS, translate } from './api.ts';
import { toTelegram } from './html.ts';
import { ALLOWED_UPDATES, readUpdates, targetOf } from './inbound.ts';

const Settings = z.strictObject({
  /** A server of the Bot API of one's own, or a test's. */
  apiRoot: z
    .url({ protocol: /^https?$/, error: 'apiRoot: give an address such as https://api.telegram.org' })
    .transform((root) => root.replace(/\/+$/, ''))
    .default('https://api.telegram.org'),
});

/** Telegram by long polling (Bot API, getUpdates): needs no address of our own that Telegram could reach. */
export const telegram: ChannelKind = {
  id: 'telegram',
  title: 'Telegram',
  capabilities: { edit: true, buttons: true, typing: true, local: false, idempotent: false, push: false },
  settings: Settings,
  secrets: ['token'],
  render: toTelegram,
  open,
};

async function open({ config, secret, fetch, clock, signal }: OpenContext): Promise<Connection> {
  const { apiRoot } = check(config, Settings, 'config');
  const api = await openApi({ token: secret('token'), apiRoot, fetch, signal });
  const call = <T>(method: (api: Api) => Promise<T>): Promise<T> =>
    method(api).catch((thrown: unknown) => Promise.reject(translate(thrown)));
  const me = await call((it) => it.getMe(asGrammySignal(signal)));

  async function listen(ear: Ear, stop: AbortSignal): Promise<void> {
    let offset = Number(ear.cursor ?? 0);
    for (let failures = 0; !stop.aborted;) {
      try {
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
        if (failureCode(error) === 'channel.unauthorized') throw error;
        if (!isOfPlatform(error)) throw error;
        ear.trouble(error as Error);
        failures += 1;
        await clock.sleep(waitMs(error, failures), stop).catch(() => {});
      }
    }
  }

  async function send(message: OutgoingMessage, stop: AbortSignal): Promise<{ messageId: string }> {
    const extra = {
      ...targetOf(message.chat),
      ...keyboard(message.buttons),
      ...quoted(message.replyTo),
      link_preview_options: { is_disabled: true },
    };
    const sent = await withFallback(message, (text, form) =>
      call((it) => it.raw.sendMessage({ ...extra, text, ...form }, asGrammySignal(stop))),
    );
    return { messageId: String(sent.message_id) };
  }

  async function edit(messageId: string, message: OutgoingMessage, stop: AbortSignal): Promise<void> {
    const { chat_id } = targetOf(message.chat);
    const extra = { chat_id, message_id: Number(messageId), ...keyboard(message.buttons), link_preview_options: { is_disabled: true } };
    await withFallback(message, (text, form) =>
      call((it) => it.raw.editMessageText({ ...extra, text, ...form }, asGrammySignal(stop))),
    ).catch((error: unknown) => {
      if (!isNotModified(error)) throw error;
    });
  }

  return {
    account: `@${me.username}`,
    listen,
    send,
    edit,
    showTyping: async (chat, stop) =>
      void (await call((it) => it.raw.sendChatAction({ ...targetOf(chat), action: 'typing' }, asGrammySignal(stop)))),
    acknowledge: async (id, text, stop) =>
      void (await call((it) =>
        it.raw.answerCallbackQuery({ callback_query_id: id, ...(text && { text: text.slice(0, 200) }) }, asGrammySignal(stop)),
      )),
  };
}

/** As HTML; once more as plain text when its form is refused. */
async function withFallback<T>(
  { part }: OutgoingMessage,
  attempt: (text: string, form: { parse_mode?: 'HTML' }) => Promise<T>,
): Promise<T> {
  try {
    return await attempt(part.text, { parse_mode: 'HTML' });
  } catch (error) {
    if (!isParseError(error)) throw error;
    return attempt(part.plain, {});
  }
}

/** Two buttons a row: more are cut off on a phone. */
function keyboard(buttons: readonly Button[]): { reply_markup?: { inline_keyboard: { text: string; callback_data: string }[][] } } {
  if (buttons.length === 0) return {};
  const keys = buttons.map(({ label, data }) => ({ text: label, callback_data: data }));
  const rows = Array.from({ length: Math.ceil(keys.length / 2) }, (_, row) => keys.slice(row * 2, row * 2 + 2));
  return { reply_markup: { inline_keyboard: rows } };
}

/** Our message ids are `chat:message`. */
function quoted(replyTo: string | null): { reply_parameters?: { message_id: number; allow_sending_without_reply: true } } {
  const id = Number(replyTo?.split(':').at(-1));
  return replyTo !== null && Number.isInteger(id) ? { reply_parameters: { message_id: id, allow_sending_without_reply: true } } : {};
}

/** An error of Telegram or the way there; any other is ours, and a crash. */
function isOfPlatform(error: unknown): boolean {
  return failureCode(error).startsWith('channel.');
}

/** As long as Telegram asks; else 1 s doubling to a minute. */
function waitMs(error: unknown, failures: number): number {
  const asked = (error as { details?: { retryAfterMs?: unknown } }).details?.retryAfterMs;
  return typeof asked === 'number' ? asked : Math.min(60_000, 500 * 2 ** failures);
}
