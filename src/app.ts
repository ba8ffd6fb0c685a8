import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import type { Config } from '#core/config';
import { migrate } from '#core/db/migration';
import { createOutbox } from '#core/db/outbox';
import { createLocalQueue } from '#core/db/queue';
import { createFetch } from '#core/fetch';
import { uuidv7 } from '#core/ids';
import type { Logging } from '#core/log';
import { logSupervision, supervisor, type RunningSupervisor, type Supervisor } from '#core/supervisor';
import { createRedactor } from '#vault';
import { answers } from './app/answers.ts';
import { createDoors } from './app/doors.ts';
import { createFirstStart, type FirstStart } from './app/first-start.ts';
import { createHouse } from './app/house.ts';
import { mannersOf } from './app/manners.ts';
import { migrations } from './app/migrations.ts';
import { openStore } from './app/open-store.ts';
import type { Ground, Parts } from './app/parts.ts';
import { createTalking } from './app/talk.ts';
import { telling } from './app/telling.ts';
import { createWork } from './app/work.ts';
import type { Listener, OwnerListener } from './edge/http/index.ts';

/** A whole agent, not started yet. */
export interface App {
  /** The supervision tree; its end is the agent's end. */
  readonly root: Supervisor;
  readonly http: OwnerListener;
  readonly ingress: Listener;
  /** A one-time address for the owner's browser, or null when there is a password. */
  loginUrl(): Promise<string | null>;
  hasPassword(): Promise<boolean>;
  /** Whether a certificate was made that lets somebody in. */
  hasClients(): Promise<boolean>;
  /** Asks for the passphrase of the vault, where it has one; before the tree starts. */
  unlock(): Promise<void>;
  /** Called when the tree is up. */
  readonly firstStart: FirstStart;
  /** The tree that runs now, for the health page. */
  running: RunningSupervisor | null;
}

export interface AppOptions {
  readonly config: Config;
  readonly logging: Logging;
  readonly version: string;
}

/** Opens the store, makes every part, and says who lives under whom. There is no logic here; who gets what is in the folder `app`, stage by stage. */
export async function createApp({ config, logging, version }: AppOptions): Promise<App> {
  const { log } = logging;
  const parts = {} as Parts;
  const clock = systemClock;
  const newId = uuidv7();
  const store = await openStore(config);
  await migrate(store, migrations);
  const redact = createRedactor();
  store.cleanTexts(redact.stored);
  logging.setScan(redact);
  const bus = createBus((event, error) => log.error('An event handler failed', { event, error }));
  const ground: Ground = {
    config,
    version,
    log,
    clock,
    newId,
    store,
    bus,
    outbox: createOutbox({ store, bus, clock, newId }),
    queue: createLocalQueue({ store, clock, newId, onError: (name, error) => log.warn('A job failed', { queue: name, error }) }),
    web: createFetch({ manners: () => mannersOf(parts.settings) }),
    tell: (severity, title, body) => void parts.notifications.tell({ key: title, severity, title, body }),
    onError: (what, error) => log.error(what, { error }),
    tree: { running: null },
  };
  const house = await createHouse(ground, redact, parts);
  const work = createWork(ground, house, parts);
  const talk = createTalking(ground, house, work, parts);
  const doors = createDoors(ground, house, work, talk);
  Object.assign(parts, ground, house, work, talk, doors);
  const { owner, vault, certificates, http, ingress } = parts;

  return {
    root: treeOf(parts),
    http,
    ingress,
    hasPassword: owner.hasPassword,
    unlock: vault.unlock,
    hasClients: certificates.hasClients,
    loginUrl: async () => ((await owner.hasPassword()) ? null : (await owner.createLoginLink(http.browserUrl()!)).url.use((url) => url)),
    firstStart: createFirstStart({ ...parts, seeds: config.seeds }),
    get running() {
      return ground.tree.running;
    },
    set running(tree) {
      ground.tree.running = tree;
    },
  };
}

/** Who lives under whom; `rest_for_one`: doors close first, the store last. */
function treeOf(parts: Parts): Supervisor {
  const { store, log, bus, outbox, settings, vault, audit, policy, breakers, llm, owner, approvals, engine, memory, schedules, runs } =
    parts;
  const { installed, skillProcesses, sandboxDoor, agentProcesses, agents, channels, notifications, upkeep, http, ingress } = parts;
  const intensity = { restarts: 3, withinMs: 60_000 };
  return supervisor(
    'root',
    [
      { name: 'store', start: async () => ({ stop: () => store.close() }) },
      settings.service,
      vault.service,
      audit.service,
      policy.service,
      breakers.service,
      llm.service,
      owner.service,
      approvals.service,
      answers({ store, bus, engine }),
      telling(bus, notifications.tell),
      outbox.service,
      installed.service,
      skillProcesses,
      supervisor('work', [engine.service, ...memory.services, schedules.service, runs.retention], { strategy: 'rest_for_one', intensity }),
      sandboxDoor,
      agentProcesses,
      agents.service,
      channels.service,
      upkeep,
      supervisor('edge', [http, ingress], { strategy: 'one_for_one', intensity }),
    ],
    { strategy: 'rest_for_one', intensity, onEvent: logSupervision(log) },
  );
}
