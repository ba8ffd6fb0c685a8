import { z } from 'zod';
import { AnyJson } from '#core/json';
import { Tier } from '#llm/contract';
import { ErrorShape, Label } from '#runs/contract';

/** The most that may be spent, USD; what is left out is left to the budgets of runs, days and months. */
export const WorkspaceBudget = z.strictObject({ turnUsd: z.number().positive().optional(), dayUsd: z.number().positive().optional() });
export const AssistantBudget = WorkspaceBudget.pick({ turnUsd: true });

export const Workspace = z.object({
  id: z.string(),
  name: z.string(),
  /** Absolute. */
  folder: z.string(),
  defaultAssistantId: z.string(),
  budget: WorkspaceBudget,
  /** ISO 8601, UTC, like every time here. */
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type Workspace = z.infer<typeof Workspace>;

const Layer = z.string().trim().max(20_000);

/** What an assistant is told of itself, joined in this order; `{name}` and `{owner}` are filled in. An empty `system` is the usual one. */
export const Persona = z.strictObject({ system: Layer.default(''), persona: Layer.default(''), context: Layer.default('') });
export type Persona = z.infer<typeof Persona>;

/** What an agent CLI may do without asking; the builtin backend has policy instead. */
export const PermissionMode = z.enum(['default', 'accept_edits', 'plan', 'dont_ask', 'bypass_permissions']);

export const Assistant = z.object({
  id: z.string(),
  /** Unique; also the `model` of the OpenAI-compatible API. */
  name: z.string(),
  persona: Persona,
  tier: Tier.nullable(),
  /** A provider's name. */
  provider: z.string().nullable(),
  model: z.string().nullable(),
  backend: z.string(),
  permissionMode: PermissionMode,
  /** Most tokens of thought, where the backend can be told. */
  thinkingBudget: z.number().nullable(),
  budget: AssistantBudget,
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type Assistant = z.infer<typeof Assistant>;

export const Conversation = z.object({
  id: z.string(),
  workspaceId: z.string(),
  /** Null: the default one of the workspace, whichever that is. */
  assistantId: z.string().nullable(),
  /** Empty until something was said. */
  title: z.string(),
  /** The chat of a channel that this is, or null. */
  channel: z.string().nullable(),
  chat: z.string().nullable(),
  /** Others hear it: nothing is recalled into it but what was said in it. */
  shared: z.boolean(),
  /** The conversation whose beginning it shares; that one may be gone. */
  forkedFrom: z.string().nullable(),
  pinned: z.boolean(),
  archived: z.boolean(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type Conversation = z.infer<typeof Conversation>;

/** What was put before the owner's words, and by whom (`clock`, `recall`, …). */
export const ContextBlock = z.object({
  source: z.string(),
  text: z.string(),
  labels: z.array(Label).optional(),
  /** What it was taken from. */
  from: z.object({ kind: z.enum(['conversation', 'memory']), id: z.string() }).optional(),
});
export type ContextBlock = z.infer<typeof ContextBlock>;

/** An answer in the order it came. */
export const AnswerPart = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('reasoning'), text: z.string() }),
  z.object({ type: z.literal('tool_call'), id: z.string(), name: z.string(), input: AnyJson }),
  z.object({ type: z.literal('tool_result'), id: z.string(), name: z.string(), output: z.string(), isError: z.boolean() }),
]);
export type AnswerPart = z.infer<typeof AnswerPart>;

/** Who answered and what it cost. */
export const Receipt = z.object({
  provider: z.string(),
  model: z.string(),
  usage: z.object({ inputTokens: z.number(), outputTokens: z.number(), cachedInputTokens: z.number(), reasoningTokens: z.number() }),
  costUsd: z.number(),
  /** Made without a model. */
  offline: z.boolean(),
  hops: z.array(z.object({ provider: z.string(), reason: z.string() })),
});
export type Receipt = z.infer<typeof Receipt>;

/** What stands for the oldest messages where they no longer fit in the model's view. The messages stay. */
export const ConversationSummary = z.object({
  text: z.string(),
  /** Of all that it summarises. */
  labels: z.array(Label),
  /** The last message it covers, and how many it covers. */
  until: z.string(),
  messages: z.number(),
  /** Written without a model. */
  offline: z.boolean(),
  updatedAt: z.string(),
});
export type ConversationSummary = z.infer<typeof ConversationSummary>;

export const TurnStatus = z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']);
export type TurnStatus = z.infer<typeof TurnStatus>;

export const Message = z.object({
  id: z.string(),
  conversationId: z.string(),
  /** The run of the turn that it belongs to. */
  runId: z.string(),
  role: z.enum(['user', 'assistant']),
  /** The words themselves: the owner's, or the answer's. */
  text: z.string(),
  context: z.array(ContextBlock),
  /** Of an answer: reasoning, text and tool calls in their order. */
  parts: z.array(AnswerPart),
  /** Of an answer: the message it answers. */
  replyTo: z.string().nullable(),
  receipt: Receipt.nullable(),
  labels: z.array(Label),
  /** `partial` grows still, or was stopped by the owner: `turn` tells which. `failed` keeps what had arrived. */
  status: z.enum(['complete', 'partial', 'failed']),
  error: ErrorShape.nullable(),
  /** Of an answer: how its turn stands. */
  turn: TurnStatus.nullable(),
  createdAt: z.string(),
});
export type Message = z.infer<typeof Message>;

/**
 * What a turn tells while it goes on. Ids are `<answer>-<n>`, n the position in the answer, and `<answer>-end`: sent back as `Last-Event-ID`
 * they continue without loss or doubling. The message of `end` is the whole truth, should a crash have lost a moment of what was shown.
 */
export const TurnEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), runId: z.string(), ask: Message, answerId: z.string() }),
  ...AnswerPart.options,
  z.object({ type: z.literal('end'), status: TurnStatus, message: Message, receipt: Receipt.nullable(), error: ErrorShape.nullable() }),
]);
export type TurnEvent = z.infer<typeof TurnEvent>;
