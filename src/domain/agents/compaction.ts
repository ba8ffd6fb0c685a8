import type { Clock } from '#core/clock';
import { enclose, ENVELOPE_RULE, newBoundary } from '#content';
import type { Store } from '#core/db/store';
import { AppError, errorInfo } from '#core/errors';
import type { Json } from '#core/json';
import type { CallScope } from '#llm/contract';
import type { Policy } from '#policy';
import type { Runs } from '#runs';
import type { Label } from '#runs/contract';
import type { Settings } from '#settings';
import { preferencesOf, type ComposeDeps } from './compose.ts';
import type { Assistant } from './contract.ts';
import { labelsOf, saidOf, shorten, SUMMARY_SHARE, viewOf } from './history.ts';
import { findSummary, messagesAfter, messagesBefore, openTurns, putSummary } from './queries.ts';
import { historyChars, summaries } from './settings.ts';
import type { MessageRow, SummaryRow } from './tables.ts';

/** A summary is begun a little before it is needed, and covers so much that the next one is not needed soon. */
const BEGIN_AT = 0.85;
const KEEP_WHOLE = 0.5;
/** Of one call: messages, characters of them, characters of one. */
const MESSAGES = 200;
const MATERIAL_CHARS = 24_000;
const MESSAGE_CHARS = 4_000;
/** After one turn; what is left is done after the next. */
const MOST_CALLS = 4;
const LONGEST_SUMMARY = 6_000;
const LIMIT_MS = 60_000;
/** Messages looked at for what is in view. */
const LOOKED_AT = 400;

/** A turn that has ended: whose run pays for what is written after it. */
export interface EndedTurn {
  readonly conversationId: string;
  readonly assistant: Assistant;
  /** The turn's own: its run, budget and day. */
  readonly scope: CallScope;
  /** It was answered without a model: then its summary may be too, else it rather waits for one. */
  readonly offline: boolean;
}

/** Summaries of what no longer fits in the view of long conversations. Nothing is taken from the messages, and what fails changes nothing. */
export interface Compaction {
  /** Looks whether one is needed, and writes it; one at a time for each conversation. Never throws. */
  after(turn: EndedTurn): void;
  /** Resolves when none is being written. */
  idle(): Promise<void>;
  /** Stops those being written. */
  stop(): Promise<void>;
}

export interface CompactionDeps extends Pick<ComposeDeps, 'llm' | 'random'> {
  readonly store: Store;
  readonly clock: Clock;
  readonly settings: Pick<Settings, 'get'>;
  readonly policy: Pick<Policy, 'enforce'>;
  readonly runs: Pick<Runs, 'journal' | 'addCost'>;
  readonly onError: (what: string, error: unknown) => void;
}

