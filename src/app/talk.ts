import { homedir } from 'node:os';
import { join } from 'node:path';
import { nursery } from '#core/nursery';
import { cliPaths, createAgents, createCliAgents, createTalk, runBare, skillTools } from '#agents';
import { channelKinds, createChannels } from '#channels';
import { createGatewaySessions, gatewayRoutes, gatewaySocket } from '#gateway';
import { createNotifications } from '#notifications';
import { defaultChannel } from '#settings';
import { askAndWait } from './ask-and-wait.ts';
import { chance } from './chance.ts';
import type { House } from './house.ts';
import type { Ground, Parts } from './parts.ts';
import { troublesOf } from './troubles.ts';
import type { Work } from './work.ts';

/** Who talks, and by what way: assistants, agent CLIs, channels, words to the owner. */
export interface Talk {
  readonly gateway: ReturnType<typeof createGatewaySessions>;
  readonly gatewayApi: ReturnType<typeof gatewayRoutes>;
  /** The gateway for agents in sandboxes. */
  readonly sandboxDoor: ReturnType<typeof gatewaySocket>;
  readonly agentProcesses: ReturnType<typeof nursery>;
  readonly agents: ReturnType<typeof createAgents>;
  readonly channels: ReturnType<typeof createChannels>;
  readonly notifications: ReturnType<typeof createNotifications>;
}

export function createTalking(
  { config, version, store, clock, newId, bus, queue, web, log, onError, tree }: Ground,
  { audit, vault, settings, owner, policy, approvals, redact, refuse }: House,
  { runs, llm, memory, catalogue, runner, workflows, engine, walls, ask }: Work,
  parts: Parts,
): Talk {
  const { home } = config;
  const gateway = createGatewaySessions();
  const gatewayApi = gatewayRoutes({
    store,
    clock,
    newId,
    runs,
    llm: llm.scoped,
    sessions: gateway,
    models: async () => (await llm.list()).flatMap(({ enabled, model }) => (enabled && model ? [model] : [])),
    onError,
  });
  const askHere = askAndWait({ store, bus, ask, withdraw: approvals.withdraw });
  const agentProcesses = nursery('agent-processes', { limit: 32 });
  const socket = join(home, 'run', 'gateway.sock');
  const sandboxDoor = gatewaySocket(socket, gatewayApi, gateway, onError);
  const cliAgents = createCliAgents({
    store,
    clock,
    audit,
    policy,
    gateway,
    socket,
    nursery: agentProcesses,
    gatewayUrl: () => `${parts.http.address()?.url ?? ''}/gateway`,
    bubblewrap: async () => (await walls.look()).bubblewrap?.path ?? null,
    mayRunBare: () => settings.get(runBare),
    explicit: () => settings.get(cliPaths),
    places: { agentsFolder: join(home, 'agents'), path: config.path, ownerHome: homedir() },
    homesFolder: join(home, 'agents', 'homes'),
    ask: askHere,
  });
  const agents = createAgents({
    store,
    bus,
    clock,
    newId,
    runs: { ...runs, addCost: async () => {} /* the ledger books it */ },
    llm: llm.scoped,
    policy,
    settings,
    memory,
    audit,
    workspacesFolder: join(home, 'workspaces'),
    cliAgents,
    toolboxes: [skillTools({ store, clock, catalogue, runner, random: chance, ask: askHere })],
    redact,
    refuse,
    isCode: owner.factors.isCode,
    node: config.node,
    random: chance,
    onError,
  });
  const startedAt = clock.now();
  const channels = createChannels({
    store,
    bus,
    clock,
    newId,
    queue,
    fetch: web,
    audit,
    secrets: vault,
    kinds: channelKinds,
    publicUrl: config.publicUrl ?? null,
    defaultChannel: {
      get: () => settings.get(defaultChannel),
      set: async (name, actor) => void (await settings.set(defaultChannel.key, name, actor)),
    },
    ports: {
      workflows: {
        ...workflows,
        start: async (id, start) => {
          const workflow = await workflows.get(id);
          return store.write((tx) => engine.start(tx, workflow, start));
        },
      },
      runs: { ...runs, cancel: engine.cancel },
      skills: catalogue,
      llm,
      approvals,
      policy,
      factor: owner.factors,
      status: async () => ({
        version,
        upMs: clock.now() - startedAt,
        memoryBytes: process.memoryUsage.rss(),
        troubles: troublesOf(tree.running?.health()),
      }),
    },
    redact,
    refuse,
    talk: createTalk(agents),
    tell: (notice) => notifications.tell(notice),
    onError: (error) => log.warn('A channel failed', { error }),
  });
  const notifications = createNotifications({
    store,
    bus,
    clock,
    newId,
    delivery: channels.delivery,
    onError: (error) => log.warn('A notification was lost', { error }),
  });

  return { gateway, gatewayApi, sandboxDoor, agentProcesses, agents, channels, notifications };
}
