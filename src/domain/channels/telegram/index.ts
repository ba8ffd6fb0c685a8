import { z } from 'zod';
import { check } from '#core/json';
import type { Button, ChannelKind, Connection, OpenContext, OutgoingMessage } from '../kind.ts';
import { asGrammySignal, isNotModified, isParseError, openApi, translate, type Call } from './api.ts';
import { toTelegram } from './html.ts';
import { targetOf } from './inbound.ts';
import { createPolling } from './polling.ts';
import { createWebhook } from './webhook.ts';

const Settings = z.strictObject({
  /** A server of the Bot API of one's own, or a test's. */
  apiRoot: z
    .url({ protocol: /^https?$/, error: 'apiRoot: give an address such as https://api.telegram.org' })
    .transform((root) => root.replace(/\/+$/, ''))
    .default('https://api.telegram.org'),
  /** `polling` needs no address of our own; `webhook` needs CASTELLAN_PUBLIC_URL, and hears at once. */
  mode: z.enum(['polling', 'webhook'], { error: 'mode: polling or webhook' }).default('polling'),
});

/** Telegram (Bot API), by long polling or by its calls. */
export const telegram: ChannelKind = {
  id: 'telegram',
  title: 'Telegram',
  capabilities: { edit: true, buttons: true, typing: true, local: false, idempotent: false, push: true },
  settings: Settings,
  secrets: ['token'],
  render: toTelegram,
  open,
};

async function open({ channelId, config, secret, fetch, clock, callbackUrl, signal }: OpenContext): Promise<Connection> {
  const { apiRoot, mode } = check(config, Settings, 'config');
  const api = await openApi({ token: secret('token'), apiRoot, fetch, signal });
  const call: Call = (method) => method(api).catch((thrown: unknown) => Promise.reject(translate(thrown)));
  const isOurs = (url: string): boolean => url.endsWith(`/channels/${channelId}`);
  const hearing =
    mode === 'webhook'
      ? createWebhook({ call, clock, token: secret('token'), channelId, callbackUrl })
      : { listen: createPolling({ call, clock, isOurs }) };
  const me = await call((it) => it.getMe(asGrammySignal(signal)));

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
    ...hearing,
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
