import { addConversation, getConversation, listConversations, listWorkspaces, type Conversation } from '#agents/contract';
import type { Client } from '#core/client';
import { AppError } from '#core/errors';

/** Which conversation to talk in. */
export interface Wish {
  /** A workspace's name or id. */
  readonly workspace?: string;
  /** An id, a part of a title, or `last`. */
  readonly conversation?: string;
}

/** Finds the conversation that was asked for, or opens a new one. Throws `cli.no_workspace`, `cli.no_conversation`. */
export async function openConversation(client: Client, { workspace, conversation }: Wish): Promise<Conversation> {
  const workspaceId = workspace === undefined ? undefined : await workspaceCalled(client, workspace);
  if (conversation === undefined) return client.call(addConversation, workspaceId === undefined ? {} : { workspaceId });
  const direct = /^[0-9a-f-]{36}$/i.test(conversation) ? await client.call(getConversation, { id: conversation }) : null;
  if (direct) return direct;
  const { items } = await client.call(listConversations, { limit: 200, ...(workspaceId !== undefined && { workspace: workspaceId }) });
  const latest = items.toSorted((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
  const wanted = conversation.toLowerCase();
  const found = wanted === 'last' ? latest[0] : latest.find(({ title }) => title.toLowerCase().includes(wanted));
  if (found) return found;
  if (wanted === 'last') return client.call(addConversation, workspaceId === undefined ? {} : { workspaceId });
  throw new AppError('not_found', 'cli.no_conversation', `No conversation is called "${conversation}"`, { conversation });
}

async function workspaceCalled(client: Client, name: string): Promise<string> {
  const { items } = await client.call(listWorkspaces, {});
  const found = items.find((it) => it.id === name || it.name.toLowerCase() === name.toLowerCase());
  if (found) return found.id;
  throw new AppError(
    'not_found',
    'cli.no_workspace',
    `No workspace is called "${name}"; there are ${items.map((it) => it.name).join(', ')}`,
    { workspace: name },
  );
}
