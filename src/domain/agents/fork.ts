import type { SearchIndex } from '#core/db/search';
import type { Db } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import * as queries from './queries.ts';
import type { ConversationRow, MessageRow } from './tables.ts';
import { putInIndex } from './turn-record.ts';

const PAGE = 200;

export interface ForkDeps {
  readonly newId: NewId;
  readonly index: SearchIndex;
}

/**
 * Copies what was said in a conversation, up to a message and the end of its turn, into another one that is empty: words, context, parts, labels, receipts
 * and times as they are. Copies stay with the runs that made them, so nothing is paid or counted twice; their turns are not copied, for they are over.
 */
export async function copyMessages(
  tx: Db,
  { newId, index }: ForkDeps,
  from: string,
  to: Pick<ConversationRow, 'id' | 'workspace_id'>,
  messageId: string | undefined,
): Promise<void> {
  const last = await lastOf(tx, from, messageId);
  const copies = new Map<string, string>();
  for (let after = ''; after < last;) {
    const rows = await queries.messagesAfter(tx, from, after, PAGE);
    for (const row of rows.filter(({ id }) => id <= last)) {
      const copy: MessageRow = {
        ...row,
        id: newId(),
        conversation_id: to.id,
        reply_to: row.reply_to === null ? null : (copies.get(row.reply_to) ?? null),
      };
      copies.set(row.id, copy.id);
      await queries.insertMessage(tx, copy);
      if (copy.text !== '') await putInIndex(tx, index, to.workspace_id, copy);
    }
    after = rows.at(-1)?.id ?? last;
  }
  const summary = await queries.findSummary(tx, from);
  const until = summary && copies.get(summary.last_id);
  if (summary && until !== undefined) await queries.putSummary(tx, { ...summary, conversation_id: to.id, last_id: until }, null);
}

/** The last message to copy: the one named, or the last answer to it; all that is over where none is named. */
async function lastOf(tx: Db, conversationId: string, messageId: string | undefined): Promise<string> {
  const [open] = await queries.openTurns(tx, conversationId);
  if (messageId === undefined) {
    const [newest] = await queries.messagesBefore(tx, conversationId, open?.ask_id, 1);
    if (!newest) throw new AppError('conflict', 'agent.nothing_to_fork', 'Nothing was said here yet', { conversationId });
    return newest.id;
  }
  const row = await queries.findMessage(tx, messageId);
  if (row?.conversation_id !== conversationId)
    throw new AppError('not_found', 'agent.no_message', 'messageId: no such message in this conversation', {
      field: 'messageId',
      messageId,
    });
  const answers = row.role === 'user' ? (await queries.exchangesOf(tx, [row.id])).filter(({ reply_to }) => reply_to === row.id) : [];
  const last = answers.at(-1) ?? row;
  if (open && last.id >= open.ask_id)
    throw new AppError('conflict', 'agent.conversation_busy', 'This is being answered still: wait, or cancel it first', { conversationId });
  return last.id;
}
