import { z } from 'zod';
import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { JobQueue } from '#core/db/queue';
import type { Db, Store } from '#core/db/store';
import { AppError, errorInfo } from '#core/errors';
import type { Redact } from '#core/redact';
import type { Service } from '#core/service';
import type { Receipt } from './contract.ts';
import { failureCode, isPassing, NotSent, outcomeUnknown } from './failure.ts';
import type { Button, ChannelKind, RenderedPart } from './kind.ts';
import type { OpenChannels } from './open-channels.ts';
import {
  findOutbound,
  insertOutbound,
  outboundsOf,
  partsOf,
  replaceParts,
  updateOutbound,
  type OutboundRow,
  type PartRow,
} from './queries.ts';
import { createSendRow, receipt } from './send-row.ts';
import type { Target, Targets } from './targets.ts';
import { createTurnstile } from './turnstile.ts';

const QUEUE = 'channels.send';

/** Something to say. */
export interface NewMessage {
  /** The same key is the same message: it is sent once, however often it is asked for. */
  readonly key: string;
  /** Markdown. */
  readonly text: string;
  /** Name or id of a channel; the default one when left out. */
  readonly channel?: string | undefined;
  /** The platform's id of a chat; every paired sender when left out. */
  readonly to?: string | undefined;
  readonly buttons?: readonly Button[] | undefined;
  /** The platform's id of the message it answers. */
  readonly replyTo?: string | undefined;
  /** Better twice than not at all. */
  readonly repeatable?: boolean | undefined;
  /** Not to the browser and terminal, which hear of it in another way. */
  readonly isAwayOnly?: boolean | undefined;
}

/** Messages out: kept, cut for the platform, sent once, with receipts. */
export interface Delivery {
  /**
   * Sends now. Throws `channel.outcome_unknown` when it may have arrived (asked again, it is sent again); any other
   * error has the name `EffectNotDone`, and asking again goes on where it stopped.
   */
  deliver(message: NewMessage, signal: AbortSignal): Promise<Receipt[]>;
  /** Like `deliver`, but a platform that is out of reach gets it later. */
  deliverPatiently(message: NewMessage, signal: AbortSignal): Promise<Receipt[]>;
  /** In the caller's transaction: sent after the commit, and until it is. Returns to how many chats. */
  post(tx: Db, message: NewMessage): Promise<number>;
  /** In the caller's transaction: replaces the text of a message wherever it went, as far as platforms can. */
  revise(tx: Db, key: string, text: string, buttons?: readonly Button[]): Promise<void>;
  /** What became of a message after a crash; asks nobody, and never repeats. */
  verify(key: string): Promise<Receipt[] | 'not_done' | 'unknown'>;
  /** A message whose text still grows; see `draft.ts`. */
  openDraft(
    message: Omit<NewMessage, 'text'> & { readonly channel: string; readonly to: string },
  ): Promise<{ readonly id: string; readonly kind: ChannelKind }>;
  finishDraft(id: string, text: string, signal: AbortSignal): Promise<Receipt>;
  /** Sends what was put off. */
  readonly service: Service;
}

export interface DeliveryDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly queue: JobQueue;
  readonly open: OpenChannels;
  readonly targets: Targets;
  readonly redact: Redact;
  /** A message to the owner did not arrive and will not. */
  readonly onLost: (message: { readonly key: string; readonly channel: string }, error: Error) => void;
}

