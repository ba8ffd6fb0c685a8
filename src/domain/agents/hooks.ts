import type { Clock } from '#core/clock';
import { AppError, errorInfo } from '#core/errors';
import type { Json } from '#core/json';
import type { Label } from '#runs/contract';
import type { Assistant, ContextBlock, Message, Workspace } from './contract.ts';

const HOOK_LIMIT_MS = 3_000;

/** What a hook may know of a turn. */
export interface TurnView {
  readonly runId: string;
  /** Null for a call over the OpenAI-compatible API, which brings its own history. */
  readonly conversationId: string | null;
  /** From this message on the conversation is in the model's view, or is this turn itself; null without a conversation. */
  readonly inViewFrom: string | null;
  readonly workspace: Workspace;
  readonly assistant: Assistant;
  /** The words as the model will get them: the owner's, or what an earlier hook made of them. */
  readonly text: string;
  readonly context: readonly ContextBlock[];
  /** Of the words alone. */
  readonly said: ReadonlySet<Label>;
  /** Of the words, the history and the context: the answer's. */
  readonly labels: ReadonlySet<Label>;
}

/** What a hook adds to a turn; `halt` ends it with this answer, and no model is asked. */
export interface Enrichment {
  readonly context?: readonly ContextBlock[];
  /** Put behind the assistant's own layers. */
  readonly system?: string;
  /** Sent in place of the words; what the owner wrote stays stored. */
  readonly text?: string;
  readonly labels?: readonly Label[];
  readonly halt?: string;
  /** What it found and why, without its words: a line of the journal, `turn.<name of the hook>`. */
  readonly journal?: Json;
}

/** Runs before the model is asked, in the order of the list. Contract: ends when the signal does. */
export interface BeforeHook {
  readonly name: string;
  /** 3 s when left out. */
  readonly limitMs?: number;
  run(turn: TurnView, signal: AbortSignal): Promise<Enrichment | void>;
}

/** Observes a turn that has been answered. */
export interface AfterHook {
  readonly name: string;
  readonly limitMs?: number;
  run(turn: TurnView & { readonly answer: Message }, signal: AbortSignal): Promise<void>;
}

/** `turn.before` and `turn.after`, in their order. */
export interface TurnHooks {
  readonly before: readonly BeforeHook[];
  readonly after: readonly AfterHook[];
}

export interface Enriched {
  readonly turn: TurnView;
  readonly system: readonly string[];
  readonly halt: { readonly hook: string; readonly answer: string } | null;
}

type Note = (type: string, data: Json) => void;

/** A hook that fails or takes too long is left out and noted: it never takes the turn with it. */
export async function runBefore(
  hooks: readonly BeforeHook[],
  turn: TurnView,
  clock: Clock,
  note: Note,
  signal: AbortSignal,
): Promise<Enriched> {
  const system: string[] = [];
  for (const hook of hooks) {
    const found = await contained(hook, (limit) => hook.run(turn, limit), clock, note, signal);
    if (!found) continue;
    if (found.journal !== undefined) note(`turn.${hook.name}`, found.journal);
    if (found.system) system.push(found.system);
    turn = {
      ...turn,
      text: found.text ?? turn.text,
      context: [...turn.context, ...(found.context ?? [])],
      labels: new Set([...turn.labels, ...(found.labels ?? []), ...(found.context ?? []).flatMap(({ labels = [] }) => labels)]),
    };
    if (found.halt !== undefined) {
      note('turn.halted', { hook: hook.name });
      return { turn, system, halt: { hook: hook.name, answer: found.halt } };
    }
  }
  return { turn, system, halt: null };
}

export async function runAfter(
  hooks: readonly AfterHook[],
  turn: TurnView & { readonly answer: Message },
  clock: Clock,
  note: Note,
  signal: AbortSignal,
): Promise<void> {
  for (const hook of hooks) await contained(hook, (limit) => hook.run(turn, limit), clock, note, signal);
}

async function contained<T>(
  hook: { readonly name: string; readonly limitMs?: number },
  run: (signal: AbortSignal) => Promise<T>,
  clock: Clock,
  note: Note,
  signal: AbortSignal,
): Promise<T | undefined> {
  const { name, limitMs = HOOK_LIMIT_MS } = hook;
  signal.throwIfAborted();
  const ended = new AbortController();
  const limit = AbortSignal.any([signal, ended.signal]);
  const late = clock.sleep(limitMs, limit).then(() => {
    throw new AppError('limited', 'agent.hook_too_slow', `The hook ${name} took more than ${limitMs} ms`, { hook: name });
  });
  late.catch(() => {});
  try {
    return await Promise.race([Promise.try(run, limit), late]);
  } catch (error) {
    signal.throwIfAborted();
    note('turn.hook_failed', { hook: name, error: { ...errorInfo(error) } as unknown as Json });
    return undefined;
  } finally {
    ended.abort();
  }
}
