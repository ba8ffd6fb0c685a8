import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { SearchIndex } from '#core/db/search';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import type { Conversation, ConversationPatch, ConversationSummary, Message, NewConversation } from './contract.ts';
import { copyMessages } from './fork.ts';
import * as queries from './queries.ts';
import { toConversation, toMessage, toSummary } from './rows.ts';
import type { ConversationRow, MessageRow } from './tables.ts';
import { conversationMarkdown } from './markdown.ts';
import type { Workspaces } from './workspaces.ts';

/** Hits looked at for one page of a search: several messages of one conversation are one result. */
const HITS = 200;
const EXCERPT_CHARS = 160;
const PAGE = 500;

export type ConversationHit = Conversation & { readonly excerpt?: string };

/** Threads of talk. */
export interface Conversations {
  list(query: {
    workspace?: string | undefined;
    archived?: boolean | undefined;
    q?: string | undefined;
    /** What `q` is looked for in; ISO 8601. */
    role?: Message['role'] | undefined;
    since?: string | undefined;
    until?: string | undefined;
    cursor?: string | undefined;
    limit: number;
  }): Promise<{ items: ConversationHit[]; next: string | null }>;
  get(id: string): Promise<Conversation>;
  add(input: NewConversation): Promise<Conversation>;
  /** The conversation of this chat, made at its first message. `isPrivate`: only the owner hears it. */
  ofChat(channel: string, chat: string, isPrivate: boolean): Promise<Conversation>;
  /** A new conversation that begins with what was said in this one, up to the end of the turn of a message, or to the last turn that is over. */
  fork(id: string, messageId?: string): Promise<Conversation>;
  change(id: string, patch: ConversationPatch): Promise<Conversation>;
  remove(id: string): Promise<void>;
  /** Newest first. */
  messages(id: string, query: { cursor?: string | undefined; limit: number }): Promise<{ items: Message[]; next: string | null }>;
  /** What stands for its oldest messages before the model. */
  summary(id: string): Promise<ConversationSummary | null>;
  export(id: string): Promise<{ fileName: string; markdown: string }>;
}

export interface ConversationsDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly index: SearchIndex;
  readonly workspaces: Workspaces;
  /** Takes secrets out of a title. */
  readonly redact: (text: string) => string;
}

export async function requireConversation(db: Db, id: string): Promise<ConversationRow> {
  const row = await queries.findConversation(db, id);
  if (!row) throw new AppError('not_found', 'agent.no_conversation', 'No such conversation', { id });
  return row;
}

