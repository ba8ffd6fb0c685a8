import { join } from 'node:path';
import { tlsFolder } from '#core/config';
import type { Route } from '#core/endpoint';
import { agentRoutes, openAiRoutes } from '#agents';
import { auditExportRoute, auditRoutes } from '#audit';
import { channelRoutes, explainMessage } from '#channels';
import { certificateRoutes, certificateUpkeep, createCertificates, serverNames } from '#doors';
import { llmRoutes } from '#llm';
import { memoryRoutes } from '#memory';
import { notificationRoutes } from '#notifications';
import { doorRoutes, ownerRoutes } from '#owner';
import { explainDecision, grantCatalogue, policyRoutes } from '#policy';
import { runRoutes } from '#runs';
import { explainOccurrence, scheduleRoutes } from '#schedules';
import { settingsRoutes } from '#settings';
import { installedSkillRoutes, skillRoutes } from '#skills';
import { scanRoutes, vaultRoutes } from '#vault';
import { createWorkflowFeeds, workflowRoutes } from '#workflows';
import { createHttp, createIngress, type Listener, type OwnerListener } from '../edge/http/index.ts';
import { channelCalls } from './channel-calls.ts';
import { describeDoors } from './describe-doors.ts';
import { doorAsRoute } from './door-as-route.ts';
import { heldBy } from './held-by.ts';
import type { House } from './house.ts';
import { countEvents } from './metrics.ts';
import { programFolder } from './own-files.ts';
import { socketOf } from './own-socket.ts';
import type { Ground } from './parts.ts';
import { recorded } from './recorded.ts';
import { pairedSenders } from './senders.ts';
import type { Talk } from './talk.ts';
import { trySkill } from './try-skill.ts';
import { turnCanceller } from './turn-canceller.ts';
import type { Work } from './work.ts';

/** The ways in: what they serve, and the certificates they show. */
export interface Doors {
  readonly certificates: ReturnType<typeof createCertificates>;
  readonly upkeep: ReturnType<typeof certificateUpkeep>;
  readonly http: OwnerListener;
  readonly ingress: Listener;
}

export function createDoors(
  { config, version, store, clock, newId, bus, web, log, tell, onError, tree }: Ground,
  { audit, vault, settings, owner, policy, approvals, redact }: House,
  { runs, llm, memory, feeds, catalogue, templates, runner, workflows, engine, installed, schedules }: Work,
  { gateway, gatewayApi, agents, channels, notifications }: Talk,
): Doors {
  const { home } = config;
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
  const http = createHttp({
    config: { ...config, socketPath: socketOf(config) },
    admits: (fingerprint) => certificates.admits(fingerprint, config.tls?.isOwnClientCa === true),
    routes: recorded(audit, routes),
    rawRoutes: [...openAiRoutes({ agents, clock, newId, onError }), ...gatewayApi, auditExportRoute(audit)],
    version,
    bus,
    clock,
    log,
    decide: ({ id: principal, grants: held }, capability) => policy.decide({ principal, capability, context: { held } }),
    auth: { session: owner.authenticateSession, bearer: async (token) => gateway.callerOf(token) ?? owner.authenticate(token) },
    verifyFactor: owner.assertFactor,
    health: () => tree.running?.health() ?? { ok: false },
    ready: () => tree.running !== null,
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

  return { certificates, upkeep, http, ingress };
}
