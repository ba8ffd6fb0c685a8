import type { ConversationRow } from '../tables.ts';

/** A conversation that only the owner reads: all of its workspace may be recalled into it. */
export interface OwnScope {
  readonly audience: 'owner';
  readonly workspaceId: string;
}

/** A chat that others hear: nothing but what was said in it comes back into it. Memories ask for an `OwnScope`, so none can. */
export interface SharedScope {
  readonly audience: 'shared';
  readonly workspaceId: string;
  readonly conversationId: string;
}

export type RecallScope = OwnScope | SharedScope;

/** Shared until it is known that nobody else hears it. */
export function scopeOf({ id, workspace_id: workspaceId, shared }: ConversationRow): RecallScope {
  return shared === 0 ? { audience: 'owner', workspaceId } : { audience: 'shared', workspaceId, conversationId: id };
}
