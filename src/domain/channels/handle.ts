import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { Delivery, NewMessage } from './delivery.ts';
import { errorText, type Dispatcher } from './dispatcher.ts';
import { openDraft } from './draft.ts';
import { failureCode, outcomeUnknown } from './failure.ts';
import { readCode } from './factor-code.ts';
import type { Handled, Received } from './inbox.ts';
import { parseCommand } from './command.ts';
import type { OpenChannels } from './open-channels.ts';
import type { Pairing } from './pairing.ts';
import { findChannel, findSender, outboundsOf, updateChannel, upsertSender, type ChannelRow, type SenderRow } from './queries.ts';

/** How often the sign "is writing" is shown anew: Telegram takes it away after five seconds. */
const TYPING_EVERY_MS = 4_500;

/** What one says to an assistant, from a channel. */
export interface TalkRequest {
  readonly channel: { readonly id: string; readonly name: string; readonly kind: string };
  readonly chat: string;
  /** Only the two of us hear it. */
  readonly isPrivate: boolean;
  readonly sender: { readonly id: string; readonly name: string };
  readonly text: string;
  /** Somebody else's words, that the sender passed on. */
  readonly isForwarded: boolean;
  /** Ours: the same when it is asked again after a crash, and then the turn must not be taken twice. */
  readonly messageId: string;
  readonly signal: AbortSignal;
}

/** Answers talk: each value is the whole text so far, the last is the answer. */
export type Talk = (request: TalkRequest) => AsyncIterable<{ readonly text: string }>;

export interface HandleDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly open: OpenChannels;
  readonly delivery: Delivery;
  readonly pairing: Pairing;
  readonly dispatcher: Dispatcher;
  readonly talk: Talk;
  readonly onError: (error: unknown) => void;
}

/** What is done with one stored message: who is it, what is wanted, answer. Safe to repeat: each answer is keyed by the message. */
export function createHandle({ store, bus, clock, open, delivery, pairing, dispatcher, talk, onError }: HandleDeps) {
  return async (received: Received, signal: AbortSignal): Promise<Handled> => {
    const channel = await findChannel(store.db, received.channel);
    if (!channel) return 'ignored';
    const sender = await findSender(store.db, channel.id, received.message.sender.id);
    if (sender?.status !== 'paired') return stranger(received, sender);
    await heard(channel, sender, received);
    return forOwner(channel, received, signal);
  };

  /** A code, once, and nothing else: no stranger learns what this is or what it knows. */
  async function stranger({ id, channel, message }: Received, sender: SenderRow | undefined): Promise<Handled> {
    if (!message.isPrivate || message.callback || sender?.status === 'blocked') return 'ignored';
    const command = parseCommand(message.text);
    const code = command?.name === 'start' || command?.name === 'pair' ? command.argument : message.text.trim();
    await store.write(async (tx) => {
      if ((await outboundsOf(tx, `inbound:${id}`)).length > 0) return;
      const isIn = /^[A-Za-z0-9]{4}-?[A-Za-z0-9]{4}$/.test(code) && (await pairing.redeem(tx, channel, message, code));
      const text = isIn
        ? WELCOME
        : (await findSender(tx, channel, message.sender.id))?.status === 'blocked'
          ? null
          : await pairing.greet(tx, channel, message);
      if (text !== null) await delivery.post(tx, { key: `inbound:${id}`, text, channel, to: message.chat, repeatable: true });
    });
    return 'ignored';
  }

  async function heard(channel: ChannelRow, sender: SenderRow, { message }: Received): Promise<void> {
    const now = clock.now();
    await store.write(async (tx) => {
      await upsertSender(tx, { ...sender, name: message.sender.name, last_seen_at: now, ...(message.isPrivate && { chat: message.chat }) });
      await updateChannel(tx, channel.id, { last_heard_at: now });
    });
    bus.publish('channel.heard', { id: channel.id, sender: sender.sender, at: new Date(now).toISOString() });
  }

  async function forOwner(channel: ChannelRow, received: Received, signal: AbortSignal): Promise<Handled> {
    const { id, lane, message } = received;
    const reply: Omit<NewMessage, 'text'> & { channel: string; to: string } = {
      key: `inbound:${id}`,
      channel: channel.id,
      to: message.chat,
      ...(!message.isPrivate && { replyTo: message.messageId }),
    };
    const [earlier] = await outboundsOf(store.db, reply.key);
    if (earlier && earlier.status !== 'draft') {
      if (earlier.status === 'open') await settled(delivery.deliverPatiently({ ...reply, text: '' }, signal));
      return readCode(message.text) === null ? 'handled' : 'forgotten'; // a crash came between the answer and this line
    }
    const origin = { id, channel: channel.id, kind: channel.kind, account: channel.account };
    const wish = await dispatcher.dispatch(message, origin, signal).catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error;
      return { do: 'reply' as const, text: errorText(error), forget: false };
    });
    if (wish.do === 'ignore') return 'ignored';
    if (wish.do === 'toast') await acknowledge(channel.id, message.callback!.id, wish.toast, signal);
    else if (wish.do === 'reply') await settled(delivery.deliverPatiently({ ...reply, text: wish.text }, signal));
    else if (lane === 'control') return 'wrong_lane';
    else await answer(channel, received, reply, signal);
    return wish.do === 'reply' && wish.forget ? 'forgotten' : 'handled';
  }

  async function answer(
    channel: ChannelRow,
    { id, message }: Received,
    reply: { key: string; channel: string; to: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { chat, isPrivate, sender, text, isForwarded = false } = message;
    const typing = new AbortController();
    void showTyping(channel.id, chat, AbortSignal.any([signal, typing.signal]));
    try {
      const draft = await openDraft({ store, clock, open, delivery }, reply, signal);
      let whole = '';
      try {
        for await (const stage of talk({
          channel: { id: channel.id, name: channel.name, kind: channel.kind },
          chat,
          isPrivate,
          sender,
          text,
          isForwarded,
          messageId: id,
          signal,
        })) {
          whole = stage.text;
          draft.update(whole);
        }
      } catch (error) {
        if (!(error instanceof AppError) || signal.aborted) throw error;
        whole = whole === '' ? errorText(error) : `${whole}\n\n${errorText(error)}`;
      }
      await settled(draft.finish(whole));
    } finally {
      typing.abort();
    }
  }

  async function showTyping(channelId: string, chat: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await open
        .find(channelId)
        ?.connection.showTyping?.(chat, signal)
        .catch(() => {});
      await clock.sleep(TYPING_EVERY_MS, signal).catch(() => {});
    }
  }

  async function acknowledge(channelId: string, callbackId: string, toast: string, signal: AbortSignal): Promise<void> {
    await open.find(channelId)?.connection.acknowledge?.(callbackId, toast, signal).catch(onError); // too old to be told: no harm
  }

  /** An answer that may or may not have arrived is not sent twice, and one that the platform refuses is not asked again. */
  async function settled(sending: Promise<unknown>): Promise<void> {
    await sending.catch((error: unknown) => {
      const code = failureCode(error);
      if (code !== outcomeUnknown && code !== 'channel.refused' && code !== 'channel.blocked' && code !== 'channel.unauthorized')
        throw error;
      onError(error);
    });
  }
}

const WELCOME = 'This chat is yours now. Talk to me, or send /help.';
