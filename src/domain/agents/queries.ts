import type { Db } from '#core/db/store';
import type { AssistantRow, ConversationRow, MessageRow, SessionRow, SummaryRow, TurnRow, WorkspaceRow } from './tables.ts';

const OPEN = ['queued', 'running'] as const;

export const allWorkspaces = (db: Db) => db.selectFrom('agent_workspace').selectAll().orderBy('name').execute();
export const findWorkspace = (db: Db, id: string) => db.selectFrom('agent_workspace').selectAll().where('id', '=', id).executeTakeFirst();
export const findWorkspaceByName = (db: Db, name: string) =>
  db.selectFrom('agent_workspace').selectAll().where('name', '=', name).executeTakeFirst();
export const firstWorkspace = (db: Db) =>
  db.selectFrom('agent_workspace').selectAll().orderBy('created_at').orderBy('id').limit(1).executeTakeFirst();
export const insertWorkspace = (db: Db, row: WorkspaceRow) => db.insertInto('agent_workspace').values(row).execute();
export const updateWorkspace = (db: Db, id: string, set: Partial<WorkspaceRow>) =>
  db.updateTable('agent_workspace').set(set).where('id', '=', id).execute();
export const deleteWorkspace = (db: Db, id: string) => db.deleteFrom('agent_workspace').where('id', '=', id).execute();
export const workspaceOfAssistant = (db: Db, id: string) =>
  db.selectFrom('agent_workspace').selectAll().where('default_assistant_id', '=', id).limit(1).executeTakeFirst();

export const allAssistants = (db: Db) => db.selectFrom('agent_assistant').selectAll().orderBy('name').execute();
export const findAssistant = (db: Db, id: string) => db.selectFrom('agent_assistant').selectAll().where('id', '=', id).executeTakeFirst();
export const findAssistantByName = (db: Db, name: string) =>
  db.selectFrom('agent_assistant').selectAll().where('name', '=', name).executeTakeFirst();
export const insertAssistant = (db: Db, row: AssistantRow) => db.insertInto('agent_assistant').values(row).execute();
export const updateAssistant = (db: Db, id: string, set: Partial<AssistantRow>) =>
  db.updateTable('agent_assistant').set(set).where('id', '=', id).execute();
export async function deleteAssistant(db: Db, id: string): Promise<void> {
  await db.updateTable('agent_conversation').set({ assistant_id: null }).where('assistant_id', '=', id).execute();
  await db.deleteFrom('agent_assistant').where('id', '=', id).execute();
}

export interface ConversationPlace {
  readonly pinned: number;
  readonly updatedAt: number;
  readonly id: string;
}

