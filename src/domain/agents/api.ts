import { z } from 'zod';
import { Done, endpoint, listOf, Page } from '#core/endpoint';
import { Tier } from '#llm/contract';
import {
  Assistant,
  AssistantBudget,
  Conversation,
  ConversationSummary,
  Message,
  PermissionMode,
  Persona,
  TurnEvent,
  TurnStatus,
  Workspace,
  WorkspaceBudget,
} from './shapes.ts';

const Id = z.strictObject({ id: z.string() });
const Name = z.string().trim().min(1, 'give it a name').max(80);
const Flag = z.stringbool().optional();
const READ = 'agents:read';
const WRITE = 'agents:write';

/** `folder` is absolute; left out, one is made in the home folder. */
export const NewWorkspace = z.strictObject({
  name: Name,
  folder: z.string().trim().min(1).max(1_000).optional(),
  defaultAssistantId: z.string().optional(),
  budget: WorkspaceBudget.default({}),
});
export type NewWorkspace = z.input<typeof NewWorkspace>;
export const WorkspacePatch = z.strictObject({
  name: Name.optional(),
  folder: z.string().trim().min(1).max(1_000).optional(),
  defaultAssistantId: z.string().optional(),
  budget: WorkspaceBudget.optional(),
});
export type WorkspacePatch = z.output<typeof WorkspacePatch>;

export const listWorkspaces = endpoint({
  method: 'GET',
  path: '/api/workspaces',
  grant: READ,
  summary: 'Workspaces, by name.',
  input: z.strictObject({}),
  output: listOf(Workspace),
});
export const addWorkspace = endpoint({
  method: 'POST',
  path: '/api/workspaces',
  grant: WRITE,
  summary: 'Makes a workspace.',
  input: NewWorkspace,
  output: Workspace,
  status: 201,
});
export const getWorkspace = endpoint({
  method: 'GET',
  path: '/api/workspaces/{id}',
  grant: READ,
  summary: 'One workspace.',
  input: Id,
  output: Workspace,
});
export const changeWorkspace = endpoint({
  method: 'PUT',
  path: '/api/workspaces/{id}',
  grant: WRITE,
  summary: 'Changes the fields given.',
  input: Id.extend(WorkspacePatch.shape),
  output: Workspace,
});
export const removeWorkspace = endpoint({
  method: 'DELETE',
  path: '/api/workspaces/{id}',
  grant: WRITE,
  summary: 'Removes a workspace without conversations; its folder stays.',
  input: Id,
  output: Done,
});

const assistantFields = {
  name: Name,
  persona: Persona,
  tier: Tier.nullable(),
  provider: z.string().trim().min(1).max(80).nullable(),
  model: z.string().trim().min(1).max(200).nullable(),
  backend: z.string().trim().min(1).max(40),
  permissionMode: PermissionMode,
  thinkingBudget: z.int().min(1).max(100_000).nullable(),
  budget: AssistantBudget,
};
export const NewAssistant = z.strictObject({
  ...assistantFields,
  persona: assistantFields.persona.default({ system: '', persona: '', context: '' }),
  tier: assistantFields.tier.default(null),
  provider: assistantFields.provider.default(null),
  model: assistantFields.model.default(null),
  backend: assistantFields.backend.default('builtin'),
  permissionMode: assistantFields.permissionMode.default('default'),
  thinkingBudget: assistantFields.thinkingBudget.default(null),
  budget: assistantFields.budget.default({}),
});
export type NewAssistant = z.input<typeof NewAssistant>;
export const AssistantPatch = z.strictObject(assistantFields).partial();
export type AssistantPatch = z.output<typeof AssistantPatch>;

export const listAssistants = endpoint({
  method: 'GET',
  path: '/api/assistants',
  grant: READ,
  summary: 'Assistants, by name.',
  input: z.strictObject({}),
  output: listOf(Assistant),
});
export const addAssistant = endpoint({
  method: 'POST',
  path: '/api/assistants',
  grant: WRITE,
  summary: 'Makes an assistant.',
  input: NewAssistant,
  output: Assistant,
  status: 201,
});
export const getAssistant = endpoint({
  method: 'GET',
  path: '/api/assistants/{id}',
  grant: READ,
  summary: 'One assistant.',
  input: Id,
  output: Assistant,
});
export const changeAssistant = endpoint({
  method: 'PUT',
  path: '/api/assistants/{id}',
  grant: WRITE,
  summary: 'Changes the fields given; turns that run keep what they began with.',
  input: Id.extend(AssistantPatch.shape),
  output: Assistant,
});
export const removeAssistant = endpoint({
  method: 'DELETE',
  path: '/api/assistants/{id}',
  grant: WRITE,
  summary: 'Removes an assistant that is no workspace’s default; its conversations go to the default one.',
  input: Id,
  output: Done,
});

export const NewConversation = z.strictObject({
  workspaceId: z.string().optional(),
  assistantId: z.string().nullable().default(null),
  title: z.string().trim().max(200).default(''),
});
export type NewConversation = z.input<typeof NewConversation>;
export const ConversationPatch = z.strictObject({
  title: z.string().trim().max(200).optional(),
  assistantId: z.string().nullable().optional(),
  pinned: z.boolean().optional(),
  archived: z.boolean().optional(),
});
export type ConversationPatch = z.output<typeof ConversationPatch>;

