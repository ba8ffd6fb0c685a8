import type { Agents } from './agents.ts';
import { failureOf } from './turns.ts';

/** What one says in a chat of a channel. */
export interface Said {
  readonly channel: { readonly id: string };
  readonly chat: string;
  /** Only the owner hears it. */
  readonly isPrivate: boolean;
  readonly text: string;
  /** Somebody else's words, that the owner passed on. */
  readonly isForwarded: boolean;
  /** The same when it is asked again after a crash: the turn is then not taken twice. */
  readonly messageId: string;
  readonly signal: AbortSignal;
}

/** Answers talk of channels: each value is the whole text so far. Throws what a failed turn failed of, and the signal's reason. */
export function createTalk({
  conversations,
  turns,
}: Pick<Agents, 'conversations' | 'turns'>): (said: Said) => AsyncIterable<{ readonly text: string }> {
  return async function* talk({ channel, chat, isPrivate, text, isForwarded, messageId, signal }) {
    const { id: conversationId } = await conversations.ofChat(channel.id, chat, isPrivate);
    const origin = { kind: 'channel' as const, id: messageId, by: `channel:${channel.id}` };
    let whole = '';
    const labels = [isForwarded ? ('untrusted' as const) : ('owner' as const)];
    for await (const { data } of turns.turn({ conversationId, text, origin, labels, idempotencyKey: messageId, signal })) {
      if (data.type === 'text') yield { text: (whole += data.text) };
      if (data.type !== 'end') continue;
      const { status, message, error } = data;
      if (status === 'failed') throw failureOf(error, message);
      return yield { text: status === 'cancelled' ? `${message.text}\n\n(Stopped.)`.trim() : message.text };
    }
    throw signal.reason as Error;
  };
}
