import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { SearchIndex } from '#core/db/search';
import type { Db, Store } from '#core/db/store';
import type { ErrorInfo } from '#core/errors';
import type { NewId } from '#core/ids';
import type { Runs } from '#runs';
import type { Label, TriggerRef } from '#runs/contract';
import type { AnswerPart, ContextBlock, Message, Receipt, TurnStatus } from './contract.ts';
import type { EndEvent } from './live-turn.ts';
import * as queries from './queries.ts';
import { toMessage } from './rows.ts';
import type { ConversationRow, MessageRow, TurnRow } from './tables.ts';
import { textOf } from './transcript.ts';

const TITLE_CHARS = 60;

/** What is written of turns, each change one transaction: message, turn, run and index agree after any crash. */
export interface TurnRecord {
  /** Stores what was said and opens its turn. A known key gives the turn of then. */
  open(tx: Db, conversation: ConversationRow, ask: NewAsk): Promise<{ readonly turn: TurnRow; readonly existed: boolean }>;
  /** Opens another turn for a message that was said before. */
  reopen(tx: Db, last: TurnRow, origin: TriggerRef): Promise<TurnRow>;
  /** Makes a waiting turn the running one of its conversation, when it is its turn. */
  begin(turn: TurnRow): Promise<'begun' | 'wait' | 'gone'>;
  /** What goes to the model, and the labels that its answer therefore has: before the first word of it, so that no crash takes them off. */
  keepContext(turn: TurnRow, context: readonly ContextBlock[], labels: readonly Label[]): Promise<void>;
  /** The model has seen more since: the labels that its answer has from now on. */
  taint(turn: TurnRow, labels: readonly Label[]): Promise<void>;
  /** What has arrived of an answer so far. */
  keep(answerId: string, parts: readonly AnswerPart[]): Promise<void>;
  /** Ends a turn that has the status `from`; null when it no longer has. */
  close(turn: TurnRow, from: 'queued' | 'running', ending: Ending): Promise<EndEvent | null>;
  /** How it ended, when it is over; and what there is of the answer. */
  read(turn: TurnRow): Promise<{ readonly ask: Message; readonly parts: readonly AnswerPart[]; readonly end: EndEvent | null }>;
}

export interface NewAsk {
  readonly text: string;
  readonly labels: readonly Label[];
  readonly origin: TriggerRef;
  readonly idempotencyKey?: string;
}

export interface Ending {
  readonly status: Exclude<TurnStatus, 'queued' | 'running'>;
  /** Left out: what is stored stays. */
  readonly parts?: readonly AnswerPart[];
  readonly receipt?: Receipt | null;
  readonly error?: ErrorInfo | null;
  readonly costUsd?: number;
  /** `stop`, `length`, `halted`, … */
  readonly outcome?: string;
}

export interface TurnRecordDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly runs: Pick<Runs, 'create' | 'change' | 'journal' | 'addCost'>;
  readonly index: SearchIndex;
  readonly node: string;
}

const MESSAGE_STATUS = { succeeded: 'complete', cancelled: 'partial', failed: 'failed' } as const;