/** The pinned first, then the latest; after `place`. */
export function listConversationRows(
  db: Db,
  filter: { readonly workspaceId?: string | undefined; readonly archived: boolean },
  after: ConversationPlace | null,
  limit: number,
): Promise<ConversationRow[]> {
  let query = db
    .selectFrom('agent_conversation')
    .selectAll()
    .where('archived', '=', filter.archived ? 1 : 0);
  if (filter.workspaceId !== undefined) query = query.where('workspace_id', '=', filter.workspaceId);
  if (after)
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('pinned', 'updated_at', 'id'), '<', tuple(after.pinned, after.updatedAt, after.id)),
    );
  return query.orderBy('pinned', 'desc').orderBy('updated_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

export const findConversation = (db: Db, id: string) =>
  db.selectFrom('agent_conversation').selectAll().where('id', '=', id).executeTakeFirst();
export const findConversations = (db: Db, ids: readonly string[]) =>
  db.selectFrom('agent_conversation').selectAll().where('id', 'in', ids).execute();
export const findConversationOfChat = (db: Db, channel: string, chat: string) =>
  db.selectFrom('agent_conversation').selectAll().where('channel', '=', channel).where('chat', '=', chat).executeTakeFirst();
export const conversationIn = (db: Db, workspaceId: string) =>
  db.selectFrom('agent_conversation').select('id').where('workspace_id', '=', workspaceId).limit(1).executeTakeFirst();
/** Nothing where the chat has a conversation already. */
export const insertConversation = (db: Db, row: ConversationRow) =>
  db
    .insertInto('agent_conversation')
    .values(row)
    .onConflict((on) => on.columns(['channel', 'chat']).doNothing())
    .execute();
export const updateConversation = (db: Db, id: string, set: Partial<ConversationRow>) =>
  db.updateTable('agent_conversation').set(set).where('id', '=', id).execute();

/** With all its messages; gives back their ids. */
export async function deleteConversation(db: Db, id: string): Promise<string[]> {
  const messages = await db.deleteFrom('agent_message').where('conversation_id', '=', id).returning('id').execute();
  await db.deleteFrom('agent_summary').where('conversation_id', '=', id).execute();
  await db.deleteFrom('agent_turn').where('conversation_id', '=', id).execute();
  await db.deleteFrom('agent_conversation').where('id', '=', id).execute();
  return messages.map((row) => row.id);
}

export const insertMessage = (db: Db, row: MessageRow) => db.insertInto('agent_message').values(row).execute();
export const updateMessage = (db: Db, id: string, set: Partial<MessageRow>) =>
  db.updateTable('agent_message').set(set).where('id', '=', id).execute();
export const findMessage = (db: Db, id: string) => db.selectFrom('agent_message').selectAll().where('id', '=', id).executeTakeFirst();
export const findMessages = (db: Db, ids: readonly string[]) => db.selectFrom('agent_message').selectAll().where('id', 'in', ids).execute();

/** The messages with their exchanges: what each answers, and what answers it; oldest first. */
export async function exchangesOf(db: Db, ids: readonly string[]): Promise<MessageRow[]> {
  if (ids.length === 0) return [];
  const asks = db.selectFrom('agent_message').select('reply_to').where('id', 'in', ids).where('reply_to', 'is not', null);
  return db
    .selectFrom('agent_message')
    .selectAll()
    .where(({ eb, or }) => or([eb('id', 'in', ids), eb('id', 'in', asks), eb('reply_to', 'in', ids), eb('reply_to', 'in', asks)]))
    .orderBy('id')
    .execute();
}

/** The runs of a conversation's messages, from one message on. */
export const runsFrom = (db: Db, conversationId: string, from: string) =>
  db
    .selectFrom('agent_message')
    .select('run_id')
    .distinct()
    .where('conversation_id', '=', conversationId)
    .where('id', '>=', from)
    .orderBy('run_id', 'desc')
    .limit(1_000)
    .execute();

/** Newest first, before the id given; a limit is required: histories have no end. */
export function messagesBefore(db: Db, conversationId: string, before: string | undefined, limit: number): Promise<MessageRow[]> {
  const query = db.selectFrom('agent_message').selectAll().where('conversation_id', '=', conversationId).orderBy('id', 'desc').limit(limit);
  return (before === undefined ? query : query.where('id', '<', before)).execute();
}

/** Oldest first, after the id given. */
export function messagesAfter(db: Db, conversationId: string, after: string, limit: number): Promise<MessageRow[]> {
  return db
    .selectFrom('agent_message')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Messages between two ids, neither counted. */
export async function countMessages(db: Db, conversationId: string, after: string, before: string): Promise<number> {
  const { count } = await db
    .selectFrom('agent_message')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('conversation_id', '=', conversationId)
    .where('id', '>', after)
    .where('id', '<', before)
    .executeTakeFirstOrThrow();
  return Number(count);
}

export const findSummary = (db: Db, conversationId: string) =>
  db.selectFrom('agent_summary').selectAll().where('conversation_id', '=', conversationId).executeTakeFirst();
/** False when another than the one it was made from stands there meanwhile. */
export async function putSummary(tx: Db, row: SummaryRow, madeFrom: string | null): Promise<boolean> {
  const now = await findSummary(tx, row.conversation_id);
  if ((now?.last_id ?? null) !== madeFrom) return false;
  await tx.deleteFrom('agent_summary').where('conversation_id', '=', row.conversation_id).execute();
  await tx.insertInto('agent_summary').values(row).execute();
  return true;
}

export const insertTurn = (db: Db, row: TurnRow) => db.insertInto('agent_turn').values(row).execute();
export const findTurn = (db: Db, runId: string) => db.selectFrom('agent_turn').selectAll().where('run_id', '=', runId).executeTakeFirst();
export const turnsOfAnswers = (db: Db, answerIds: readonly string[]) =>
  answerIds.length === 0 ? Promise.resolve([]) : db.selectFrom('agent_turn').selectAll().where('answer_id', 'in', answerIds).execute();
export const lastTurn = (db: Db, conversationId: string) =>
  db
    .selectFrom('agent_turn')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .orderBy('run_id', 'desc')
    .limit(1)
    .executeTakeFirst();
export const openTurns = (db: Db, conversationId: string) =>
  db
    .selectFrom('agent_turn')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .where('status', 'in', OPEN)
    .orderBy('run_id')
    .execute();
export const openTurnsOfNode = (db: Db, node: string) =>
  db.selectFrom('agent_turn').selectAll().where('node', '=', node).where('status', 'in', OPEN).orderBy('run_id').execute();

/** False when its status was another meanwhile. */
export async function moveTurn(db: Db, runId: string, from: TurnRow['status'], to: TurnRow['status']): Promise<boolean> {
  const moved = await db
    .updateTable('agent_turn')
    .set({ status: to })
    .where('run_id', '=', runId)
    .where('status', '=', from)
    .returning('run_id')
    .executeTakeFirst();
  return moved !== undefined;
}

/** The session of an agent CLI that a conversation goes on in. */
export const findSession = (db: Db, conversationId: string, backend: string) =>
  db
    .selectFrom('agent_session')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .where('backend', '=', backend)
    .executeTakeFirst();
export const putSession = (tx: Db, row: SessionRow) =>
  tx
    .insertInto('agent_session')
    .values(row)
    .onConflict((on) => on.columns(['conversation_id', 'backend']).doUpdateSet({ session_id: row.session_id, updated_at: row.updated_at }))
    .execute();
