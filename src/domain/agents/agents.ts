import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import { createSearchIndex } from '#core/db/search';
import type { Store } from '#core/db/store';
import type { NewId } from '#core/ids';
import type { Json } from '#core/json';
import type { Service } from '#core/service';
import type { Audit } from '#audit';
import type { CallDefaults, CallScope, ScopedLlm } from '#llm/contract';
import type { Memory } from '#memory';
import type { Policy } from '#policy';
import type { Runs } from '#runs';
import { ownerLanguage, ownerName, ownerTimeZone, type Settings } from '#settings';
import type { CliAgents } from './cli-agents.ts';
import { createAssistants, type Assistants } from './assistants.ts';
import type { Backend } from './backend.ts';
import { createCompaction, type Compaction } from './compaction.ts';
import type { ComposeDeps } from './compose.ts';
import { createConversations, type Conversations } from './conversations.ts';
import { createDrive } from './drive.ts';
import type { TurnHooks } from './hooks.ts';
import { backends as allBackends } from './kinds.ts';
import { createOneShot, type OneShot } from './one-shot.ts';
import { firstWorkspace } from './queries.ts';
import { recallHook } from './recall/hook.ts';
import { windowChars } from './settings.ts';
import { MESSAGE_INDEX } from './tables.ts';
import { joinToolboxes, type Toolbox } from './tools.ts';
import { createTurnRecord } from './turn-record.ts';
import { createTurns, type Turns } from './turns.ts';
import { createWorkspaces, type Workspaces } from './workspaces.ts';

export interface AgentsDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly runs: Pick<Runs, 'create' | 'change' | 'journal' | 'addCost'>;
  /** `scoped` of the model router. */
  readonly llm: (scope: CallScope, defaults: readonly CallDefaults[]) => ScopedLlm;
  readonly policy: Pick<Policy, 'enforce'>;
  readonly settings: Pick<Settings, 'get'>;
  readonly audit: Pick<Audit, 'record'>;
  /** Where the folders of workspaces go that name none. */
  readonly workspacesFolder: string;
  /** Refuses secrets, and what stands for them, in what is written by hand: names, personas, folders. */
  readonly refuse?: (value: Json, what: string) => void;
  /** Takes secrets out of what is said; the vault's redactor. */
  readonly redact: (text: string) => string;
  readonly hooks?: Partial<TurnHooks>;
  /** What is remembered beside what was said. */
  readonly memory?: Pick<Memory, 'search'>;
  /** What the models of the builtin backend may call; in order, of two tools with one name the first counts. */
  readonly toolboxes?: readonly Toolbox[];
  readonly backends?: readonly Backend[];
  /** Agent CLIs, beside the backends of our own. */
  readonly cliAgents?: CliAgents;
  /** This process, among those that share the database. */
  readonly node?: string;
  /** For the boundaries of envelopes. */
  readonly random: () => number;
  /** Whether a text is a code of the owner's second factor; no text is when left out. */
  readonly isCode?: (text: string) => Promise<boolean>;
  readonly onError: (what: string, error: unknown) => void;
}

/** Whom the owner talks to, where, and what was said. */
export interface Agents {
  readonly workspaces: Workspaces;
  readonly assistants: Assistants;
  readonly conversations: Conversations;
  readonly turns: Turns;
  /** Answers that belong to no conversation. */
  readonly oneShot: OneShot;
  readonly cliAgents: CliAgents | undefined;
  /** Summaries of what no longer goes to the model word for word. */
  readonly compaction: Pick<Compaction, 'idle'>;
  /** Makes the first assistant and workspace where there are none. */
  seed(): Promise<void>;
  /** Seeds, recovers the turns that a crash cut off, and stops those that run at its end. */
  readonly service: Service;
}

export function createAgents(deps: AgentsDeps): Agents {
  const {
    store,
    bus,
    clock,
    newId,
    runs,
    llm,
    policy,
    settings,
    audit,
    workspacesFolder,
    redact,
    backends = [...allBackends, ...(deps.cliAgents?.backends ?? [])],
    toolboxes = [],
    node = 'local',
    random,
    refuse = () => {},
    isCode = async () => false,
    onError,
  } = deps;
  const index = createSearchIndex(store, MESSAGE_INDEX);
  const remember = recallHook({ store, index, clock, settings, memory: deps.memory });
  const hooks: TurnHooks = { before: [...(deps.hooks?.before ?? []), remember], after: deps.hooks?.after ?? [] };
  const workspaces = createWorkspaces({ store, clock, newId, audit, workspacesFolder, refuse });
  const assistants = createAssistants({ store, clock, newId, audit, backends: backends.map(({ id }) => id), refuse });
  const conversations = createConversations({ store, bus, clock, newId, index, workspaces, redact });
  const composing: ComposeDeps = {
    clock,
    llm,
    hooks,
    policy,
    random,
    toolbox: joinToolboxes(toolboxes),
    windowChars: () => settings.get(windowChars),
    owner: () => ({ name: settings.get(ownerName), timeZone: settings.get(ownerTimeZone), language: settings.get(ownerLanguage) }),
  };
  const record = createTurnRecord({ store, bus, clock, newId, runs, index, node });
  const compaction = createCompaction({ ...composing, store, runs, settings, onError });
  const drive = createDrive({ ...composing, store, record, runs, settings, backends, compaction, onError });
  const turns = createTurns({ store, clock, record, drive, node, redact, isCode, onError });
  const oneShot = createOneShot({ ...composing, store, runs, backends, redact, onError });

  async function seed(): Promise<void> {
    if (await firstWorkspace(store.db)) return;
    const name = 'Castellan';
    const assistant = (await assistants.find(name)) ?? (await assistants.add({ name }, 'system'));
    await workspaces.add({ name: 'Home', defaultAssistantId: assistant.id }, 'system');
  }

  return {
    workspaces,
    assistants,
    conversations,
    turns,
    oneShot,
    cliAgents: deps.cliAgents,
    compaction,
    seed,
    service: {
      ...turns.service,
      name: 'agents',
      async start(run) {
        await seed();
        const running = await turns.service.start(run);
        return {
          ...running,
          async stop() {
            await running.stop();
            await compaction.stop();
          },
        };
      },
    },
  };
}