export function createTurnRecord({ store, bus, clock, newId, runs, index, node }: TurnRecordDeps): TurnRecord {
  function tellAfter(turn: TurnRow, status: TurnStatus): void {
    store.onCommit(() =>
      bus.publish('turn.changed', { conversationId: turn.conversation_id, runId: turn.run_id, answerId: turn.answer_id, status }),
    );
  }

  function newMessage(fields: Pick<MessageRow, 'id' | 'conversation_id' | 'run_id' | 'role' | 'status'> & Partial<MessageRow>): MessageRow {
    return {
      text: '',
      context: '[]',
      parts: '[]',
      reply_to: null,
      receipt: null,
      labels: '[]',
      error: null,
      created_at: clock.now(),
      ...fields,
    };
  }

  async function addTurn(tx: Db, conversationId: string, runId: string, askId: string): Promise<TurnRow> {
    const turn: TurnRow = {
      run_id: runId,
      conversation_id: conversationId,
      ask_id: askId,
      answer_id: newId(),
      node,
      status: 'queued',
      created_at: clock.now(),
    };
    await queries.insertTurn(tx, turn);
    await queries.insertMessage(
      tx,
      newMessage({
        id: turn.answer_id,
        conversation_id: conversationId,
        run_id: runId,
        role: 'assistant',
        reply_to: askId,
        status: 'partial',
      }),
    );
    tellAfter(turn, 'queued');
    return turn;
  }

  async function label(tx: Db, { ask_id: askId, answer_id: answerId, run_id: runId }: TurnRow, labels: readonly Label[]): Promise<void> {
    const ask = (await queries.findMessage(tx, askId))!;
    await queries.updateMessage(tx, answerId, { labels: JSON.stringify(labels) });
    await runs.change(tx, runId, { labels: JSON.stringify([...new Set([...(JSON.parse(ask.labels) as Label[]), ...labels])]) });
  }

  async function endOf(db: Db, turn: TurnRow): Promise<EndEvent> {
    const row = (await queries.findMessage(db, turn.answer_id))!;
    const message = toMessage(row, turn.status);
    return { type: 'end', status: turn.status, message, receipt: message.receipt, error: message.error };
  }

  return {
    async open(tx, conversation, { text, labels, origin, idempotencyKey }) {
      const askId = newId();
      const title = titleOf(text);
      const { run, existed } = await runs.create(tx, {
        kind: 'turn',
        title: conversation.title || title,
        trigger: origin,
        input: { conversationId: conversation.id, messageId: askId },
        labels,
        ...(idempotencyKey !== undefined && { idempotencyKey }),
      });
      if (existed) return { turn: (await queries.findTurn(tx, run.id))!, existed };
      const ask = newMessage({
        id: askId,
        conversation_id: conversation.id,
        run_id: run.id,
        role: 'user',
        text,
        labels: JSON.stringify(labels),
        status: 'complete',
      });
      await queries.insertMessage(tx, ask);
      await putInIndex(tx, index, conversation.workspace_id, ask);
      await queries.updateConversation(tx, conversation.id, {
        updated_at: clock.now(),
        archived: 0,
        ...(conversation.title === '' && { title }),
      });
      store.onCommit(() => bus.publish('conversation.changed', { id: conversation.id, change: 'changed' }));
      return { turn: await addTurn(tx, conversation.id, run.id, askId), existed };
    },

    async reopen(tx, last, origin) {
      const ask = (await queries.findMessage(tx, last.ask_id))!;
      const { run } = await runs.create(tx, {
        kind: 'turn',
        title: titleOf(ask.text),
        trigger: origin,
        input: { conversationId: last.conversation_id, messageId: ask.id },
        labels: JSON.parse(ask.labels) as Label[],
      });
      await runs.journal(run.id, 'turn.retry', null, { of: last.run_id }, tx);
      return addTurn(tx, last.conversation_id, run.id, last.ask_id);
    },

    begin: (turn) =>
      store.write(async (tx) => {
        const open = await queries.openTurns(tx, turn.conversation_id);
        if (!open.some((it) => it.run_id === turn.run_id)) return 'gone';
        if (open[0]!.run_id !== turn.run_id) return 'wait';
        await queries.moveTurn(tx, turn.run_id, 'queued', 'running');
        await runs.change(tx, turn.run_id, { status: 'running', started_at: clock.now() });
        tellAfter(turn, 'running');
        return 'begun';
      }),

    async keepContext(turn, context, labels) {
      await store.write(async (tx) => {
        await queries.updateMessage(tx, turn.ask_id, { context: JSON.stringify(context) });
        await label(tx, turn, labels);
      });
    },

    taint: (turn, labels) => store.write((tx) => label(tx, turn, labels)),

    async keep(answerId, parts) {
      await store.write((tx) => queries.updateMessage(tx, answerId, { text: textOf(parts), parts: JSON.stringify(parts) }));
    },

    close: (turn, from, { status, parts, receipt = null, error = null, costUsd = 0, outcome = status }) =>
      store.write(async (tx) => {
        if (!(await queries.moveTurn(tx, turn.run_id, from, status))) return null;
        await queries.updateMessage(tx, turn.answer_id, {
          status: MESSAGE_STATUS[status],
          receipt: receipt && JSON.stringify(receipt),
          error: error && JSON.stringify(error),
          ...(parts && { text: textOf(parts), parts: JSON.stringify(parts) }),
        });
        const answer = (await queries.findMessage(tx, turn.answer_id))!;
        const conversation = await queries.findConversation(tx, turn.conversation_id);
        if (conversation && answer.text !== '') await putInIndex(tx, index, conversation.workspace_id, answer);
        await queries.updateConversation(tx, turn.conversation_id, { updated_at: clock.now() });
        if (costUsd > 0) await runs.addCost(tx, turn.run_id, null, costUsd);
        await runs.change(tx, turn.run_id, {
          status,
          outcome,
          ended_at: clock.now(),
          output: JSON.stringify({ messageId: turn.answer_id }),
          error: error && JSON.stringify(error),
        });
        tellAfter(turn, status);
        store.onCommit(() => bus.publish('conversation.changed', { id: turn.conversation_id, change: 'changed' }));
        return endOf(tx, { ...turn, status });
      }),

    async read(turn) {
      const now = (await queries.findTurn(store.db, turn.run_id)) ?? turn;
      const [ask, end] = await Promise.all([queries.findMessage(store.db, turn.ask_id), endOf(store.db, now)]);
      const isOver = now.status !== 'queued' && now.status !== 'running';
      return { ask: toMessage(ask!, null), parts: end.message.parts, end: isOver ? end : null };
    },
  };
}

/** Makes the words of a message findable. */
export const putInIndex = (tx: Db, index: SearchIndex, workspaceId: string, { id, role, text }: MessageRow): Promise<void> =>
  index.put(tx, id, { scope: workspaceId, kind: role, expiresAt: null }, [{ title: '', text, start: 0, end: text.length }]);

function titleOf(text: string): string {
  const line = text.trim().split('\n', 1)[0]!.trim();
  return line.length <= TITLE_CHARS
    ? line
    : `${line
        .slice(0, TITLE_CHARS)
        .replace(/[\uD800-\uDBFF]$/, '')
        .replace(/\s+\S*$/, '')}…`;
}
