import { homedir } from 'node:os';
import { join } from 'node:path';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { openSeeds, tlsFolder, type Config } from '#core/config';
import { migrate } from '#core/db/migration';
import { createOutbox, outboxMigrations } from '#core/db/outbox';
import { createLocalQueue, queueMigrations } from '#core/db/queue';
import { openSqlite } from '#core/db/sqlite';
import type { Store } from '#core/db/store';
import type { Route } from '#core/endpoint';
import { createFetch } from '#core/fetch';
import { uuidv7 } from '#core/ids';
import type { Logging } from '#core/log';
import { nursery } from '#core/nursery';
import type { Service } from '#core/service';
import { logSupervision, supervisor, type RunningSupervisor, type Supervisor } from '#core/supervisor';
import {
  agentMigrations,
  agentRoutes,
  agentSettings,
  cliPaths,
  createAgents,
  createCliAgents,
  createTalk,
  openAiRoutes,
  runBare,
  skillTools,
} from '#agents';
import { channelKinds, channelMigrations, channelRoutes, createChannels, explainMessage, skillDelivery } from '#channels';
import { createNotifications, notificationMigrations, notificationRoutes } from '#notifications';
import { anchorFile, auditExportRoute, auditKeepDays, auditMigrations, auditRoutes, auditSettings, createAudit, shelfIn } from '#audit';
import { canonicalUrl, createFeedParser } from '#feeds';
import { createGatewaySessions, gatewayRoutes, gatewaySocket } from '#gateway';
import { createLlm, llmMigrations, llmRoutes, llmSettings, providerKinds } from '#llm';
import { BudgetScope } from '#llm/contract';
import { createMemory, memoryMigrations, memoryRoutes } from '#memory';
import { certificateRoutes, certificateUpkeep, createCertificates, doorMigrations, serverNames } from '#doors';
import { createOwner, doorRoutes, ensureControlToken, ownerLimits, ownerMigrations, ownerRoutes, ownerSettings } from '#owner';
import {
  createApprovals,
  createPolicy,
  explainDecision,
  grantCatalogue,
  policyMigrations,
  policyRoutes,
  settleAnswers,
  starterRules,
} from '#policy';
import { createRuns, runMigrations, runRoutes } from '#runs';
import {
  createSettings,
  defaultChannel,
  generalSettings,
  ownerTimeZone,
  runsRetentionCount,
  runsRetentionDays,
  settingsMigrations,
  settingsRoutes,
} from '#settings';
import { createSchedules, explainOccurrence, scheduleMigrations, scheduleRoutes } from '#schedules';
import {
  breakerCoolDownSeconds,
  breakerThreshold,
  builtInSkills,
  createBreakers,
  createCatalogue,
  createFeedStore,
  createInstalledSkills,
  createSandbox,
  createSkillRunner,
  createWallProbe,
  installedSkillRoutes,
  skillMigrations,
  skillModels,
  skillRoutes,
  skillSettings,
} from '#skills';
import { createRedactor, createVault, createWriteGuard, masterKeySource, scanRoutes, vaultMigrations, vaultRoutes } from '#vault';
import { createEngine, createTemplates, createWorkflowFeeds, createWorkflows, workflowMigrations, workflowRoutes } from '#workflows';
import { askAndWait } from './app/ask-and-wait.ts';
import { asking } from './app/asking.ts';
import { channelCalls } from './app/channel-calls.ts';
import { chance } from './app/chance.ts';
import { doorAsRoute } from './app/doors.ts';
import { createFirstStart, type FirstStart } from './app/first-start.ts';
import { telling } from './app/telling.ts';
import { troublesOf } from './app/troubles.ts';
import { rememberAtEnd, type ScopeOf, skillMemory } from './app/memories.ts';
import { countEvents } from './app/metrics.ts';
import { describeDoors } from './app/describe-doors.ts';
import { mannersOf } from './app/manners.ts';
import { heldBy } from './app/held-by.ts';
import { ownFiles, programFolder } from './app/own-files.ts';
import { socketOf } from './app/own-socket.ts';
import { passphraseFrom } from './app/passphrase.ts';
import { recorded } from './app/recorded.ts';
import { secretUses } from './app/references.ts';
import { pairedSenders } from './app/senders.ts';
import { skillGrants } from './app/skill-grants.ts';
import { turnCanceller } from './app/turn-canceller.ts';
import { trySkill } from './app/try-skill.ts';
import { createHttp, createIngress, type Listener, type OwnerListener } from './edge/http/index.ts';

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