export function createDelivery({ store, bus, clock, queue, open, targets, redact, onLost }: DeliveryDeps): Delivery {
  const turns = createTurnstile();
  const later = (tx: Db, id: string, runAt?: number): Promise<void> =>
    queue.add(tx, { queue: QUEUE, id: `send:${id}`, payload: { id }, ...(runAt !== undefined && { runAt }) });
  const sendRow = createSendRow({ store, bus, clock, open, later: (id, runAt) => store.write((tx) => later(tx, id, runAt)) });
  const send = (row: Pick<OutboundRow, 'id' | 'channel' | 'chat'>, signal: AbortSignal): Promise<Receipt> =>
    turns.pass(`${row.channel}:${row.chat}`, () => sendRow(row.id, signal));

  async function insert(tx: Db, message: NewMessage, { channel, kind, chat }: Target, status: 'draft' | 'open'): Promise<OutboundRow> {
    const row: OutboundRow = {
      id: `${message.key}>${channel.id}:${chat}`,
      key: message.key,
      channel: channel.id,
      chat,
      status,
      repeatable: message.repeatable ? 1 : 0,
      reply_to: message.replyTo ?? null,
      error: null,
      created_at: clock.now(),
      ended_at: null,
    };
    await insertOutbound(tx, row);
    await replaceParts(tx, row.id, partsFor(row, status === 'draft' ? [] : rendered(kind, redact(message.text)), message.buttons ?? []));
    return row;
  }

  /** The rows of a message, made on first sight: to whom it goes is decided once. */
  async function rowsFor(tx: Db, message: NewMessage, wanted: readonly Target[]): Promise<{ rows: OutboundRow[]; fresh: boolean }> {
    const known = await outboundsOf(tx, message.key);
    if (known.length > 0) return { rows: known, fresh: false };
    const rows: OutboundRow[] = [];
    for (const target of wanted) rows.push(await insert(tx, message, target, 'open'));
    return { rows, fresh: true };
  }

  async function deliver(message: NewMessage, signal: AbortSignal, isPatient: boolean): Promise<Receipt[]> {
    try {
      const wanted = (await outboundsOf(store.db, message.key)).length > 0 ? [] : await targets.of(message);
      const { rows } = await store.write((tx) => rowsFor(tx, message, wanted));
      const results = await Promise.allSettled(rows.map((row) => (isPatient ? sendOrLater(row, signal) : send(row, signal))));
      const failed = results.find((result) => result.status === 'rejected');
      if (failed) throw failed.reason;
      return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    } catch (error) {
      if (!(error instanceof AppError) || error.code === outcomeUnknown) throw error;
      throw new NotSent(error);
    }
  }

  async function sendOrLater(row: OutboundRow, signal: AbortSignal): Promise<Receipt> {
    try {
      return await send(row, signal);
    } catch (error) {
      if (!isPassing(error)) throw error;
      await store.write((tx) => later(tx, row.id, clock.now() + 2_000));
      return receipt(row, [], 'deferred');
    }
  }

  return {
    deliver: (message, signal) => deliver(message, signal, false),
    deliverPatiently: (message, signal) => deliver(message, signal, true),

    async post(tx, message) {
      const wanted = (await targets.of(message, tx)).filter(({ kind }) => !message.isAwayOnly || !kind.capabilities.local);
      const { rows, fresh } = await rowsFor(tx, message, wanted);
      if (fresh) for (const row of rows) await later(tx, row.id);
      return rows.length;
    },

    async revise(tx, key, text, buttons = []) {
      for (const row of await outboundsOf(tx, key)) {
        const kind = await targets.kindOf(row.channel, tx);
        const old = await partsOf(tx, row.id);
        const isSent = old.some((part) => part.message_id !== null);
        if (!kind || (isSent && !kind.capabilities.edit)) continue;
        await replaceParts(
          tx,
          row.id,
          over(old, partsFor(row, rendered(kind, redact(text)).slice(0, isSent ? old.length : undefined), buttons)),
        );
        await updateOutbound(tx, row.id, { status: 'open', ended_at: null });
        await later(tx, row.id);
      }
    },

    async verify(key) {
      const rows = await outboundsOf(store.db, key);
      const states = await Promise.all(rows.map(async (row) => ({ row, parts: await partsOf(store.db, row.id) })));
      const unsure = states.flatMap(({ row, parts }) =>
        row.repeatable === 1 ? [] : parts.filter(({ state }) => state === 'sending' || state === 'unknown'),
      );
      if (unsure.length > 0) {
        await store.write(async (tx) => {
          for (const { outbound } of unsure)
            await replaceParts(
              tx,
              outbound,
              (await partsOf(tx, outbound)).map((part) => (part.state === 'sending' ? { ...part, state: 'unknown' as const } : part)),
            );
        });
        return 'unknown';
      }
      return rows.length > 0 && rows.every((row) => row.status === 'sent')
        ? states.map(({ row, parts }) => receipt(row, parts, 'sent'))
        : 'not_done';
    },

    async openDraft(message) {
      const [target] = await targets.of(message);
      const known = await findOutbound(store.db, `${message.key}>${target!.channel.id}:${target!.chat}`);
      const row = known ?? (await store.write((tx) => insert(tx, { ...message, text: '' }, target!, 'draft')));
      return { id: row.id, kind: target!.kind };
    },

    async finishDraft(id, text, signal) {
      const row = (await findOutbound(store.db, id))!;
      const kind = (await targets.kindOf(row.channel))!;
      await store.write(async (tx) => {
        await replaceParts(tx, id, over(await partsOf(tx, id), partsFor(row, rendered(kind, redact(text)), [])));
        await updateOutbound(tx, id, { status: 'open' });
      });
      return sendOrLater(row, signal);
    },

    service: {
      ...queue.worker(
        QUEUE,
        {
          concurrency: 16,
          maxAttempts: 12,
          backoffMs: (attempt) => Math.min(300_000, 1_000 * 2 ** attempt),
          onDead: async (job, error) => {
            const row = await findOutbound(store.db, Put.parse(job.payload).id);
            if (row) await giveUp(row, error);
          },
        },
        async (job, { signal }) => {
          const row = await findOutbound(store.db, Put.parse(job.payload).id);
          if (!row || row.status === 'draft' || row.status === 'failed') return;
          try {
            await send(row, signal);
          } catch (error) {
            if (isPassing(error) || (failureCode(error) === outcomeUnknown && row.repeatable === 1)) throw error;
            if (signal.aborted) throw error;
            await giveUp(row, error as Error);
          }
        },
      ),
      name: 'send',
    },
  };

  async function giveUp(row: OutboundRow, error: Error): Promise<void> {
    await store.write((tx) =>
      updateOutbound(tx, row.id, { status: 'failed', error: JSON.stringify(errorInfo(error)), ended_at: clock.now() }),
    );
    onLost(row, error);
  }
}

const Put = z.object({ id: z.string() });

function rendered(kind: ChannelKind, text: string): readonly RenderedPart[] {
  const parts = kind.render(text);
  return parts.length > 0 ? parts : [{ text: '(empty)', plain: '(empty)' }];
}

/** Buttons hang on the last part. */
function partsFor(row: OutboundRow, parts: readonly RenderedPart[], buttons: readonly Button[]): PartRow[] {
  return parts.map(({ text, plain }, part) => ({
    outbound: row.id,
    part,
    text,
    plain,
    buttons: JSON.stringify(part === parts.length - 1 ? buttons : []),
    state: 'pending',
    channel: row.channel,
    chat: row.chat,
    message_id: null,
  }));
}

/** New texts in the place of messages that were sent already. */
function over(old: readonly PartRow[], parts: readonly PartRow[]): PartRow[] {
  return parts.map((part) => {
    const before = old[part.part];
    if (!before?.message_id) return part;
    const isSame = before.text === part.text && before.buttons === part.buttons && before.state === 'sent';
    return { ...part, message_id: before.message_id, state: isSame ? 'sent' : 'stale' };
  });
}
