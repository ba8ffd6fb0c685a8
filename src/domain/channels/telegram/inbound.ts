import { z } from 'zod';
import type { InboundMessage } from '../kind.ts';

const User = z.object({
  id: z.number(),
  is_bot: z.boolean().default(false),
  first_name: z.string().default(''),
  last_name: z.string().optional(),
  username: z.string().optional(),
});
const Chat = z.object({ id: z.number(), type: z.string() });
const ATTACHMENTS = [
  'photo',
  'voice',
  'audio',
  'video',
  'video_note',
  'document',
  'sticker',
  'animation',
  'location',
  'contact',
  'poll',
] as const;
const Message = z.looseObject({
  message_id: z.number(),
  message_thread_id: z.number().optional(),
  is_topic_message: z.boolean().optional(),
  from: User.optional(),
  chat: Chat,
  date: z.number(),
  /** Each of these says that the text is somebody else's. */
  forward_origin: z.unknown().optional(),
  forward_date: z.number().optional(),
  via_bot: z.unknown().optional(),
  text: z.string().optional(),
  caption: z.string().optional(),
});
const Callback = z.object({ id: z.string(), from: User, data: z.string().optional(), message: Message.optional() });
const Update = z.object({ update_id: z.number(), message: Message.optional(), callback_query: Callback.optional() });

/** Updates we ask for; Telegram keeps the others to itself. */
export const ALLOWED_UPDATES = ['message', 'callback_query'] as const;

/** What a getUpdates answer holds for us, and the offset that confirms all of it: even what we cannot read must not come again. */
export function readUpdates(updates: readonly unknown[], offset: number): { readonly messages: InboundMessage[]; readonly offset: number } {
  const messages: InboundMessage[] = [];
  let next = offset;
  for (const raw of updates) {
    const id = z.object({ update_id: z.number() }).safeParse(raw);
    if (!id.success) continue;
    next = Math.max(next, id.data.update_id + 1);
    const update = Update.safeParse(raw);
    const message = update.success ? toMessage(update.data) : null;
    if (message) messages.push(message);
  }
  return { messages, offset: next };
}

function toMessage({ message, callback_query: callback }: z.infer<typeof Update>): InboundMessage | null {
  if (callback?.message) {
    const { chat, date, message_id: on } = callback.message;
    return {
      messageId: `callback:${callback.id}`,
      chat: addressOf(callback.message),
      isPrivate: chat.type === 'private',
      sender: senderOf(callback.from),
      text: '',
      callback: { id: callback.id, data: callback.data ?? '', on: String(on) },
      at: date * 1_000,
    };
  }
  if (!message?.from || message.from.is_bot) return null;
  const attachments = ATTACHMENTS.filter((kind) => message[kind] !== undefined);
  const text = message.text ?? message.caption ?? '';
  if (text === '' && attachments.length === 0) return null; // someone joined, a title changed
  return {
    messageId: `${message.chat.id}:${message.message_id}`,
    chat: addressOf(message),
    isPrivate: message.chat.type === 'private',
    sender: senderOf(message.from),
    text,
    ...(attachments.length > 0 && { attachments }),
    ...(isForeign(message) && { isForwarded: true }),
    at: message.date * 1_000,
  };
}

function isForeign({ forward_origin: origin, forward_date: date, via_bot: bot }: z.infer<typeof Message>): boolean {
  return origin !== undefined || date !== undefined || bot !== undefined;
}

function senderOf({ id, first_name: first, last_name: last, username }: z.infer<typeof User>): InboundMessage['sender'] {
  const name = [first, last].filter(Boolean).join(' ') || username || String(id);
  return { id: String(id), name: name.slice(0, 100) };
}

/** A topic of a forum is a chat of its own: `-100123/45`. */
function addressOf({ chat, message_thread_id: thread, is_topic_message: isTopic }: z.infer<typeof Message>): string {
  return isTopic && thread !== undefined ? `${chat.id}/${thread}` : String(chat.id);
}

/** The parameters of the Bot API for an address of ours. */
export function targetOf(address: string): { readonly chat_id: string | number; readonly message_thread_id?: number } {
  const [chat = '', thread] = address.split('/');
  return { chat_id: /^-?\d+$/.test(chat) ? Number(chat) : chat, ...(thread !== undefined && { message_thread_id: Number(thread) }) };
}
