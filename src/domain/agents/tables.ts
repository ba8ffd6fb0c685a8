import type { Migration } from '#core/db/migration';
import { searchMigrations } from '#core/db/search';
import type { TurnStatus } from './contract.ts';

export interface WorkspaceRow {
  id: string;
  name: string;
  folder: string;
  default_assistant_id: string;
  budget: string;
  created_at: number;
  updated_at: number;
}

export interface AssistantRow {
  id: string;
  name: string;
  persona: string;
  tier: string | null;
  provider: string | null;
  model: string | null;
  backend: string;
  permission_mode: string;
  thinking_budget: number | null;
  budget: string;
  created_at: number;
  updated_at: number;
}

export interface ConversationRow {
  id: string;
  workspace_id: string;
  assistant_id: string | null;
  title: string;
  channel: string | null;
  chat: string | null;
  /** 1: others hear it, or it is not known that nobody does. */
  shared: number;
  /** The conversation whose beginning was copied into it. */
  forked_from: string | null;
  pinned: number;
  archived: number;
  created_at: number;
  /** When something was last said or changed: the order of the list. */
  updated_at: number;
}

export interface MessageRow {
  id: string;
  conversation_id: string;
  run_id: string;
  role: 'user' | 'assistant';
  text: string;
  context: string;
  parts: string;
  reply_to: string | null;
  receipt: string | null;
  labels: string;
  status: 'complete' | 'partial' | 'failed';
  error: string | null;
  created_at: number;
}

/** One turn, by its run: what is open after a crash, and whose it was. */
export interface TurnRow {
  run_id: string;
  conversation_id: string;
  ask_id: string;
  answer_id: string;
  /** The process that drives it. */
  node: string;
  status: TurnStatus;
  created_at: number;
}

/** Where an agent CLI keeps a conversation, by its own name for it. */
export interface SessionRow {
  conversation_id: string;
  backend: string;
  session_id: string;
  updated_at: number;
}

/** What stands for the oldest messages of a conversation: a view, which may be made anew from them. */
export interface SummaryRow {
  conversation_id: string;
  text: string;
  labels: string;
  /** The last message it covers. */
  last_id: string;
  /** How many it covers. */
  messages: number;
  /** Made without a model. */
  offline: number;
  updated_at: number;
}

declare module '#core/db/store' {
  interface Tables {
    agent_workspace: WorkspaceRow;
    agent_assistant: AssistantRow;
    agent_conversation: ConversationRow;
    agent_message: MessageRow;
    agent_turn: TurnRow;
    agent_session: SessionRow;
    agent_summary: SummaryRow;
  }
}

/** The name of the index over what was said: its tables begin so. */
export const MESSAGE_INDEX = 'agent_search';

const flag = (name: string): string => `${name} integer not null check (${name} in (0, 1))`;

export const agentMigrations: readonly Migration[] = [
  {
    name: 'agent-001-conversation',
    ddl: [
      `create table agent_assistant (
        id text primary key, name text not null unique check (name <> ''), persona text not null, tier text, provider text, model text,
        backend text not null, permission_mode text not null, thinking_budget integer, budget text not null,
        created_at integer not null, updated_at integer not null) strict, without rowid`,
      `create table agent_workspace (
        id text primary key, name text not null unique check (name <> ''), folder text not null,
        default_assistant_id text not null references agent_assistant (id), budget text not null,
        created_at integer not null, updated_at integer not null) strict, without rowid`,
      `create table agent_conversation (
        id text primary key, workspace_id text not null references agent_workspace (id), assistant_id text, title text not null,
        channel text, chat text, ${flag('pinned')}, ${flag('archived')}, created_at integer not null, updated_at integer not null,
        check ((channel is null) = (chat is null)), unique (channel, chat)) strict, without rowid`,
      'create index agent_conversation_list on agent_conversation (archived, pinned, updated_at, id)',
      `create table agent_message (
        id text primary key, conversation_id text not null, run_id text not null, role text not null check (role in ('user', 'assistant')),
        text text not null, context text not null, parts text not null, reply_to text, receipt text, labels text not null,
        status text not null check (status in ('complete', 'partial', 'failed')), error text, created_at integer not null) strict`,
      'create index agent_message_list on agent_message (conversation_id, id)',
      `create table agent_turn (
        run_id text primary key, conversation_id text not null, ask_id text not null, answer_id text not null unique, node text not null,
        status text not null check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')), created_at integer not null) strict, without rowid`,
      'create index agent_turn_list on agent_turn (conversation_id, run_id)',
      `create index agent_turn_open on agent_turn (node) where status in ('queued', 'running')`,
      `create unique index agent_turn_running on agent_turn (conversation_id) where status = 'running'`,
    ],
  },
  ...searchMigrations(MESSAGE_INDEX),
  {
    name: 'agent-003-session',
    ddl: [
      `create table agent_session (
        conversation_id text not null, backend text not null, session_id text not null, updated_at integer not null,
        primary key (conversation_id, backend)) strict, without rowid`,
    ],
  },
  {
    name: 'agent-004-shared',
    ddl: [
      'alter table agent_conversation add column shared integer not null default 1 check (shared in (0, 1))',
      'update agent_conversation set shared = 0 where channel is null',
    ],
  },
  {
    name: 'agent-005-summary',
    ddl: [
      `create table agent_summary (
        conversation_id text primary key, text text not null check (text <> ''), labels text not null, last_id text not null,
        messages integer not null check (messages > 0), ${flag('offline')}, updated_at integer not null) strict, without rowid`,
    ],
  },
  { name: 'agent-006-fork', ddl: ['alter table agent_conversation add column forked_from text'] },
];
