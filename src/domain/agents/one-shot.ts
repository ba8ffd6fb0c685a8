import type { Store } from '#core/db/store';
import { AppError, errorInfo } from '#core/errors';
import type { Message, Part } from '#llm/contract';
import type { Runs } from '#runs';
import type { Label, TriggerRef } from '#runs/contract';
import type { Backend, BackendEvent, BackendTurn } from './backend.ts';
import { compose, type ComposeDeps, type Note } from './compose.ts';
import type { Assistant, Receipt, Workspace } from './contract.ts';

/** A question with all its history, from a program that keeps that by itself. */
export interface Question {
  readonly workspace: Workspace;
  readonly assistant: Assistant;
  /** Put behind the assistant's own layers. */
  readonly system?: string;
  /** What was said before. */
  readonly history: readonly Message[];
  /** The words to answer; null where the history ends with something else, such as the result of a tool. */
  readonly text: string | null;
  /** Pictures that go with the words. */
  readonly images?: readonly Part[];
  readonly options?: NonNullable<BackendTurn['callerOptions']>;
  readonly origin: TriggerRef;
  readonly labels: readonly Label[];
  readonly signal: AbortSignal;
}

/** Answers without a conversation. It is a run like every turn, with hooks, budget, journal and cost, but nothing of it is kept as messages. */
export type OneShot = (question: Question) => AsyncIterable<BackendEvent>;

export interface OneShotDeps extends ComposeDeps {
  readonly store: Store;
  readonly runs: Pick<Runs, 'create' | 'change' | 'journal' | 'addCost'>;
  readonly backends: readonly Backend[];
  readonly redact: (text: string) => string;
  readonly onError: (what: string, error: unknown) => void;
}

const NOTHING: Receipt = {
  provider: 'none',
  model: 'none',
  usage: { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, reasoningTokens: 0 },
  costUsd: 0,
  offline: true,
  hops: [],
};

/** Our own tools are our own affair: a caller is shown only the calls it must perform itself. */
function isForCaller({ type }: BackendEvent, hasOwnTools: boolean): boolean {
  return type !== 'saw' && (hasOwnTools || (type !== 'tool_call' && type !== 'tool_result'));
}

export function createOneShot(deps: OneShotDeps): OneShot {
  const { store, clock, runs, backends, redact, onError } = deps;

  return async function* answer({ workspace, assistant, system, history, text, images = [], options, origin, labels, signal }) {
    const backend = backends.find(({ id }) => id === assistant.backend);
    if (!backend)
      throw new AppError(
        'unavailable',
        'agent.unknown_backend',
        `The backend ${assistant.backend} is not there: give ${assistant.name} another one`,
        { backend: assistant.backend },
      );
    const at = clock.now();
    const brings = history.some(({ parts }) => parts.some(({ type }) => type === 'tool_result'));
    const title = (text ?? 'Result of a tool').trim().slice(0, 60);
    const { run } = await store.write((tx) =>
      runs.create(tx, {
        kind: 'turn',
        title: redact(title),
        trigger: origin,
        status: 'running',
        input: { assistant: assistant.name, asked: at },
        labels: [...labels, ...(brings ? ['untrusted' as const] : [])],
      }),
    );
    const lines: Promise<void>[] = [];
    let costUsd = 0;
    let ended: { status: 'succeeded' | 'failed' | 'cancelled'; outcome: string; error: string | null } = {
      status: 'cancelled',
      outcome: 'cancelled',
      error: null,
    };
    const note: Note = (type, data) => {
      if (type === 'llm.settled') costUsd += Number((data as { costUsd?: number }).costUsd ?? 0);
      lines.push(runs.journal(run.id, type, null, data).catch((error: unknown) => onError('A journal line was lost', error)));
    };
    try {
      const turn = {
        runId: run.id,
        conversationId: null,
        inViewFrom: null,
        workspace,
        assistant,
        text: redact(text ?? ''),
        context: [],
        said: new Set(labels),
        labels: new Set([...labels, ...(brings ? ['untrusted' as const] : [])]),
      };
      const { request, halt } = await compose(deps, turn, history, note, signal);
      if (halt !== null) {
        yield { type: 'text', text: halt };
        yield { type: 'end', reason: 'stop', receipt: NOTHING };
        ended = { status: 'succeeded', outcome: 'halted', error: null };
        return;
      }
      const words = request.messages.at(-1)!;
      const messages = text === null ? history : [...history, { ...words, parts: [...images, ...words.parts] }];
      for await (const event of backend.run({
        ...request,
        messages,
        system: [request.system, system ?? ''].filter(Boolean).join('\n\n'),
        ...(options && { callerOptions: options }),
        signal,
      })) {
        if (event.type === 'end') ended = { status: 'succeeded', outcome: event.reason, error: null };
        if (isForCaller(event, options?.tools !== undefined)) yield event;
      }
    } catch (error) {
      if (!signal.aborted) ended = { status: 'failed', outcome: 'failed', error: JSON.stringify(errorInfo(error)) };
      throw error;
    } finally {
      await Promise.all(lines);
      await store.write(async (tx) => {
        if (costUsd > 0) await runs.addCost(tx, run.id, null, costUsd);
        await runs.change(tx, run.id, { ...ended, ended_at: clock.now() });
      });
    }
  };
}