export function createCompaction({ store, clock, settings, policy, runs, llm, random, onError }: CompactionDeps): Compaction {
  const going = new Map<string, Promise<void>>();
  let closing = new AbortController();

  async function compact(turn: EndedTurn, signal: AbortSignal): Promise<void> {
    const limit = settings.get(historyChars);
    const until = await neededUntil(store, turn.conversationId, limit);
    if (until === null) return;
    for (let call = 0; call < MOST_CALLS; call += 1) {
      const before = await findSummary(store.db, turn.conversationId);
      const from = before?.last_id ?? '';
      if (from >= until) return;
      const rows = (await messagesAfter(store.db, turn.conversationId, from, MESSAGES)).filter(({ id }) => id <= until);
      const chunk = firstOf(rows);
      const last = chunk.at(-1);
      const said = saidOf(chunk.toReversed()).toReversed();
      if (!last || (said.length === 0 && !before)) return;
      const summary = await write(turn, before, said, Math.min(LONGEST_SUMMARY, Math.floor(limit * SUMMARY_SHARE)), signal);
      const row: SummaryRow = {
        conversation_id: turn.conversationId,
        ...summary,
        last_id: last.id,
        messages: (before?.messages ?? 0) + chunk.length,
        updated_at: clock.now(),
      };
      if (!(await store.write((tx) => putSummary(tx, row, before?.last_id ?? null)))) return;
      await note(turn, 'turn.summarised', { until: last.id, messages: row.messages, offline: summary.offline === 1 });
    }
  }

  /** The text of a summary of an earlier one and what came after it. */
  async function write(
    { assistant, scope, offline: allowOffline }: EndedTurn,
    before: SummaryRow | undefined,
    said: readonly MessageRow[],
    chars: number,
    signal: AbortSignal,
  ): Promise<Pick<SummaryRow, 'text' | 'labels' | 'offline'>> {
    const labels = [...new Set([...(before ? (JSON.parse(before.labels) as Label[]) : []), ...said.flatMap(labelsOf)])].filter(
      (label) => label !== 'owner',
    ); // nobody's word but the model's
    if (said.length === 0 && before) return { text: before.text, labels: before.labels, offline: before.offline };
    await policy.enforce({
      principal: `assistant:${assistant.id}`,
      capability: 'llm:call',
      resource: assistant.provider ? `provider:${assistant.provider}` : 'tier:light',
      context: { chain: ['owner'], labels, ...(scope.runId !== undefined && { run: scope.runId }) },
    });
    const boundary = newBoundary(random);
    const material = said.map(lineOf).join('\n\n');
    let costUsd = 0;
    const journal = (type: string, data: Json): void => {
      if (type === 'llm.settled') costUsd += Number((data as { costUsd?: number }).costUsd ?? 0);
      scope.journal?.(type, data);
    };
    try {
      const { text, receipt } = await llm({ ...scope, purpose: 'summary', journal }, [
        { ...preferencesOf(assistant), tier: 'light' },
      ]).complete({
        system: `${ORDER.replace('{chars}', `${chars}`)}\n\n${ENVELOPE_RULE}`,
        prompt: [
          ...(before ? [enclose(before.text, { source: 'the summary so far', labels, boundary })] : []),
          enclose(material, { source: 'what was said after it', labels, boundary }),
        ].join('\n\n'),
        maxOutputTokens: Math.ceil(chars / 2),
        task: { kind: 'summarize', text: [before?.text ?? '', material].join('\n\n').trim(), sentences: 12 },
        allowOffline,
        signal,
      });
      const clean = shorten(receipt.offline ? text.replace(/^\*[^\n]*\*\n\n/, '') : text.trim(), chars).trim();
      if (clean === '') throw new AppError('unavailable', 'agent.no_summary', 'The model gave no summary');
      return { text: clean, labels: JSON.stringify(labels), offline: receipt.offline ? 1 : 0 };
    } finally {
      const { runId } = scope;
      if (costUsd > 0 && runId !== undefined) await store.write((tx) => runs.addCost(tx, runId, null, costUsd));
    }
  }

  async function note({ scope }: EndedTurn, type: string, data: Json): Promise<void> {
    if (scope.runId !== undefined) await runs.journal(scope.runId, type, null, data);
  }

  async function attempt(turn: EndedTurn): Promise<void> {
    const { signal } = closing;
    try {
      await compact(turn, AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]));
    } catch (error) {
      if (signal.aborted) return;
      await note(turn, 'turn.summary_failed', { error: { ...errorInfo(error) } as unknown as Json });
    }
  }

  return {
    after(turn) {
      if (!settings.get(summaries) || closing.signal.aborted || going.has(turn.conversationId)) return;
      const job = attempt(turn)
        .catch((error: unknown) => onError('A summary could not be made', error))
        .finally(() => going.delete(turn.conversationId));
      going.set(turn.conversationId, job);
    },
    idle: async () => void (await Promise.all(going.values())),
    async stop() {
      closing.abort();
      await Promise.all(going.values());
      closing = new AbortController();
    },
  };
}

/** Up to which message a summary should go by now; null when none is needed. What is being answered is left alone. */
async function neededUntil(store: Store, conversationId: string, limitChars: number): Promise<string | null> {
  const [open] = await openTurns(store.db, conversationId);
  const rows = await messagesBefore(store.db, conversationId, open?.ask_id, LOOKED_AT);
  const said = saidOf(rows);
  const summary = await findSummary(store.db, conversationId);
  const isOut = (share: number): MessageRow | undefined => {
    const [oldest] = viewOf(rows, Math.floor(limitChars * share), '').inView;
    const out = oldest === undefined ? undefined : said.find(({ id }) => id < oldest);
    return out ?? (rows.length === LOOKED_AT ? rows[Math.floor(LOOKED_AT * share)] : undefined); // many small ones
  };
  const due = isOut(BEGIN_AT);
  if (due === undefined || due.id <= (summary?.last_id ?? '')) return null;
  return isOut(KEEP_WHOLE)?.id ?? due.id;
}

/** As many of the oldest as one call takes; at least one. */
function firstOf(rows: readonly MessageRow[]): readonly MessageRow[] {
  let used = 0;
  const end = rows.findIndex((row, at) => (used += lineOf(row).length) > MATERIAL_CHARS && at > 0);
  return end === -1 ? rows : rows.slice(0, end);
}

function lineOf({ role, text }: Pick<MessageRow, 'role' | 'text'>): string {
  return `${role === 'user' ? 'Owner' : 'Assistant'}: ${shorten(text, MESSAGE_CHARS)}`;
}

const ORDER = [
  'You keep the notes of a long conversation between an owner and their assistant. Write one summary of what is given: the summary so far, if there is one, and what was said after it.',
  'Keep what later talk may need: facts, names, numbers, dates, addresses, decisions and their reasons, what was asked for and is not done, what the owner likes and does not want.',
  'Leave out greetings and what was taken back. Say who said what where it matters. Invent nothing. Write in the language of the conversation, in short plain sentences, at most {chars} characters.',
].join('\n');
