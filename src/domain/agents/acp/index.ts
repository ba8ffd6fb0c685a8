import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { Nursery } from '#core/nursery';
import type { GatewayScope, GatewaySession, GatewaySessions } from '#gateway';
import type { CallReceipt } from '#llm/contract';
import { policyQuestion, type Policy } from '#policy';
import type { Label } from '#runs/contract';
import type { Question } from '#workflows';
import type { Backend, BackendEvent, BackendTurn } from '../backend.ts';
import { addReceipt } from '../receipts.ts';
import type { Receipt } from '../contract.ts';
import { findSession, putSession } from '../queries.ts';
import { findProgram, type Places } from './find.ts';
import { answerWith, byMode, wantedBy } from './permission.ts';
import type { Recipe } from './recipes.ts';
import { inside, sandboxed } from './sandbox.ts';
import { openSession, type AgentSession } from './session.ts';
import { createTranslator } from './updates.ts';

export { findProgram } from './find.ts';
export { recipes, type Recipe } from './recipes.ts';

/** An agent that nobody spoke to for so long is ended; its session goes on when somebody does. */
const IDLE_MS = 10 * 60_000;
/** What was said before, for an agent that does not know it. */
const LONGEST_RECAP = 20_000;

export interface AcpDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly nursery: Nursery;
  readonly gateway: GatewaySessions;
  /** The gateway's socket in the file system, and its address for an agent that runs without a sandbox. */
  readonly socket: string;
  readonly gatewayUrl: () => string;
  /** Path of bubblewrap where it works here, else null. */
  readonly bubblewrap: () => Promise<string | null>;
  /** The owner said that an agent may run without a sandbox. */
  readonly mayRunBare: () => boolean;
  readonly places: Places;
  /** Paths by the ids of backends, from the settings. */
  readonly explicit: () => Readonly<Record<string, string>>;
  /** Private homes of the agents are below it. */
  readonly homesFolder: string;
  readonly policy: Pick<Policy, 'enforce'>;
  readonly ask: (question: Question, signal: AbortSignal) => Promise<string | null>;
}

interface Live {
  readonly session: AgentSession;
  readonly pass: GatewaySession;
  readonly key: string;
  /** The agent has heard from us, or was resumed: it knows what was said before. */
  knows: boolean;
  idle: NodeJS.Timeout | undefined;
}

