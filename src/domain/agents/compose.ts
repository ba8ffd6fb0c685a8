import type { Clock } from '#core/clock';
import { newBoundary } from '#content';
import type { Json } from '#core/json';
import type { CallDefaults, CallScope, Message, ScopedLlm } from '#llm/contract';
import type { Policy } from '#policy';
import type { BackendTurn } from './backend.ts';
import type { ContextBlock } from './contract.ts';
import { runBefore, type TurnHooks, type TurnView } from './hooks.ts';
import type { Toolbox } from './tools.ts';
import { clockBlock, promptOf, systemPrompt, type OwnerFacts } from './persona.ts';

export interface ComposeDeps {
  readonly clock: Clock;
  readonly llm: (scope: CallScope, defaults: readonly CallDefaults[]) => ScopedLlm;
  readonly owner: () => OwnerFacts;
  readonly hooks: TurnHooks;
  readonly policy: Pick<Policy, 'enforce'>;
  /** For the boundaries of envelopes. */
  readonly random: () => number;
  readonly toolbox: Toolbox;
  /** About so many characters of one turn go to the model at once. */
  readonly windowChars: () => number;
}

export interface Composed {
  /** What the hooks made of it. */
  readonly turn: TurnView;
  /** Injected before the words. */
  readonly context: readonly ContextBlock[];
  /** The answer of a hook that wants no model asked. */
  readonly halt: string | null;
  readonly request: Omit<BackendTurn, 'signal'>;
}

export type Note = (type: string, data: Json) => void;

/** Makes of a message what its backend gets: hooks, persona, history, context, and the router bound to who pays. */
export async function compose(
  { clock, llm, owner, hooks, policy, toolbox, windowChars, random }: ComposeDeps,
  turn: TurnView,
  history: readonly Message[],
  note: Note,
  signal: AbortSignal,
): Promise<Composed> {
  const facts = owner();
  const started = { ...turn, context: [clockBlock(clock.now(), facts.timeZone), ...turn.context] };
  const enriched = await runBefore(hooks.before, started, clock, note, signal);
  const { workspace, assistant, conversationId, context, text } = enriched.turn;
  if (enriched.halt === null)
    await policy.enforce({
      principal: `assistant:${assistant.id}`,
      capability: 'llm:call',
      resource: assistant.provider ? `provider:${assistant.provider}` : `tier:${assistant.tier ?? 'default'}`,
      context: { chain: ['owner'], labels: [...enriched.turn.labels], run: turn.runId },
    });
  const system = [systemPrompt(assistant, facts), ...enriched.system].join('\n\n');
  const messages = [
    ...history,
    { role: 'user' as const, parts: [{ type: 'text' as const, text: promptOf(context, text, turn.said, newBoundary(random)) }] },
  ];
  const tools = enriched.halt ? null : await toolbox.open(enriched.turn);
  const [scope, defaults] = [scopeOf(enriched.turn, note), [preferencesOf(assistant)]];
  const scoped = llm(scope, defaults);
  return {
    turn: enriched.turn,
    context,
    halt: enriched.halt?.answer ?? null,
    request: {
      workspace,
      assistant,
      conversationId,
      system,
      messages,
      llm: scoped,
      scope,
      defaults,
      note,
      tools,
      labels: enriched.turn.labels,
      windowChars: windowChars(),
    },
  };
}

/** The budget of a workspace's day is held like that of a workflow, under a name of its own. */
function scopeOf({ runId, workspace, assistant }: TurnView, journal: Note): CallScope {
  const limits = [assistant.budget.turnUsd, workspace.budget.turnUsd].filter((usd) => usd !== undefined);
  const { dayUsd } = workspace.budget;
  return {
    runId,
    purpose: 'turn',
    journal,
    ...(limits.length > 0 && { runBudgetUsd: Math.min(...limits) }),
    ...(dayUsd !== undefined && { workflowId: `workspace:${workspace.id}`, workflowDailyBudgetUsd: dayUsd }),
  };
}

/** What an assistant asks of the router. */
export function preferencesOf({ tier, provider, model }: TurnView['assistant']): CallDefaults {
  return { ...(tier && { tier }), ...(provider && { provider }), ...(model && { model }) };
}
