import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nursery } from '#core/nursery';
import { createGatewaySessions, gatewayRoutes, gatewaySocket } from '#gateway';
import { rulesOnly, testRule } from '#policy/testing';
import type { Script } from '#llm/testing';
import type { Question } from '#workflows';
import type { TurnEvent } from '../contract.ts';
import { setup as setupAgents } from '../testbed.ts';
import { acpBackend, recipes, type Recipe } from './index.ts';

export const bubblewrap = ['/usr/bin/bwrap', '/usr/local/bin/bwrap'].find((path) => existsSync(path)) ?? null;

export interface AcpBedOptions {
  /** Where the agents are installed. */
  readonly agentsFolder: string;
  readonly recipe?: Recipe;
  readonly script?: Script;
  readonly answer?: string | null;
  readonly policy?: ReturnType<typeof rulesOnly>;
  readonly mode?: 'default' | 'plan' | 'accept_edits' | 'dont_ask';
  readonly bare?: boolean;
  readonly explicit?: string;
  readonly turnUsd?: number;
}

/** A conversation with one agent CLI, over the real gateway and router, in the real sandbox. For this module's tests. */
export async function setup({
  agentsFolder,
  recipe = recipes[0]!,
  script = ({ prompt }) => ({ text: `the model heard: ${prompt}`, usage: { input: 1_000, output: 0 } }),
  turnUsd,
  answer = 'yes',
  policy = rulesOnly(testRule('ask', '*', '*')),
  mode = 'default',
  bare = false,
  explicit,
}: AcpBedOptions) {
  const sessions = createGatewaySessions();
  const questions: Question[] = [];
  const children = nursery('agents', { limit: 8, onEvent: () => {} });
  const late: { backend?: ReturnType<typeof acpBackend> } = {};
  const bed = await setupAgents({
    script,
    backends: [
      { id: recipe.id, title: recipe.title, run: (turn) => late.backend!.run(turn) },
      { id: 'builtin', title: 'Castellan', run: () => assert.fail('not asked') },
    ],
  });
  const socket = join(bed.folder, 'gateway.sock');
  const onError = (what: string, error: unknown): void => void bed.errors.push([what, error]);
  const routes = gatewayRoutes({ ...bed, llm: bed.llm.scoped, sessions, models: async () => [], onError });
  const life = new AbortController();
  const run = { signal: life.signal, exit: () => {} };
  const running = [await children.start(run), await gatewaySocket(socket, routes, sessions, onError).start(run)];
  late.backend = acpBackend(recipe, {
    ...bed, nursery: children, gateway: sessions, socket, gatewayUrl: () => 'http://127.0.0.1:9/gateway',
    bubblewrap: async () => (bare ? null : bubblewrap), mayRunBare: () => false,
    places: { agentsFolder, path: '/usr/bin:/bin', ownerHome: '/nonexistent' },
    explicit: (): Record<string, string> => (explicit === undefined ? {} : { [recipe.id]: explicit }), homesFolder: join(bed.folder, 'homes'), policy,
    ask: async (question) => (questions.push(question), answer),
  }); // prettier-ignore
  const workspace = (await bed.workspaces.list())[0]!;
  await mkdir(workspace.folder, { recursive: true });
  const assistant = await bed.assistants.add(
    { name: 'Coder', backend: recipe.id, permissionMode: mode, model: 'fake-1', ...(turnUsd !== undefined && { budget: { turnUsd } }) },
    'owner',
  );
  const { id } = await bed.conversations.add({ workspaceId: workspace.id, assistantId: assistant.id });
  return {
    ...bed, questions, children, id, workspace,
    async tell(text: string): Promise<TurnEvent[]> {
      const events: TurnEvent[] = [];
      const about = { conversationId: id, text, origin: { kind: 'owner' as const }, signal: AbortSignal.timeout(120_000) };
      for await (const { data } of bed.turns.turn(about)) events.push(data);
      return events;
    },
    async [Symbol.asyncDispose]() {
      life.abort();
      for (const it of running.toReversed()) await it.stop();
      await bed[Symbol.asyncDispose]();
    },
  }; // prettier-ignore
}
