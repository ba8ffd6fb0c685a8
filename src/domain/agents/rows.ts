import type { ErrorInfo } from '#core/errors';
import type { Assistant, Conversation, ConversationSummary, Message, TurnStatus, Workspace } from './contract.ts';
import type { AssistantRow, ConversationRow, MessageRow, SummaryRow, WorkspaceRow } from './tables.ts';

const iso = (ms: number): string => new Date(ms).toISOString();
const times = (row: { created_at: number; updated_at: number }) => ({ createdAt: iso(row.created_at), updatedAt: iso(row.updated_at) });

/** Rows as the world sees them. */
export function toWorkspace(row: WorkspaceRow): Workspace {
  const { id, name, folder, default_assistant_id: defaultAssistantId } = row;
  return { id, name, folder, defaultAssistantId, budget: JSON.parse(row.budget) as Workspace['budget'], ...times(row) };
}

export function toAssistant(row: AssistantRow): Assistant {
  return {
    id: row.id,
    name: row.name,
    persona: JSON.parse(row.persona) as Assistant['persona'],
    tier: row.tier as Assistant['tier'],
    provider: row.provider,
    model: row.model,
    backend: row.backend,
    permissionMode: row.permission_mode as Assistant['permissionMode'],
    thinkingBudget: row.thinking_budget,
    budget: JSON.parse(row.budget) as Assistant['budget'],
    ...times(row),
  };
}

export function toConversation(row: ConversationRow): Conversation {
  const { id, workspace_id: workspaceId, assistant_id: assistantId, title, channel, chat } = row;
  return {
    id,
    workspaceId,
    assistantId,
    title,
    channel,
    chat,
    shared: row.shared === 1,
    forkedFrom: row.forked_from,
    pinned: row.pinned === 1,
    archived: row.archived === 1,
    ...times(row),
  };
}

export function toSummary({ text, labels, last_id: until, messages, offline, updated_at: at }: SummaryRow): ConversationSummary {
  return { text, labels: JSON.parse(labels) as ConversationSummary['labels'], until, messages, offline: offline === 1, updatedAt: iso(at) };
}

/** `turn` is how the turn of an answer stands. */
export function toMessage(row: MessageRow, turn: TurnStatus | null): Message {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    runId: row.run_id,
    role: row.role,
    text: row.text,
    context: JSON.parse(row.context) as Message['context'],
    parts: JSON.parse(row.parts) as Message['parts'],
    replyTo: row.reply_to,
    receipt: row.receipt === null ? null : (JSON.parse(row.receipt) as Message['receipt']),
    labels: JSON.parse(row.labels) as Message['labels'],
    status: row.status,
    error: row.error === null ? null : (JSON.parse(row.error) as ErrorInfo),
    turn: row.role === 'assistant' ? turn : null,
    createdAt: iso(row.created_at),
  };
}
