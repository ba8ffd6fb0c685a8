import { newBoundary } from '#content';
import { AppError, errorInfo, toError, type ErrorInfo } from '#core/errors';
import type { Store } from '#core/db/store';
import type { Runs } from '#runs';
import type { Label } from '#runs/contract';
import type { Settings } from '#settings';
import type { Backend } from './backend.ts';
import { compose, type ComposeDeps, type Composed, type Note } from './compose.ts';
import type { Receipt } from './contract.ts';
import type { Compaction } from './compaction.ts';
import { viewOf, type Summary } from './history.ts';
import { runAfter, type TurnView } from './hooks.ts';
import { createKeeper } from './keeper.ts';
import type { LiveTurn } from './live-turn.ts';
import { countMessages, findAssistant, findConversation, findMessage, findSummary, findWorkspace, messagesBefore } from './queries.ts';
import { toAssistant, toWorkspace } from './rows.ts';
import { historyChars } from './settings.ts';
import type { Ending, TurnRecord } from './turn-record.ts';

/** Messages looked at for the history that goes along. */
const HISTORY_MESSAGES = 400;

export interface DriveDeps extends ComposeDeps {
  readonly store: Store;
  readonly record: TurnRecord;
  readonly runs: Pick<Runs, 'journal'>;
  readonly settings: Pick<Settings, 'get'>;
  readonly compaction: Pick<Compaction, 'after'>;
  readonly backends: readonly Backend[];
  readonly onError: (what: string, error: unknown) => void;
}

