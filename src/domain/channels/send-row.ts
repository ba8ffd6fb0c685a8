import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import { AppError, errorInfo } from '#core/errors';
import { parseJson } from '#core/json';
import { z } from 'zod';
import type { Receipt } from './contract.ts';
import { failureCode, isPassing, outcomeUnknown, retryAfterMs } from './failure.ts';
import { linger } from './linger.ts';
import type { OutgoingMessage } from './kind.ts';
import type { OpenChannel, OpenChannels } from './open-channels.ts';
import { findOutbound, partsOf, updateOutbound, updatePart, type OutboundRow, type PartRow } from './queries.ts';

/** A platform's wish to wait is met on the spot up to this long; beyond, the job queue remembers. */
const LONGEST_WAIT_MS = 30_000;

export interface SendRowDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly open: OpenChannels;
  /** In a transaction: sends the rest of a row at that time. */
  readonly later: (outbound: string, runAt: number) => Promise<void>;
}

/** Sends what is left of one message to one chat; the caller sees to it that nobody else does so at the same time. */
export type SendRow = (outbound: string, signal: AbortSignal) => Promise<Receipt>;

/**
 * pending → sending → sent → stale (its text was replaced) → sent
 *              ├─ surely not sent → pending
 *              └─ who knows → unknown ─(asked again)→ sending
 * Each part is written down before and after, so that a crash after the second of five goes on with the third. One found
 * `sending` after a crash may have arrived: it is not repeated unless the platform knows its key or the message is repeatable.
 */
export function createSendRow({ store, bus, clock, open, later }: SendRowDeps): SendRow {
  return async (outbound, signal) => {
    const row = (await findOutbound(store.db, outbound))!;
    const parts = await partsOf(store.db, outbound);
    if (row.status === 'sent') return receipt(row, parts, 'sent');
    const channel = await open.get(row.channel, signal);
    const sent: PartRow[] = [];
    for (const part of parts) {
      const state = await settle(part, row, channel, signal);
      if (state === 'later') return receipt(row, [...sent, ...parts.slice(sent.length)], 'deferred');
      sent.push(state);
    }
    await store.write((tx) => updateOutbound(tx, row.id, { status: 'sent', error: null, ended_at: clock.now() }));
    return receipt(row, sent, 'sent');
  };

  async function settle(part: PartRow, row: OutboundRow, channel: OpenChannel, signal: AbortSignal): Promise<PartRow | 'later'> {
    if (part.state === 'sent') return part;
    const isRepeatable = row.repeatable === 1 || channel.kind.capabilities.idempotent;
    if (part.state === 'sending' && !isRepeatable) {
      await mark(part, { state: 'unknown' });
      throw new AppError(
        'unavailable',
        outcomeUnknown,
        'The program stopped while it sent this message; it is not known whether it arrived',
        { key: row.key },
      );
    }
    for (let waitedMs = 0; ;) {
      try {
        return await linger(signal, clock, (late) =>
          part.state === 'stale' ? revise(part, row, channel, late) : send(part, row, channel, late),
        );
      } catch (error) {
        const code = failureCode(error);
        await mark(part, {
          state: part.state === 'stale' ? 'stale' : code === outcomeUnknown || !(error instanceof AppError) ? 'unknown' : 'pending',
        });
        const waitMs = retryAfterMs(error);
        if (waitMs === null) {
          const isOver = !isPassing(error) && code !== outcomeUnknown;
          await store.write((tx) =>
            updateOutbound(tx, row.id, {
              error: JSON.stringify(errorInfo(error)),
              ...(isOver && { status: 'failed', ended_at: clock.now() }),
            }),
          );
          throw error;
        }
        if (waitedMs + waitMs > LONGEST_WAIT_MS) {
          await later(row.id, clock.now() + waitMs);
          return 'later';
        }
        await clock.sleep(waitMs, signal);
        waitedMs += waitMs;
      }
    }
  }

  async function send(part: PartRow, row: OutboundRow, channel: OpenChannel, signal: AbortSignal): Promise<PartRow> {
    await mark(part, { state: 'sending' });
    const { messageId } = await channel.connection.send(outgoing(part, row), signal);
    await mark(part, { state: 'sent', message_id: messageId });
    if (channel.kind.capabilities.local) bus.publish('channel.delivered', { id: channel.id, chat: row.chat, messageId, text: part.text });
    return { ...part, state: 'sent', message_id: messageId };
  }

  async function revise(part: PartRow, row: OutboundRow, channel: OpenChannel, signal: AbortSignal): Promise<PartRow> {
    try {
      await channel.connection.edit?.(part.message_id!, outgoing(part, row), signal);
    } catch (error) {
      const code = failureCode(error);
      // setting a text twice is setting it once
      if (code === outcomeUnknown) throw new AppError('unavailable', 'channel.unreachable', (error as Error).message, {}, error);
      if (code !== 'channel.refused') throw error;
      if (row.repeatable === 0) return send(part, row, channel, signal); // they deleted the first words; the answer still matters
    }
    await mark(part, { state: 'sent' });
    return { ...part, state: 'sent' };
  }

  async function mark(part: PartRow, set: Partial<PartRow>): Promise<void> {
    await store.write((tx) => updatePart(tx, part.outbound, part.part, set));
  }
}

const Buttons = z.array(z.object({ label: z.string(), data: z.string() }));

function outgoing(part: PartRow, row: OutboundRow): OutgoingMessage {
  return {
    key: `${row.id}#${part.part}`,
    chat: row.chat,
    part: { text: part.text, plain: part.plain },
    buttons: parseJson(part.buttons, Buttons, 'the buttons of a message'),
    replyTo: part.part === 0 ? row.reply_to : null,
  };
}

export function receipt(row: OutboundRow, parts: readonly PartRow[], status: Receipt['status']): Receipt {
  return { channel: row.channel, chat: row.chat, status, messageIds: parts.flatMap(({ message_id: id }) => (id === null ? [] : [id])) };
}
