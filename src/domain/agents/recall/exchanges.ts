import type { Clock } from '#core/clock';
import type { SearchIndex } from '#core/db/search';
import type { Store } from '#core/db/store';
import type { Label } from '#runs/contract';
import type { Receipt } from '../contract.ts';
import { exchangesOf, findConversations, runsFrom } from '../queries.ts';
import type { ConversationRow, MessageRow } from '../tables.ts';
import type { RecallScope } from './scope.ts';
import { isAlike, shared } from './telling.ts';

/** Hits looked at for one message. */
const HITS = 60;
/** Of one conversation. */
const MOST_EXCHANGES = 3;
/** The usual constant of reciprocal rank fusion; what is recent counts half of what is alike. */
const RANK_OFFSET = 60;
const RECENCY = 0.5;

export interface SaidQuery {
  readonly scope: RecallScope;
  /** Words that tell what it is about, as `tellingWords` gives them. */
  readonly words: readonly string[];
  readonly roles?: readonly MessageRow['role'][];
  /** Milliseconds since the epoch. */
  readonly since?: number;
  readonly until?: number;
  /** Messages of this conversation from that one on are in view. */
  readonly inView: { readonly conversationId: string; readonly from: string };
}

/** What was said of the words in one conversation, with what was answered. */
export interface SaidBefore {
  readonly conversation: ConversationRow;
  /** Oldest first. */
  readonly messages: readonly MessageRow[];
  /** The words that were found in them. */
  readonly held: readonly string[];
}

export interface ExchangesDeps {
  readonly store: Store;
  readonly index: SearchIndex;
  readonly clock: Clock;
}

/** Exchanges of earlier talk that hold the words, by conversation, the best first. */
export async function findSaid({ store, index, clock }: ExchangesDeps, query: SaidQuery): Promise<readonly SaidBefore[]> {
  const { scope, words, roles, since = 0, until = Infinity, inView } = query;
  if (words.length === 0) return [];
  const filter = { scopes: [scope.workspaceId] as const, kinds: roles, now: clock.now() };
  const found = (await index.search({ filter, text: words.join(' '), limit: HITS })).map(({ item }) => item);
  // of what was forked there are copies, each with the run of the first: one of them is enough, and none where one is in view
  const known = new Set<string>((await runsFrom(store.db, inView.conversationId, inView.from)).map(({ run_id: run }) => run));
  const near = (await exchangesOf(store.db, found)).filter((row) => !known.has(row.run_id) && isRecallable(row, scope, inView));
  const firstIn = new Map(near.toReversed().map((row) => [row.run_id, row.conversation_id]));
  const rows = near.filter((row) => firstIn.get(row.run_id) === row.conversation_id);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const hits = found
    .flatMap((id) => byId.get(id) ?? [])
    .filter(({ created_at: at }) => at >= since && at <= until)
    .map((row) => ({ row, held: shared(words, ownWords(row.text)) }))
    .filter(({ held }) => isAlike(held.length, words.length));

  const byAge = hits.toSorted((a, b) => b.row.created_at - a.row.created_at);
  const score = new Map(
    hits.map((hit, rank) => [hit.row.id, 1 / (RANK_OFFSET + rank) + RECENCY / (RANK_OFFSET + byAge.indexOf(hit))] as const),
  );
  const best = hits.toSorted((a, b) => b.held.length - a.held.length || score.get(b.row.id)! - score.get(a.row.id)!);
  const conversations = await conversationsOf(store, best);
  return [...Map.groupBy(best, ({ row }) => row.conversation_id)].flatMap(([id, of]) => {
    const conversation = conversations.get(id);
    if (!conversation) return [];
    const asks = new Set([...new Set(of.map(({ row }) => row.reply_to ?? row.id))].slice(0, MOST_EXCHANGES));
    const messages = rows.filter((row) => asks.has(row.reply_to ?? row.id) && isLatestAnswer(row, rows));
    return [{ conversation, messages, held: [...new Set(of.flatMap(({ held }) => held))] }];
  });
}

/** A text without the lines that quote another. */
export function ownWords(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*>/.test(line))
    .join('\n')
    .trim();
}

/** Only words of the owner and whole answers, and none that the model sees anyway. */
function isRecallable(row: MessageRow, scope: RecallScope, { conversationId, from }: SaidQuery['inView']): boolean {
  const labels = JSON.parse(row.labels) as Label[];
  if (row.status !== 'complete' || ownWords(row.text) === '') return false;
  if (row.role === 'user' && labels.includes('untrusted')) return false;
  if ((JSON.parse(row.receipt ?? 'null') as Receipt | null)?.offline) return false; // it quotes what it was given, recalled text too
  if (row.conversation_id === conversationId && row.id >= from) return false;
  return (
    scope.audience === 'owner' ||
    (row.conversation_id === scope.conversationId && !labels.includes('private') && !labels.includes('secret'))
  );
}

function isLatestAnswer(row: MessageRow, rows: readonly MessageRow[]): boolean {
  return row.reply_to === null || !rows.some((other) => other.reply_to === row.reply_to && other.id > row.id);
}

async function conversationsOf(store: Store, hits: readonly { readonly row: MessageRow }[]): Promise<Map<string, ConversationRow>> {
  const ids = [...new Set(hits.map(({ row }) => row.conversation_id))];
  const rows = ids.length === 0 ? [] : await findConversations(store.db, ids);
  return new Map(rows.map((row) => [row.id, row]));
}