/** Answers one turn that has begun, and ends it whatever happens. */
export function createDrive(deps: DriveDeps): (live: LiveTurn) => Promise<void> {
  const { store, record, runs, settings, backends, compaction, clock, hooks, random, onError } = deps;

  return async (live) => {
    const { row, transcript, signal } = live;
    const lines: Promise<void>[] = [];
    let costUsd = 0;
    let receipt: Receipt | null = null;
    let composed: Composed | null = null;

    const note: Note = (type, data) => {
      if (type === 'llm.settled') costUsd += Number((data as { costUsd?: number }).costUsd ?? 0);
      lines.push(runs.journal(row.run_id, type, null, data).catch((error: unknown) => onError('A journal line was lost', error)));
    };
    const keeper = createKeeper(
      transcript,
      clock,
      () => record.keep(row.answer_id, transcript.parts),
      (error) => onError('An answer could not be kept', error),
    );

    /** Before the next word of the answer, so that no crash takes a label off. */
    async function taint(labels: readonly Label[]): Promise<void> {
      const view = (composed as Composed).turn;
      const news = labels.filter((label) => !view.labels.has(label));
      if (news.length === 0) return;
      const turn = { ...view, labels: view.labels.union(new Set(news)) };
      composed = { ...(composed as Composed), turn };
      await record.taint(row, answerLabels(turn.labels));
    }

    async function answer(): Promise<Ending> {
      const { turn, history } = await load(live, note);
      composed = await compose(deps, turn, history, note, signal);
      await record.keepContext(row, composed.context, answerLabels(composed.turn.labels));
      if (composed.halt !== null) {
        transcript.append({ type: 'text', text: composed.halt });
        return { status: 'succeeded', outcome: 'halted' };
      }
      const backend = backends.find(({ id }) => id === turn.assistant.backend);
      if (!backend)
        throw new AppError(
          'unavailable',
          'agent.unknown_backend',
          `The backend ${turn.assistant.backend} is not there: give ${turn.assistant.name} another one`,
          { backend: turn.assistant.backend },
        );
      let outcome = 'stop';
      for await (const event of backend.run({ ...composed.request, signal })) {
        if (event.type === 'end') {
          receipt = event.receipt;
          outcome = event.reason;
          continue;
        }
        if (event.type === 'saw') {
          await taint(event.labels);
          continue;
        }
        transcript.append(event);
        keeper.grown();
        live.wake();
      }
      signal.throwIfAborted();
      return { status: 'succeeded', outcome };
    }

    const ending = await answer().catch((error: unknown) => endingOf(live, error, onError));
    await keeper.stop();
    await Promise.all(lines);
    const end = await record.close(row, 'running', { ...ending, parts: transcript.parts, receipt, costUsd });
    if (!end) throw new Error(`Turn ${row.run_id} was ended by somebody else`);
    live.finish(end);
    if (ending.status !== 'succeeded' || composed === null) return;
    await runAfter(hooks.after, { ...(composed as Composed).turn, answer: end.message }, clock, note, signal).catch((error: unknown) =>
      onError('A hook failed', error),
    );
    const { turn, request } = composed as Composed;
    compaction.after({
      conversationId: row.conversation_id,
      assistant: turn.assistant,
      scope: { ...request.scope, journal: noteLater(row.run_id) },
      offline: (receipt as Receipt | null)?.offline ?? false,
    });
  };

  /** What is written after a turn is in its journal too. */
  function noteLater(runId: string): Note {
    return (type, data) => void runs.journal(runId, type, null, data).catch((error: unknown) => onError('A journal line was lost', error));
  }

  async function load({ row }: LiveTurn, note: Note) {
    const [ask, conversation, earlier, kept] = await Promise.all([
      findMessage(store.db, row.ask_id),
      findConversation(store.db, row.conversation_id),
      messagesBefore(store.db, row.conversation_id, row.ask_id, HISTORY_MESSAGES),
      findSummary(store.db, row.conversation_id),
    ]);
    const workspace = toWorkspace((await findWorkspace(store.db, conversation!.workspace_id))!);
    const assistant = toAssistant((await findAssistant(store.db, conversation!.assistant_id ?? workspace.defaultAssistantId))!);
    const summary: Summary | null = kept ? { text: kept.text, labels: JSON.parse(kept.labels) as Label[], last: kept.last_id } : null;
    const first = earlier.length === HISTORY_MESSAGES ? earlier.at(-1)!.id : null;
    const view = viewOf(earlier, settings.get(historyChars), newBoundary(random), { summary, isCutOff: first !== null });
    const older = first === null ? 0 : await countMessages(store.db, row.conversation_id, summary?.last ?? '', first);
    note('turn.begun', {
      assistant: assistant.name,
      backend: assistant.backend,
      history: view.inView.length,
      summarised: view.summarised,
      leftOut: view.dropped + older,
    });
    const said = new Set(JSON.parse(ask!.labels) as Label[]);
    const labels = new Set<Label>([...said, ...view.labels]);
    const turn: TurnView = {
      runId: row.run_id,
      conversationId: row.conversation_id,
      inViewFrom: view.inView[0] ?? row.ask_id,
      workspace,
      assistant,
      text: ask!.text,
      context: [],
      said,
      labels,
    };
    return { turn, history: view.messages };
  }
}

/** An answer is nobody's word but the model's; what taints its sources taints it. */
function answerLabels(labels: ReadonlySet<Label>): Label[] {
  return [...labels].filter((label) => label !== 'owner');
}

/** Why a turn failed that was cut off by the end of the program. */
export function interrupted(): ErrorInfo {
  return errorInfo(
    new AppError(
      'unavailable',
      'agent.turn_interrupted',
      'Castellan ended while this was being answered. What had arrived is kept; ask again for another answer.',
    ),
  );
}

function endingOf(live: LiveTurn, error: unknown, onError: DriveDeps['onError']): Ending {
  const reason = live.stoppedBy();
  if (reason === 'cancelled') return { status: 'cancelled' };
  if (reason === 'closing') return { status: 'failed', error: interrupted(), outcome: 'interrupted' };
  if (!(error instanceof AppError)) onError('A turn failed', toError(error));
  return { status: 'failed', error: errorInfo(error) };
}
