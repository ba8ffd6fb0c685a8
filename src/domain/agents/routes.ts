import { route, streamRoute, type Caller, type Request, type Route, type StreamEvent } from '#core/endpoint';
import type { Label, TriggerRef } from '#runs/contract';
import type { Agents } from './agents.ts';
import * as api from './contract.ts';
import type { Accepted } from './turns.ts';

const ok = { ok: true as const };

export function agentRoutes({ workspaces, assistants, conversations, turns, cliAgents }: Agents): readonly Route[] {
  async function* follow(started: Promise<Accepted>, { signal, lastEventId: after }: Request): AsyncIterable<StreamEvent<api.TurnEvent>> {
    yield* turns.follow(await started, { after, signal });
  }
  const take = ({ id, text }: { id: string; text: string }, { caller, idempotencyKey }: Request): Promise<Accepted> =>
    turns.start({ conversationId: id, text, origin: originOf(caller), labels: labelsOf(caller), idempotencyKey });
  const retry = ({ id }: { id: string }, { caller }: Request): Promise<Accepted> => turns.retry(id, originOf(caller));

  return [
    route(api.listWorkspaces, async () => ({ items: await workspaces.list(), next: null })),
    route(api.addWorkspace, (input, { caller }) => workspaces.add(input, caller.id)),
    route(api.getWorkspace, ({ id }) => workspaces.get(id)),
    route(api.changeWorkspace, ({ id, ...patch }, { caller }) => workspaces.change(id, patch, caller.id)),
    route(api.removeWorkspace, ({ id }, { caller }) => workspaces.remove(id, caller.id).then(() => ok)),

    route(api.listAssistants, async () => ({ items: await assistants.list(), next: null })),
    route(api.addAssistant, (input, { caller }) => assistants.add(input, caller.id)),
    route(api.getAssistant, ({ id }) => assistants.get(id)),
    route(api.changeAssistant, ({ id, ...patch }, { caller }) => assistants.change(id, patch, caller.id)),
    route(api.removeAssistant, ({ id }, { caller }) => assistants.remove(id, caller.id).then(() => ok)),

    ...(cliAgents
      ? [
          route(api.listBackends, async () => ({ items: await cliAgents.list(), next: null })),
          route(api.installBackend, ({ id }, { caller }) => cliAgents.install(id, caller.id)),
        ]
      : []),

    route(api.listConversations, (query) => conversations.list(query)),
    route(api.addConversation, (input) => conversations.add(input)),
    route(api.forkConversation, ({ id, messageId }) => conversations.fork(id, messageId)),
    route(api.getConversation, ({ id }) => conversations.get(id)),
    route(api.changeConversation, ({ id, ...patch }) => conversations.change(id, patch)),
    route(api.removeConversation, ({ id }) => conversations.remove(id).then(() => ok)),
    route(api.exportConversation, ({ id }) => conversations.export(id)),
    route(api.getSummary, async ({ id }) => ({ summary: await conversations.summary(id) })),
    route(api.listMessages, ({ id, ...page }) => conversations.messages(id, page)),

    streamRoute(
      api.takeTurn,
      (input, request) => follow(take(input, request), request),
      async (input, request) => turns.whole(await take(input, request), request.signal),
    ),
    streamRoute(
      api.retryTurn,
      (input, request) => follow(retry(input, request), request),
      async (input, request) => turns.whole(await retry(input, request), request.signal),
    ),
    streamRoute(
      api.followTurn,
      ({ id, runId }, request) => follow(turns.find(id, runId), request),
      async ({ id, runId }, { signal }) => turns.whole(await turns.find(id, runId), signal),
    ),
    route(api.cancelTurns, async ({ id, runId }) => ({ cancelled: await turns.cancel(id, runId) })),
  ];
}

/** Who asked, as the run remembers it. */
export function originOf({ id }: Caller): TriggerRef {
  return { kind: id.startsWith('token:') ? 'api' : 'owner', by: id };
}

/** A program's words are not the owner's. */
export function labelsOf({ id }: Caller): Label[] {
  return id.startsWith('token:') ? [] : ['owner'];
}
