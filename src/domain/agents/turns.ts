import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import type { StreamEvent } from '#core/endpoint';
import { AppError, errorInfo, type ErrorInfo } from '#core/errors';
import type { Service } from '#core/service';
import type { Label, TriggerRef } from '#runs/contract';
import type { Message, TurnEvent, TurnStatus } from './contract.ts';
import { requireConversation } from './conversations.ts';
import { interrupted } from './drive.ts';
import { createLanes } from './lane.ts';
import { createLiveTurn, type EndEvent, type LiveTurn } from './live-turn.ts';
import * as queries from './queries.ts';
import type { TurnRow } from './tables.ts';
import { partsAfter } from './transcript.ts';
import type { TurnRecord } from './turn-record.ts';

/** How often one looks after a turn that another process drives. */
const LOOK_EVERY_MS = 500;
/** A cancelled turn is waited for so long before its canceller is answered. */
const CANCEL_WAIT_MS = 2_000;

export interface NewTurn {
  readonly conversationId: string;
  readonly text: string;
  /** What caused it, for the run: the owner, a token, a channel's message. */
  readonly origin: TriggerRef;
  /** `owner` when left out. */
  readonly labels?: readonly Label[];
  /** A second one with the same key, in the same conversation, is the first one. */
  readonly idempotencyKey?: string | undefined;
}

/** A turn that was accepted: it is on disk, and goes on whether or not anybody listens. */
export interface Accepted {
  readonly runId: string;
  readonly conversationId: string;
  readonly answerId: string;
}

export interface WholeTurn {
  readonly runId: string;
  readonly status: TurnStatus;
  readonly message: Message;
}

/** Talk: one turn at a time in each conversation, the others wait in their order. */
export interface Turns {
  /** Resolves when the message is durable. */
  start(turn: NewTurn): Promise<Accepted>;
  /** Starts a turn and follows it. The signal ends the reading, never the turn: that is what `cancel` does. */
  turn(turn: NewTurn & { readonly signal: AbortSignal }): AsyncIterable<StreamEvent<TurnEvent>>;
  /** Another answer to the last message. */
  retry(conversationId: string, origin: TriggerRef): Promise<Accepted>;
  /** From the start, or from after the event with this id; ends quietly with the signal. */
  follow(
    turn: Accepted,
    options: { readonly after?: string | undefined; readonly signal: AbortSignal },
  ): AsyncIterable<StreamEvent<TurnEvent>>;
  find(conversationId: string, runId: string): Promise<Accepted>;
  /** Waits for the end; throws what a failed turn failed of. */
  whole(turn: Accepted, signal: AbortSignal): Promise<WholeTurn>;
  /** Stops what runs and what waits, or the turn of this run; resolves with the runs that were stopped. */
  cancel(conversationId: string, runId?: string): Promise<string[]>;
  /** Fails what a crash cut off, keeping what had arrived, and goes on with what had not begun. */
  recover(): Promise<void>;
  /** Recovers at its start; at its end stops what runs. */
  readonly service: Service;
}

export interface TurnsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly record: TurnRecord;
  readonly drive: (live: LiveTurn) => Promise<void>;
  readonly node: string;
  /** Takes secrets out of what is said, before it is stored. */
  readonly redact: (text: string) => string;
  /** Whether it is a code of the owner's second factor, which is neither stored nor shown to a model. */
  readonly isCode: (text: string) => Promise<boolean>;
  readonly onError: (what: string, error: unknown) => void;
}