/** Runs turns by an agent CLI that speaks the Agent Client Protocol: a process for each conversation, in a sandbox, with the gateway as its only way out. */
export function acpBackend(recipe: Recipe, deps: AcpDeps): Backend {
  const lives = new Map<string, Live>();
  let started = 0;

  return {
    id: recipe.id,
    title: recipe.title,
    async *run(turn) {
      if (turn.conversationId === null)
        throw new AppError(
          'invalid',
          'agent.needs_conversation',
          `${recipe.title} works in conversations: this call brings its own history. Choose an assistant with the builtin backend.`,
        );
      const conversation = turn.conversationId;
      let receipt: Receipt | null = null;
      const scope = (): GatewayScope => ({
        ...turn.scope,
        purpose: `backend:${recipe.id}`,
        defaults: turn.defaults,
        onReceipt: (it: CallReceipt) => (receipt = addReceipt(receipt, it)),
      });
      const live = await liveFor(conversation, turn, scope());
      clearTimeout(live.idle);
      live.pass.rebind(scope());
      try {
        const reason = yield* speak(live, turn);
        yield { type: 'end', reason, receipt: receipt ?? NOTHING };
      } finally {
        if (live.session.isAlive()) live.idle = setTimeout(() => void end(conversation), IDLE_MS).unref();
        else await end(conversation);
      }
    },
  };

  /** The process of a conversation, started when there is none or what it was started with has changed. */
  async function liveFor(conversation: string, turn: BackendTurn, scope: GatewayScope): Promise<Live> {
    const { assistant, workspace } = turn;
    const key = JSON.stringify([assistant.id, assistant.model, assistant.tier, assistant.permissionMode, workspace.folder, turn.system]);
    const known = lives.get(conversation);
    if (known?.key === key && known.session.isAlive()) return known;
    await end(conversation);
    const pass = deps.gateway.open(scope);
    try {
      const session = await start(conversation, turn, pass);
      const live: Live = { session, pass, key, knows: session.isResumed, idle: undefined };
      lives.set(conversation, live);
      await deps.store.write((tx) =>
        putSession(tx, { conversation_id: conversation, backend: recipe.id, session_id: session.id, updated_at: deps.clock.now() }),
      );
      return live;
    } catch (error) {
      pass.close();
      throw error;
    }
  }

  async function start(conversation: string, turn: BackendTurn, pass: GatewaySession): Promise<AgentSession> {
    const { assistant, workspace, signal } = turn;
    const found = await findProgram(recipe.programs, deps.explicit()[recipe.id], deps.places);
    if (!found)
      throw new AppError(
        'unavailable',
        'agent.cli_missing',
        `${recipe.title} is not on this machine: install it with "castellan backends install ${recipe.id}", or give its path in the setting agents.cli_paths`,
        { backend: recipe.id },
      );
    const bubblewrap = await deps.bubblewrap();
    if (bubblewrap === null && !deps.mayRunBare())
      throw new AppError(
        'unavailable',
        'agent.no_sandbox',
        `${recipe.title} runs in bubblewrap, which does not work here: see "castellan doctor". To let it run with all that you can do, set agents.run_bare to true.`,
      );
    const home = join(deps.homesFolder, recipe.id, assistant.id);
    for (const folder of ['', ...recipe.folders]) await mkdir(join(home, folder), { recursive: true, mode: 0o700 });
    const readOnly = assistant.permissionMode === 'plan';
    const model = assistant.model ?? assistant.tier ?? 'medium';
    return pass.token.use(async (token) => {
      const place = bubblewrap
        ? { gateway: inside.gateway, home: inside.home, sandboxed: true }
        : { gateway: deps.gatewayUrl(), home, sandboxed: false };
      const env = recipe.env({ ...place, token, model, readOnly });
      const bare = { command: found.path, args: [...recipe.args], env: { ...env, HOME: home, PATH: deps.places.path, TERM: 'dumb' } };
      const walled =
        bubblewrap &&
        sandboxed({
          bubblewrap,
          program: found.path,
          args: recipe.args,
          env,
          root: found.root,
          workspace: workspace.folder,
          readOnly,
          home,
          socket: deps.socket,
        });
      return openSession({
        nursery: deps.nursery,
        name: `${recipe.id}-${(started += 1)}`,
        title: recipe.title,
        ...(walled || bare),
        cwd: workspace.folder,
        resume: (await findSession(deps.store.db, conversation, recipe.id))?.session_id ?? null,
        meta: recipe.meta?.({ readOnly }, turn.system),
        signal,
      });
    });
  }

  async function* speak(live: Live, turn: BackendTurn): AsyncGenerator<BackendEvent, string> {
    const { signal } = turn;
    const { session } = live;
    const translate = createTranslator();
    const waiting: BackendEvent[] = [];
    let wake = Promise.withResolvers<void>();
    let isOver = false;
    const hear = (events: readonly BackendEvent[]): void => {
      for (const event of events) if (event.type === 'saw') for (const label of event.labels) seen.add(label);
      waiting.push(...events);
      wake.resolve();
    };
    let asked = 0;
    const seen = new Set(turn.labels);
    const over = session
      .prompt(
        wordsFor(turn, live.knows),
        {
          onUpdate: (update) => hear(translate(update)),
          onPermission: async (request, limit) => answerWith(request.options, await mayDo(turn, request, (asked += 1), seen, limit)),
        },
        signal,
      )
      .finally(() => {
        isOver = true;
        wake.resolve();
      });
    over.catch(() => {});
    live.knows = true;
    for (;;) {
      const events = waiting.splice(0);
      yield* events;
      if (isOver && waiting.length === 0) return await over;
      await wake.promise;
      wake = Promise.withResolvers<void>();
    }
  }

  /** By the assistant's mode, else by policy, else by the owner. */
  async function mayDo(
    turn: BackendTurn,
    request: Parameters<typeof wantedBy>[0],
    nth: number,
    seen: ReadonlySet<Label>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { assistant } = turn;
    const wanted = wantedBy(request);
    const said = byMode(assistant.permissionMode, wanted);
    turn.note?.('backend.permission', { ...wanted, title: request.toolCall.title ?? null, mode: assistant.permissionMode, said });
    if (said !== null) return said === 'allow';
    const step = `permission-${nth}`;
    const context = { chain: ['owner', `assistant:${assistant.id}`], labels: [...seen], run: turn.scope.runId!, step };
    try {
      await deps.policy.enforce({ principal: `backend:${recipe.id}`, ...wanted, context });
      return true;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'policy.ask') return false;
      const who = `${assistant.name} (${recipe.title})`;
      const question = policyQuestion(error, { runId: turn.scope.runId!, step, who }, deps.clock.now());
      const details = JSON.parse(JSON.stringify(error.details)) as never;
      const option = await deps.ask({ ...question, runId: turn.scope.runId!, step, title: assistant.name, details }, signal);
      return option === 'yes' || option === 'always';
    }
  }

  async function end(conversation: string): Promise<void> {
    const live = lives.get(conversation);
    if (!live) return;
    lives.delete(conversation);
    clearTimeout(live.idle);
    live.pass.close();
    await live.session.close();
  }
}

const NOTHING: Receipt = {
  provider: 'none',
  model: 'none',
  usage: { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0, reasoningTokens: 0 },
  costUsd: 0,
  offline: false,
  hops: [],
};

/** The last message alone: an agent keeps its own history. One that begins anew is told who it is and what was said before. */
function wordsFor({ system, messages }: BackendTurn, knows: boolean): string {
  const textOf = ({ parts }: BackendTurn['messages'][number]): string =>
    parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
  const words = textOf(messages.at(-1)!);
  if (knows) return words;
  const before = messages
    .slice(0, -1)
    .map((message) => `${message.role === 'user' ? 'Owner' : 'You'}: ${textOf(message)}`)
    .join('\n\n')
    .slice(-LONGEST_RECAP);
  return [system, before && `What was said before in this conversation:\n\n${before}`, words].filter(Boolean).join('\n\n');
}
