import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import type { Receipt } from './contract.ts';
import type { Delivery } from './delivery.ts';
import { retryAfterMs } from './failure.ts';
import type { OpenChannels } from './open-channels.ts';
import { findOutbound, partsOf, replaceParts } from './queries.ts';

const EDIT_EVERY_MS = 1_000;
/** A first glimpse of two words helps nobody. */
const FIRST_AFTER_CHARS = 40;

export interface NewDraft {
  readonly key: string;
  readonly channel: string;
  readonly to: string;
  readonly replyTo?: string;
}

/** An answer that is shown while it is written: sent once, then edited. */
export interface Draft {
  /** The whole text so far. Returns at once: a slow platform sees fewer stages, the writer is never held up. */
  update(text: string): void;
  finish(text: string): Promise<Receipt>;
}

export interface DraftDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly open: OpenChannels;
  readonly delivery: Delivery;
}

export async function openDraft({ store, clock, open, delivery }: DraftDeps, draft: NewDraft, signal: AbortSignal): Promise<Draft> {
  const { id, kind } = await delivery.openDraft(draft);
  let showing: Promise<void> | null = null;
  let nextAt = 0;
  let shown = '';

  async function show(text: string): Promise<void> {
    const row = (await findOutbound(store.db, id))!;
    const [before] = await partsOf(store.db, id);
    const [part] = kind.render(text);
    if (!part || part.text === shown) return;
    const { connection } = await open.get(row.channel, signal);
    const message = { key: `${id}#draft`, chat: row.chat, part, buttons: [], replyTo: row.reply_to };
    if (before?.message_id) await connection.edit!(before.message_id, message, signal);
    else {
      const { messageId } = await connection.send(message, signal);
      const saved = {
        outbound: id,
        part: 0,
        text: part.text,
        plain: part.plain,
        buttons: '[]',
        state: 'sent' as const,
        channel: row.channel,
        chat: row.chat,
        message_id: messageId,
      };
      await store.write((tx) => replaceParts(tx, id, [saved]));
    }
    shown = part.text;
  }

  return {
    update(text) {
      if (showing || !kind.capabilities.edit || clock.now() < nextAt || text.length < FIRST_AFTER_CHARS) return;
      nextAt = clock.now() + EDIT_EVERY_MS;
      showing = show(text)
        .catch((error: unknown) => {
          nextAt = clock.now() + Math.max(5_000, retryAfterMs(error) ?? 0); // the final text matters, a stage of it does not
        })
        .finally(() => {
          showing = null;
        });
    },
    async finish(text) {
      await showing;
      return delivery.finishDraft(id, text, signal);
    },
  };
}