export const listConversations = endpoint({
  method: 'GET',
  path: '/api/conversations',
  grant: READ,
  summary:
    'Conversations: the pinned first, then the latest; with `q` those in which it was said, the best first: by `role` only the owner’s words or the answers, `since` and `until` a time.',
  input: Page.extend({
    workspace: z.string().optional(),
    archived: Flag,
    q: z.string().trim().min(1).max(500).optional(),
    role: z.enum(['user', 'assistant']).optional(),
    since: z.iso.datetime({ offset: true }).optional(),
    until: z.iso.datetime({ offset: true }).optional(),
  }),
  output: listOf(Conversation.extend({ excerpt: z.string().optional() })),
});
export const addConversation = endpoint({
  method: 'POST',
  path: '/api/conversations',
  grant: 'agents:turn',
  summary: 'Opens a conversation.',
  input: NewConversation,
  output: Conversation,
  status: 201,
});
export const forkConversation = endpoint({
  method: 'POST',
  path: '/api/conversations/{id}/fork',
  grant: 'agents:turn',
  summary:
    'Opens a conversation that begins with what was said in this one, up to the end of the turn of `messageId`, or of the last that is over. This one stays as it is; nothing is counted twice.',
  input: Id.extend({ messageId: z.string().optional() }),
  output: Conversation,
  status: 201,
});
export const getConversation = endpoint({
  method: 'GET',
  path: '/api/conversations/{id}',
  grant: READ,
  summary: 'One conversation.',
  input: Id,
  output: Conversation,
});
export const changeConversation = endpoint({
  method: 'PUT',
  path: '/api/conversations/{id}',
  grant: 'agents:turn',
  summary: 'Renames, pins, archives, or gives it to another assistant.',
  input: Id.extend(ConversationPatch.shape),
  output: Conversation,
});
export const removeConversation = endpoint({
  method: 'DELETE',
  path: '/api/conversations/{id}',
  grant: WRITE,
  summary: 'Deletes a conversation with all its messages.',
  input: Id,
  output: Done,
});
export const exportConversation = endpoint({
  method: 'GET',
  path: '/api/conversations/{id}/export',
  grant: READ,
  summary: 'A conversation as Markdown.',
  input: Id,
  output: z.object({ fileName: z.string(), markdown: z.string() }),
});

export const getSummary = endpoint({
  method: 'GET',
  path: '/api/conversations/{id}/summary',
  grant: READ,
  summary: 'What stands for the oldest messages of a long conversation before the model, or null; the messages stay.',
  input: Id,
  output: z.object({ summary: ConversationSummary.nullable() }),
});

export const listMessages = endpoint({
  method: 'GET',
  path: '/api/conversations/{id}/messages',
  grant: READ,
  summary: 'Messages, newest first.',
  input: Id.extend(Page.shape),
  output: listOf(Message),
});

const WholeTurn = z.object({ runId: z.string(), status: TurnStatus, message: Message });
export const takeTurn = endpoint({
  method: 'POST',
  path: '/api/conversations/{id}/turns',
  grant: 'agents:turn',
  summary: 'Says something; the answer is streamed. It goes on when the reader leaves. `Idempotency-Key` makes a repeat the same turn.',
  input: Id.extend({
    text: z
      .string()
      .min(1)
      .max(400_000)
      .refine((text) => text.trim() !== '', 'say something'),
  }),
  output: TurnEvent,
  stream: true,
  whole: WholeTurn,
  maxBodyBytes: 2 * 1024 * 1024,
});
export const retryTurn = endpoint({
  method: 'POST',
  path: '/api/conversations/{id}/retry',
  grant: 'agents:turn',
  summary: 'Asks for another answer to the last message; the earlier one is kept.',
  input: Id,
  output: TurnEvent,
  stream: true,
  whole: WholeTurn,
});
export const followTurn = endpoint({
  method: 'GET',
  path: '/api/conversations/{id}/turns/{runId}/events',
  grant: READ,
  summary: 'A turn from its start, or after `Last-Event-ID`, to its end.',
  input: Id.extend({ runId: z.string() }),
  output: TurnEvent,
  stream: true,
  whole: WholeTurn,
});
export const cancelTurns = endpoint({
  method: 'POST',
  path: '/api/conversations/{id}/cancel',
  grant: 'agents:turn',
  summary: 'Stops the turn that runs and those that wait, or the one named; what was said stays.',
  input: Id.extend({ runId: z.string().optional() }),
  output: z.object({ cancelled: z.array(z.string()) }),
});

/** An agent CLI that can run turns. */
export const BackendInfo = z.object({
  id: z.string(),
  title: z.string(),
  /** Its program on this machine, or null. */
  path: z.string().nullable(),
  /** How it was found: by the setting, in the home, on the path, in a usual folder. */
  from: z.enum(['setting', 'home', 'path', 'usual']).nullable(),
  version: z.string().nullable(),
  /** What would be installed. */
  package: z.string(),
  /** It would run in a sandbox. */
  sandbox: z.boolean(),
});
export type BackendInfo = z.infer<typeof BackendInfo>;

export const listBackends = endpoint({
  method: 'GET',
  path: '/api/backends',
  grant: READ,
  summary: 'The agent CLIs that can run turns: where each is, its version, and whether it would run in a sandbox.',
  input: z.strictObject({}),
  output: listOf(BackendInfo),
});
export const installBackend = endpoint({
  method: 'POST',
  path: '/api/backends/{id}/install',
  grant: WRITE,
  summary: 'Brings an agent CLI from the package registry into the home; its install scripts are not run.',
  input: Id,
  output: BackendInfo,
  secondFactor: true,
});