export function createConversations({ store, bus, clock, newId, index, workspaces, redact }: ConversationsDeps): Conversations {
  const tellAfter = (id: string, change: 'added' | 'changed' | 'removed'): void =>
    store.onCommit(() => bus.publish('conversation.changed', { id, change }));

  async function checkAssistant(tx: Db, id: string | null): Promise<void> {
    if (id !== null && !(await queries.findAssistant(tx, id)))
      throw new AppError('invalid', 'agent.no_assistant', 'assistantId: no such assistant', { field: 'assistantId', id });
  }

  function newRow(workspaceId: string, fields: Partial<ConversationRow>): ConversationRow {
    const at = clock.now();
    return {
      id: newId(),
      workspace_id: workspaceId,
      assistant_id: null,
      title: '',
      channel: null,
      chat: null,
      shared: 0,
      forked_from: null,
      pinned: 0,
      archived: 0,
      created_at: at,
      updated_at: at,
      ...fields,
    };
  }

  async function search(
    q: string,
    { workspace, archived, role, since, until, limit }: Parameters<Conversations['list']>[0],
  ): Promise<ConversationHit[]> {
    const [first, ...others] = workspace !== undefined ? [workspace] : (await workspaces.list()).map(({ id }) => id);
    if (first === undefined) return [];
    const hits = await index.search({
      filter: { scopes: [first, ...others], kinds: role && [role], now: clock.now() },
      text: q,
      limit: HITS,
    });
    const ids = hits.map(({ item }) => item);
    if (ids.length === 0) return [];
    const messages = new Map((await queries.findMessages(store.db, ids)).map((row) => [row.id, row]));
    const best = new Map<string, MessageRow>();
    for (const id of ids) {
      const message = messages.get(id);
      if (message && isBetween(message.created_at, since, until) && !best.has(message.conversation_id))
        best.set(message.conversation_id, message);
    }
    if (best.size === 0) return [];
    const rows = new Map((await queries.findConversations(store.db, [...best.keys()])).map((row) => [row.id, row]));
    return [...best]
      .flatMap(([id, message]) => {
        const row = rows.get(id);
        return row && (archived === undefined || (row.archived === 1) === archived)
          ? [{ ...toConversation(row), excerpt: excerptOf(message.text, q) }]
          : [];
      })
      .slice(0, limit);
  }

  return {
    async list(query) {
      const { workspace, archived, q, cursor, limit } = query;
      if (q !== undefined) return { items: await search(q, query), next: null };
      const rows = await queries.listConversationRows(
        store.db,
        { workspaceId: workspace, archived: archived ?? false },
        cursor === undefined ? null : readCursor(cursor),
        limit + 1,
      );
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return { items: page.map(toConversation), next: rows.length > limit && last ? `${last.pinned}.${last.updated_at}.${last.id}` : null };
    },

    get: async (id) => toConversation(await requireConversation(store.db, id)),

    async add({ workspaceId, assistantId = null, title = '' }) {
      const workspace = workspaceId === undefined ? await workspaces.first() : await workspaces.get(workspaceId);
      const row = newRow(workspace.id, { assistant_id: assistantId, title: redact(title) });
      await store.write(async (tx) => {
        await checkAssistant(tx, assistantId);
        await queries.insertConversation(tx, row);
        tellAfter(row.id, 'added');
      });
      return toConversation(row);
    },

    async ofChat(channel, chat, isPrivate) {
      const shared = isPrivate ? 0 : 1;
      const known = await queries.findConversationOfChat(store.db, channel, chat);
      if (known && known.shared !== shared) await store.write((tx) => queries.updateConversation(tx, known.id, { shared }));
      if (known) return toConversation({ ...known, shared });
      const { id: workspaceId } = await workspaces.first();
      return store.write(async (tx) => {
        const row = newRow(workspaceId, { channel, chat, shared });
        await queries.insertConversation(tx, row);
        const made = (await queries.findConversationOfChat(tx, channel, chat))!;
        if (made.id === row.id) tellAfter(row.id, 'added');
        return toConversation(made);
      });
    },

    async fork(id, messageId) {
      return store.write(async (tx) => {
        const from = await requireConversation(tx, id);
        const row = newRow(from.workspace_id, { assistant_id: from.assistant_id, title: from.title, forked_from: id });
        await queries.insertConversation(tx, row);
        await copyMessages(tx, { newId, index }, id, row, messageId);
        tellAfter(row.id, 'added');
        return toConversation(row);
      });
    },

    async change(id, { title, assistantId, pinned, archived }) {
      return store.write(async (tx) => {
        const row = await requireConversation(tx, id);
        if (assistantId !== undefined) await checkAssistant(tx, assistantId);
        const next: ConversationRow = {
          ...row,
          title: title === undefined ? row.title : redact(title),
          assistant_id: assistantId === undefined ? row.assistant_id : assistantId,
          pinned: pinned === undefined ? row.pinned : Number(pinned),
          archived: archived === undefined ? row.archived : Number(archived),
        };
        await queries.updateConversation(tx, id, next);
        tellAfter(id, 'changed');
        return toConversation(next);
      });
    },

    async remove(id) {
      await store.write(async (tx) => {
        await requireConversation(tx, id);
        if ((await queries.openTurns(tx, id)).length > 0)
          throw new AppError('conflict', 'agent.conversation_busy', 'A turn is going on in this conversation: cancel it first', { id });
        await index.remove(tx, await queries.deleteConversation(tx, id));
        tellAfter(id, 'removed');
      });
    },

    async messages(id, { cursor, limit }) {
      await requireConversation(store.db, id);
      const rows = await queries.messagesBefore(store.db, id, cursor, limit + 1);
      const page = rows.slice(0, limit);
      const turns = new Map(
        (
          await queries.turnsOfAnswers(
            store.db,
            page.filter(({ role }) => role === 'assistant').map((row) => row.id),
          )
        ).map((turn) => [turn.answer_id, turn.status]),
      );
      return { items: page.map((row) => toMessage(row, turns.get(row.id) ?? null)), next: rows.length > limit ? page.at(-1)!.id : null };
    },

    async summary(id) {
      await requireConversation(store.db, id);
      const row = await queries.findSummary(store.db, id);
      return row ? toSummary(row) : null;
    },

    async export(id) {
      const conversation = await requireConversation(store.db, id);
      const all: MessageRow[] = [];
      for (let before: string | undefined; ;) {
        const page = await queries.messagesBefore(store.db, id, before, PAGE);
        all.push(...page);
        if (page.length < PAGE) break;
        before = page.at(-1)!.id;
      }
      return conversationMarkdown(conversation, all.toReversed());
    },
  };
}

function readCursor(cursor: string): queries.ConversationPlace {
  const [, pinned, updatedAt, id] = /^([01])\.(\d{1,16})\.(.+)$/.exec(cursor) ?? [];
  if (id === undefined)
    throw new AppError('invalid', 'agent.bad_cursor', 'cursor: use `next` of the page before as it is', { field: 'cursor' });
  return { pinned: Number(pinned), updatedAt: Number(updatedAt), id };
}

function isBetween(at: number, since: string | undefined, until: string | undefined): boolean {
  return (since === undefined || at >= Date.parse(since)) && (until === undefined || at <= Date.parse(until));
}

/** The words around the first of those searched for. */
function excerptOf(text: string, q: string): string {
  const flat = text.replaceAll(/\s+/g, ' ');
  const lower = flat.toLowerCase();
  const at = q
    .toLowerCase()
    .split(/\s+/)
    .map((word) => lower.indexOf(word))
    .filter((place) => place >= 0);
  const from = Math.max(0, (at.length > 0 ? Math.min(...at) : 0) - EXCERPT_CHARS / 4);
  return `${from > 0 ? '…' : ''}${flat.slice(from, from + EXCERPT_CHARS)}${from + EXCERPT_CHARS < flat.length ? '…' : ''}`;
}