export function createTurns({ store, clock, record, drive, node, redact, isCode, onError }: TurnsDeps): Turns {
  const lives = new Map<string, LiveTurn>();
  const lanes = createLanes();
  const work = new Set<Promise<void>>();
  let isClosing = false;

  function schedule(row: TurnRow): void {
    if (isClosing || lives.has(row.run_id)) return; // a turn that is not begun waits for the next start
    const live = createLiveTurn(row);
    lives.set(row.run_id, live);
    const job = lanes
      .pass(row.conversation_id, async () => {
        if (await begin(live)) await drive(live);
      })
      .catch((error: unknown) => {
        onError('A turn could not be driven', error);
        return fallBack(live, errorInfo(error));
      })
      .finally(() => {
        lives.delete(row.run_id);
        live.wake();
        work.delete(job);
      });
    work.add(job);
  }

  /** False when it was stopped while it waited. */
  async function begin(live: LiveTurn): Promise<boolean> {
    while (!live.signal.aborted) {
      const state = await record.begin(live.row);
      if (state !== 'wait') return state === 'begun';
      await clock.sleep(LOOK_EVERY_MS, live.signal).catch(() => {}); // an earlier one runs in another process
    }
    return false;
  }

  /** The last resort: the store may be the very thing that failed. */
  async function fallBack(live: LiveTurn, error: ErrorInfo): Promise<void> {
    const end = await record.close(live.row, 'running', { status: 'failed', parts: live.transcript.parts, error }).catch(() => null);
    if (end) live.finish(end);
  }

  const accepted = ({ run_id: runId, conversation_id: conversationId, answer_id: answerId }: TurnRow): Accepted => ({
    runId,
    conversationId,
    answerId,
  });

  async function start({ conversationId, text, origin, labels = ['owner'], idempotencyKey }: NewTurn): Promise<Accepted> {
    if (text.trim() === '') throw new AppError('invalid', 'agent.empty_message', 'text: say something', { field: 'text' });
    if (await isCode(text))
      throw new AppError(
        'invalid',
        'agent.code_in_chat',
        'text: that looks like a code of your second factor. It was not kept: give it to the question that asks for it',
        { field: 'text' },
      );
    const clean = redact(text);
    const key = idempotencyKey === undefined ? {} : { idempotencyKey: `turn:${conversationId}:${idempotencyKey}` };
    const { turn, existed } = await store.write(async (tx) =>
      record.open(tx, await requireConversation(tx, conversationId), { text: clean, origin, labels, ...key }),
    );
    if (!existed) schedule(turn);
    return accepted(turn);
  }

  async function retry(conversationId: string, origin: TriggerRef): Promise<Accepted> {
    const turn = await store.write(async (tx) => {
      await requireConversation(tx, conversationId);
      const last = await queries.lastTurn(tx, conversationId);
      if (!last) throw new AppError('conflict', 'agent.nothing_to_retry', 'Nothing was said here yet', { conversationId });
      if (last.status === 'queued' || last.status === 'running')
        throw new AppError('conflict', 'agent.conversation_busy', 'The last message is being answered still: wait, or cancel it first', {
          conversationId,
        });
      return record.reopen(tx, last, { ...origin, id: origin.id ?? last.run_id });
    });
    schedule(turn);
    return accepted(turn);
  }

  async function rowOf({ runId, conversationId }: Pick<Accepted, 'runId' | 'conversationId'>): Promise<TurnRow> {
    const row = await queries.findTurn(store.db, runId);
    if (row?.conversation_id !== conversationId)
      throw new AppError('not_found', 'agent.no_turn', 'No such turn in this conversation', { runId, conversationId });
    return row;
  }

  async function* follow(
    turn: Accepted,
    { after, signal }: { readonly after?: string | undefined; readonly signal: AbortSignal },
  ): AsyncIterable<StreamEvent<TurnEvent>> {
    const row = await rowOf(turn);
    const id = (place: number | 'end'): string => `${row.answer_id}-${place}`;
    const from = after === undefined ? null : placeIn(after, row.answer_id);
    if (from === 'end') return;
    let place = from ?? 0;
    if (from === null) {
      const { ask } = await record.read(row);
      yield { id: id(0), event: 'start', data: { type: 'start', runId: row.run_id, ask, answerId: row.answer_id } };
    }
    while (!signal.aborted) {
      const live = lives.get(row.run_id);
      const changed = live?.changed();
      const { parts, end } = live ? { parts: live.transcript.parts, end: live.end } : await record.read(row);
      for (const it of partsAfter(parts, place)) {
        place = it.end;
        yield { id: id(place), event: it.part.type, data: it.part };
      }
      if (end) return yield { id: id('end'), event: 'end', data: end };
      if (changed) await untilAborted(changed, signal);
      else await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {});
    }
  }

  async function whole(turn: Accepted, signal: AbortSignal): Promise<WholeTurn> {
    let end: EndEvent | null = null;
    for await (const { data } of follow(turn, { signal })) if (data.type === 'end') end = data;
    if (!end) throw signal.reason as Error;
    if (end.status === 'failed') throw failureOf(end.error, turn);
    return { runId: turn.runId, status: end.status, message: end.message };
  }

  async function cancel(conversationId: string, runId?: string): Promise<string[]> {
    await requireConversation(store.db, conversationId);
    const open = (await queries.openTurns(store.db, conversationId)).filter((row) => runId === undefined || row.run_id === runId);
    const stopped = await Promise.all(open.toReversed().map(cancelOne)); // the last first, so that none begins meanwhile
    return stopped.filter((id) => id !== null).toReversed();
  }

  async function cancelOne(row: TurnRow): Promise<string | null> {
    const live = lives.get(row.run_id);
    live?.stop('cancelled');
    const end = await record.close(row, 'queued', { status: 'cancelled' });
    if (end) live?.finish(end);
    if (!end && !live) return null; // another process drives it, or it has just ended
    const waiting = new AbortController();
    await Promise.race([live?.done, clock.sleep(CANCEL_WAIT_MS, waiting.signal).catch(() => {})]);
    waiting.abort();
    return !end && live?.end && live.end.status !== 'cancelled' ? null : row.run_id;
  }

  async function recover(): Promise<void> {
    for (const row of await queries.openTurnsOfNode(store.db, node)) {
      if (lives.has(row.run_id)) continue;
      if (row.status === 'queued') schedule(row);
      else await record.close(row, 'running', { status: 'failed', error: interrupted(), outcome: 'interrupted' });
    }
  }

  const service: Service = {
    name: 'turns',
    async start() {
      isClosing = false;
      await recover();
      return {
        async stop() {
          isClosing = true;
          for (const live of lives.values()) live.stop('closing');
          await Promise.all(work);
        },
        health: () => ({ ok: true, detail: `${lives.size} going on` }),
      };
    },
  };

  return {
    start,
    retry,
    follow,
    whole,
    cancel,
    recover,
    service,
    find: async (conversationId, runId) => accepted(await rowOf({ conversationId, runId })),
    async *turn({ signal, ...turn }) {
      yield* follow(await start(turn), { signal });
    },
  };
}

/** The place that an event id names; ids of other answers are refused. */
function placeIn(eventId: string, answerId: string): number | 'end' {
  const place = eventId.startsWith(`${answerId}-`) ? eventId.slice(answerId.length + 1) : '';
  if (place === 'end') return place;
  if (!/^\d{1,9}$/.test(place))
    throw new AppError('invalid', 'agent.bad_event_id', 'Last-Event-ID: this is no event of this turn', { eventId });
  return Number(place);
}

async function untilAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const leave = (): void => aborted.resolve();
  signal.addEventListener('abort', leave, { once: true });
  await Promise.race([wait, aborted.promise]);
  signal.removeEventListener('abort', leave);
}

/** What a turn failed of, for those who asked for the whole answer. */
export function failureOf(error: ErrorInfo | null, { runId }: Pick<Accepted, 'runId'>): AppError {
  const kind = error === null || error.kind === 'internal' || error.kind === 'cancelled' ? 'unavailable' : error.kind;
  return new AppError(kind, 'agent.turn_failed', error?.message ?? 'The turn failed', { runId, cause: error?.code ?? 'internal' });
}
