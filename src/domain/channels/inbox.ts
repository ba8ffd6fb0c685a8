import { z } from 'zod';
import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { JobQueue } from '#core/db/queue';
import type { Db, Store } from '#core/db/store';
import { errorInfo } from '#core/errors';
import type { NewId } from '#core/ids';
import type { Service } from '#core/service';
import { isControl } from './dispatcher.ts';
import type { InboundMessage } from './kind.ts';
import { insertInbound, nextInbound, updateChannel, updateInbound, type InboundRow } from './queries.ts';

const QUEUE = 'channels.inbound';
const ATTEMPTS = 3;

type Lane = InboundRow['lane'];

/** A stored message on its way through. */
export interface Received {
  readonly id: string;
  readonly channel: string;
  readonly lane: Lane;
  readonly message: InboundMessage;
}

/**
 * received → handled | ignored (a stranger's, or not for us) | failed (three times; the sender is told)
 */
export interface Inbox {
  /** Stores messages and the cursor in one transaction; known ids are dropped. Resolves when it is on disk. */
  receive(channel: string, batch: { readonly messages: readonly InboundMessage[]; readonly cursor: string | null }): Promise<void>;
  /** Handles what was stored: in order within a lane of a chat, chats and lanes beside each other. */
  readonly service: Service;
}

/** `wrong_lane`: it looked like an answer, and is talk. `forgotten`: handled, and its text is not kept, for it held a code. */
export type Handled = 'handled' | 'ignored' | 'wrong_lane' | 'forgotten';

export interface InboxDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly queue: JobQueue;
  readonly newId: NewId;
  /** Contract: may be called again for the same message after a crash, and then repeats nothing. */
  readonly handle: (received: Received, signal: AbortSignal) => Promise<Handled>;
  /** A message failed for good: the sender should know. */
  readonly onFailed: (received: Received, error: Error) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export function createInbox({ store, clock, queue, newId, handle, onFailed, onError }: InboxDeps): Inbox {
  const wake = (tx: Db, channel: string, chat: string, lane: Lane, runAt?: number): Promise<void> =>
    queue.add(tx, {
      queue: QUEUE,
      id: `inbound:${channel}:${lane}:${chat}`,
      payload: { channel, chat, lane },
      ...(runAt !== undefined && { runAt }),
    });

  async function receive(
    channel: string,
    { messages, cursor }: { readonly messages: readonly InboundMessage[]; readonly cursor: string | null },
  ): Promise<void> {
    const now = clock.now();
    await store.write(async (tx) => {
      const fresh = new Map<string, { chat: string; lane: Lane }>();
      for (const message of messages) {
        const lane: Lane = isControl(message) ? 'control' : 'talk';
        const { messageId, chat, sender } = message;
        const row: InboundRow = {
          id: newId(),
          channel,
          message_id: messageId,
          chat,
          sender: sender.id,
          lane,
          payload: JSON.stringify(message),
          status: 'received',
          attempts: 0,
          error: null,
          received_at: now,
          ended_at: null,
        };
        if (await insertInbound(tx, row)) fresh.set(`${lane}:${chat}`, { chat, lane });
      }
      for (const { chat, lane } of fresh.values()) await wake(tx, channel, chat, lane);
      if (cursor !== null) await updateChannel(tx, channel, { cursor });
    });
  }

  /** True when the lane may go on with the next one. */
  async function work(row: InboundRow, signal: AbortSignal): Promise<boolean> {
    const attempts = row.attempts + 1;
    const received: Received = { id: row.id, channel: row.channel, lane: row.lane, message: JSON.parse(row.payload) as InboundMessage };
    await store.write((tx) => updateInbound(tx, row.id, { attempts }));
    try {
      if (attempts > ATTEMPTS) throw new Error('The program ended each time it worked on this message');
      const outcome = await handle(received, signal);
      if (outcome === 'wrong_lane') await move(row);
      else
        await end(row, {
          status: outcome === 'forgotten' ? 'handled' : outcome,
          ...(outcome !== 'handled' && { payload: withoutText(received.message) }),
        });
      return true;
    } catch (error) {
      if (signal.aborted) {
        await store.write((tx) => updateInbound(tx, row.id, { attempts: row.attempts })); // a stop is nobody's failure
        throw error;
      }
      onError(error);
      if (attempts >= ATTEMPTS) {
        await end(row, { status: 'failed', error: JSON.stringify(errorInfo(error)) });
        await onFailed(received, error as Error).catch(onError);
        return true;
      }
      await store.write((tx) => wake(tx, row.channel, row.chat, row.lane, clock.now() + 1_000 * attempts));
      return false;
    }
  }

  async function end(row: InboundRow, set: Partial<InboundRow>): Promise<void> {
    await store.write((tx) => updateInbound(tx, row.id, { ...set, ended_at: clock.now() }));
  }

  async function move(row: InboundRow): Promise<void> {
    await store.write(async (tx) => {
      await updateInbound(tx, row.id, { lane: 'talk', attempts: 0 });
      await wake(tx, row.channel, row.chat, 'talk');
    });
  }

  return {
    receive,
    service: {
      ...queue.worker(
        QUEUE,
        { concurrency: 32, maxAttempts: 100, backoffMs: (attempt) => Math.min(60_000, 1_000 * 2 ** attempt) },
        async (job, { signal }) => {
          const { channel, chat, lane } = Chat.parse(job.payload);
          for (;;) {
            signal.throwIfAborted();
            const row = await nextInbound(store.db, channel, chat, lane);
            if (!row || !(await work(row, signal))) return;
          }
        },
      ),
      name: 'inbound',
    },
  };
}

const Chat = z.object({ channel: z.string(), chat: z.string(), lane: z.enum(['control', 'talk']) });

/** What strangers say is not kept, nor a code. */
function withoutText(message: InboundMessage): string {
  const { callback: _, ...rest } = message;
  return JSON.stringify({ ...rest, text: '' });
}