const MIGRATIONS = [
  outboxMigrations,
  queueMigrations,
  auditMigrations,
  settingsMigrations,
  vaultMigrations,
  ownerMigrations,
  policyMigrations,
  runMigrations,
  llmMigrations,
  memoryMigrations,
  skillMigrations,
  workflowMigrations,
  scheduleMigrations,
  agentMigrations,
  channelMigrations,
  notificationMigrations,
  doorMigrations,
].flat();

const LARGEST_CHECKED_BYTES = 32 * 2 ** 20;

const SETTINGS = [...generalSettings, ...auditSettings, ...ownerSettings, ...llmSettings, ...skillSettings, ...agentSettings];

/** Opens the store and wires every part: who gets what, and who lives under whom. There is no logic here. */
export async function createApp({ config, logging, version }: AppOptions): Promise<App> {
  const { log } = logging;
  const { home, seeds } = config;
  const clock = systemClock;
  const newId = uuidv7();
  const store = await openStore(config);
  await migrate(store, MIGRATIONS);

  // how parts talk
  const bus = createBus((event, error) => log.error('An event handler failed', { event, error }));
  const outbox = createOutbox({ store, bus, clock, newId });
  const queue = createLocalQueue({ store, clock, newId, onError: (name, error) => log.warn('A job failed', { queue: name, error }) });
  const web = createFetch({ manners: () => mannersOf(settings) });
  const parser = createFeedParser();
  const tell = (severity: 'info' | 'warning' | 'critical', title: string, body: string): void =>
    void notifications.tell({ key: title, severity, title, body });

  // the owner's house
  const redact = createRedactor(); // the one choke point: whatever is stored, logged, sent, told or said to a model passes it
  const { objection, refuse } = createWriteGuard(redact);
  store.cleanTexts(redact.stored);
  logging.setScan(redact);
  const audit = createAudit({
    store,
    clock,
    redact,
    anchor: anchorFile(join(home, 'audit.anchor')),
    keys: () => vault.keysFor('audit'),
    keepDays: () => settings.get(auditKeepDays),
    shelf: shelfIn(join(home, 'audit')),
    tell,
  });
  const vault = createVault({
    store,
    clock,
    bus,
    audit,
    redactor: redact,
    masterKey: masterKeySource({
      home,
      given: config.masterKey,
      file: config.masterKeyFile,
      askPassphrase: passphraseFrom({ fd: config.passphraseFd, credentials: config.credentials }),
    }),
    fetch: web.fetch,
    references: () => secretUses({ settings, llm, channels, workflows, connections: vault.connections }),
    tell,
  });
  const settings = createSettings({
    store,
    bus,
    audit,
    clock,
    newId,
    tell,
    secrets: vault,
    env: openSeeds(seeds),
    definitions: SETTINGS,
    refuse,
  });
  const owner = createOwner({
    store,
    clock,
    newId,
    audit,
    tell,
    secrets: vault,
    controlToken: await ensureControlToken(home),
    isUsedElsewhere: (text) => vault.redactor.find(text).length > 0 || (config.masterKey?.use((key) => key.includes(text)) ?? false),
    ...ownerLimits(settings),
  });
  const policy = createPolicy({
    store,
    clock,
    newId,
    audit,
    node: config.node,
    tokenKey: () => vault.keyFor('policy.token'),
    starters: () => starterRules(catalogue.list().filter(({ kind }) => kind === 'built-in')),
    onError: (error) => log.error('Decisions could not be recorded', { error }),
  });
  const approvals = createApprovals({ store, outbox, queue, clock, newId, audit, settle: settleAnswers(policy, clock.now) });

  // work
  const runs = createRuns({
    audit,
    store,
    bus,
    clock,
    newId,
    redact,
    keep: () => ({ days: settings.get(runsRetentionDays), perWorkflow: settings.get(runsRetentionCount) }),
  });
  const llm = createLlm({
    store,
    clock,
    newId,
    bus,
    settings,
    secrets: vault,
    kinds: providerKinds,
    scanner: redact,
    refuse,
    charge: runs.addCost,
    tell,
    node: config.node,
    onError: (what, error) => log.error(what, { error }),
  });
  const memory = createMemory({
    store,
    bus,
    clock,
    newId,
    queue,
    canonicalUrl,
    redact,
    embed: (texts, options) => llm.scoped({ purpose: 'memory' }).embed(texts, options),
  });
  const breakers = createBreakers({
    store,
    bus,
    clock,
    limits: () => ({ threshold: settings.get(breakerThreshold), coolDownMs: settings.get(breakerCoolDownSeconds) * 1_000 }),
  });
  const feeds = createFeedStore(store);
  const catalogue = createCatalogue(builtInSkills({ feeds, parser }), breakers);
  const templates = createTemplates();
  const scopeOf: ScopeOf = (workspace, tx) => agents.workspaces.memoryScope(workspace, tx);
  const runner = createSkillRunner({
    catalogue,
    breakers,
    runs,
    clock,
    log,
    fetch: web.fetch,
    lend: vault.get,
    files: ownFiles(home),
    policy,
    llm: llm.scoped,
    memory: skillMemory(memory, clock, scopeOf),
    random: chance,
    setting: (key) => settings.value(key),
    wishes: (skill) => settings.get(skillModels)[skill] ?? {},
    timeZone: () => settings.get(ownerTimeZone),
    redact,
    deliver: (message, context) => skillDelivery(channels.delivery)(message, context),
  });
  const workflows = createWorkflows({
    store,
    bus,
    clock,
    newId,
    templates,
    ports: {
      skill: (name) => (catalogue.find(name) ? catalogue.info(name) : undefined),
      absentSkill: catalogue.absent,
      checkConfig: catalogue.checkConfig,
      checkTrigger: (trigger) => schedules.check(trigger),
      objection,
      provider: async (name) => (await llm.list()).some((it) => it.name === name),
      workspace: async (name) => (await agents.workspaces.list()).some((it) => it.name === name),
    },
    syncTriggers: (tx, { id, enabled, definition }) => schedules.sync(tx, { workflowId: id, enabled, triggers: definition.triggers }),
    removeTriggers: (tx, id) => schedules.removeFor(tx, id),
    audit: (entry) => audit.record(entry),
  });
  const ask = asking({
    store,
    approvals,
    runs,
    owner,
    channels: () => channels,
    onError: (error) => log.error('Nobody could be asked', { error }),
  });
  const engine = createEngine({
    store,
    bus,
    clock,
    queue,
    runs,
    templates,
    skills: runner,
    workflow: workflows.get,
    concurrency: 16,
    ask,
    withdraw: approvals.withdraw,
    grantExtra: async (scope, key, usd) => void (await llm.grantExtra(BudgetScope.parse(scope), key, usd)),
    deferred: { 'memory.remember': rememberAtEnd(memory, scopeOf), 'skill.feeds_read': feeds.keepValidators },
    onCrash: (runId, error) => log.error('A run could not be driven', { runId, error }),
  });

  const walls = createWallProbe();
  const skillProcesses = nursery('skills', { limit: 32, onEvent: () => {} });
  const installed = createInstalledSkills({
    store,
    bus,
    clock,
    audit,
    catalogue,
    sandbox: createSandbox({ nursery: skillProcesses, walls, clock, scratchFolder: join(home, 'run', 'skills') }),
    walls,
    folder: join(home, 'skills'),
    tell,
    grants: skillGrants(policy),
    usedBy: workflows.usersOf,
    onError: (message, error) => log.error(message, { error }),
  });
  const schedules = createSchedules({
    store,
    clock,
    bus,
    newId,
    tell,
    timeZone: () => settings.get(ownerTimeZone),
    fire: async (tx, { workflowId, occurrenceId, kind }) =>
      (await engine.start(tx, await workflows.getIn(tx, workflowId), { trigger: { kind, id: occurrenceId }, idempotencyKey: occurrenceId }))
        .id,
  });

  // talk
  const gateway = createGatewaySessions();
  const gatewayApi = gatewayRoutes({
    store,
    clock,
    newId,
    runs,
    llm: llm.scoped,
    sessions: gateway,
    models: async () => (await llm.list()).flatMap(({ enabled, model }) => (enabled && model ? [model] : [])),
    onError: (what, error) => log.error(what, { error }),
  });
  const agentProcesses = nursery('agent-processes', { limit: 32 });
  const socket = join(home, 'run', 'gateway.sock');
  const cliAgents = createCliAgents({
    store,
    clock,
    audit,
    policy,
    gateway,
    socket,
    nursery: agentProcesses,
    gatewayUrl: () => `${http.address()?.url ?? ''}/gateway`,
    bubblewrap: async () => (await walls.look()).bubblewrap?.path ?? null,
    mayRunBare: () => settings.get(runBare),
    explicit: () => settings.get(cliPaths),
    places: { agentsFolder: join(home, 'agents'), path: config.path, ownerHome: homedir() },
    homesFolder: join(home, 'agents', 'homes'),
    ask: askAndWait({ store, bus, ask, withdraw: approvals.withdraw }),
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
    audit,
    workspacesFolder: join(home, 'workspaces'),
    cliAgents,
    toolboxes: [
      skillTools({ store, clock, catalogue, runner, random: chance, ask: askAndWait({ store, bus, ask, withdraw: approvals.withdraw }) }),
    ],
    redact,
    refuse,
    isCode: owner.factors.isCode,
    node: config.node,
    random: chance,
    onError: (what, error) => log.error(what, { error }),
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
        troubles: troublesOf(app.running?.health()),
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

  // doors
  const certificates = createCertificates({ store, clock, bus, audit, folder: tlsFolder(home), node: config.node });
  const upkeep = certificateUpkeep({
    store,
    clock,
    certificates,
    tell,
    names: config.tls?.isMade ? serverNames(config) : null,
    givenFile: config.tls && !config.tls.isMade ? config.tls.certFile : null,
    onError: (error) => log.warn('The certificates could not be looked after', { error }),
  });
  const routes: Route[] = [
    ...doorRoutes(owner).map(doorAsRoute),
    ...ownerRoutes({ owner, senders: pairedSenders(channels), baseUrl: () => http.browserUrl() ?? '' }),
    ...auditRoutes(audit),
    ...settingsRoutes(settings),
    ...vaultRoutes(vault, () => http.browserUrl() ?? http.address()?.url ?? ''),
    ...scanRoutes(redact),
    ...policyRoutes({ approvals, policy, heldBy: heldBy(owner), catalogue: () => grantCatalogue(routes) }),
    ...runRoutes({
      runs,
      explainers: [explainDecision({ approvals, policy }), explainOccurrence(schedules), explainMessage(store)],
      workflowId: workflows.idOf,
    }),
    ...llmRoutes(llm),
    ...installedSkillRoutes(installed),
    ...skillRoutes({ catalogue, tryOut: trySkill({ store, runs, runner, templates, clock }) }),
    ...workflowRoutes({
      store,
      workflows,
      engine,
      feeds: createWorkflowFeeds({ workflows, health: feeds.health }),
      cancelTurn: turnCanceller(runs, agents),
    }),
    ...memoryRoutes(memory),
    ...scheduleRoutes(schedules, workflows.idOf),
    ...agentRoutes(agents),
    ...channelRoutes(channels, { newId, clock }),
    ...notificationRoutes(notifications),
    ...certificateRoutes({ certificates, describe: async () => describeDoors({ config, clock, http, ingress, web, settings }) }),
  ];
  const app: App = {
    root: undefined as never,
    http: undefined as never,
    ingress: undefined as never,
    running: null,
    hasPassword: owner.hasPassword,
    unlock: vault.unlock,
    hasClients: certificates.hasClients,
    loginUrl: async () => ((await owner.hasPassword()) ? null : (await owner.createLoginLink(http.browserUrl()!)).url.use((url) => url)),
    firstStart: createFirstStart({ store, vault, llm, workflows, engine, channels, seeds }),
  };
  const http = createHttp({
    config: { ...config, socketPath: socketOf(config) },
    admits: (fingerprint) => certificates.admits(fingerprint, config.tls?.isOwnClientCa === true),
    routes: recorded(audit, routes),
    rawRoutes: [
      ...openAiRoutes({ agents, clock, newId, onError: (what, error) => log.error(what, { error }) }),
      ...gatewayApi,
      auditExportRoute(audit),
    ],
    version,
    bus,
    clock,
    log,
    decide: ({ id: principal, grants: held }, capability) => policy.decide({ principal, capability, context: { held } }),
    auth: { session: owner.authenticateSession, bearer: async (token) => gateway.callerOf(token) ?? owner.authenticate(token) },
    verifyFactor: owner.assertFactor,
    health: () => app.running?.health() ?? { ok: false },
    ready: () => app.running !== null,
    staticDir: join(programFolder, 'dist', 'web'),
    audit,
    metrics: countEvents(bus),
    redact,
  });
  const ingress = createIngress({
    config: { host: config.ingressHost, port: config.ingressPort, trustedProxies: config.trustedProxies },
    handlers: [channelCalls(channels)],
    log,
  });

  // life
  const intensity = { restarts: 3, withinMs: 60_000 };
  const storeService: Service = { name: 'store', start: async () => ({ stop: () => store.close() }) };
  const answers: Service = {
    name: 'answers',
    async start({ signal }) {
      const wake = (id: string, option: string | null) => store.write((tx) => engine.signal(tx, `approval:${id}`, { option }));
      bus.subscribe('approval.answered', async ({ approval }) => void (await wake(approval.id, approval.answer)), signal);
      bus.subscribe('approval.expired', async ({ approval }) => void (await wake(approval.id, null)), signal);
      return { stop: async () => {} };
    },
  };
  const work = supervisor('work', [engine.service, ...memory.services, schedules.service, runs.retention], {
    strategy: 'rest_for_one',
    intensity,
  });
  const edge = supervisor('edge', [http, ingress], { strategy: 'one_for_one', intensity });
  const root = supervisor(
    'root',
    [
      storeService,
      settings.service,
      vault.service,
      audit.service,
      policy.service,
      breakers.service,
      llm.service,
      owner.service,
      approvals.service,
      answers,
      telling(bus, notifications.tell),
      outbox.service,
      installed.service,
      skillProcesses,
      work,
      gatewaySocket(socket, gatewayApi, gateway, (what, error) => log.error(what, { error })),
      agentProcesses,
      agents.service,
      channels.service,
      upkeep,
      edge,
    ],
    { strategy: 'rest_for_one', intensity, onEvent: logSupervision(log) },
  );
  return Object.assign(app, { root, http, ingress });
}

async function openStore({ databaseUrl, home }: Config): Promise<Store> {
  if (databaseUrl) return (await import('#core/db/postgres')).openPostgres(databaseUrl.use((url) => url));
  const store = openSqlite(join(home, 'castellan.db'));
  // a larger file takes seconds to read through: "castellan doctor" does
  if ((await store.facts()).sizeBytes <= LARGEST_CHECKED_BYTES) await store.checkIntegrity();
  return store;
}
