import type { ConversationRow, MessageRow } from './tables.ts';

/** A conversation to keep or to send on: who said what and when. What was injected and thought is left out. */
export function conversationMarkdown(
  conversation: ConversationRow,
  messages: readonly MessageRow[],
): { fileName: string; markdown: string } {
  const title = conversation.title || 'Conversation';
  const blocks = messages.map(({ role, text, status, created_at }) => {
    const note =
      role === 'user' || status === 'complete'
        ? ''
        : status === 'failed'
          ? '\n\n*(This answer broke off.)*'
          : '\n\n*(This answer was stopped.)*';
    return `## ${role === 'user' ? 'You' : 'Assistant'}, ${moment(created_at)}\n\n${text || '*(Nothing.)*'}${note}`;
  });
  const name = title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60);
  return { fileName: `${name || conversation.id}.md`, markdown: [`# ${title}`, ...blocks].join('\n\n') + '\n' };
}

function moment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
