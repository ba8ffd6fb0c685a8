import { join } from 'node:path';
import { nursery } from '#core/nursery';
import { skillDelivery } from '#channels';
import { canonicalUrl, createFeedParser } from '#feeds';
import { createLlm, providerKinds } from '#llm';
import { BudgetScope } from '#llm/contract';
import { createMemory } from '#memory';
import { createRuns } from '#runs';
import { createSchedules } from '#schedules';
import { ownerTimeZone, runsRetentionCount, runsRetentionDays } from '#settings';
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
  skillModels,
} from '#skills';
import { createEngine, createTemplates, createWorkflows } from '#workflows';
import { asking } from './asking.ts';
import { chance } from './chance.ts';
import type { House } from './house.ts';
import { rememberAtEnd, type ScopeOf, skillMemory } from './memories.ts';
import { ownFiles } from './own-files.ts';
import type { Ground, Parts } from './parts.ts';
import { skillGrants } from './skill-grants.ts';

/** What does the work: models, memory, skills, workflows, and when they run. */
export interface Work {
  readonly runs: ReturnType<typeof createRuns>;
  readonly llm: ReturnType<typeof createLlm>;
  readonly memory: ReturnType<typeof createMemory>;
  readonly breakers: ReturnType<typeof createBreakers>;
  readonly feeds: ReturnType<typeof createFeedStore>;
  readonly catalogue: ReturnType<typeof createCatalogue>;
  readonly templates: ReturnType<typeof createTemplates>;
  readonly runner: ReturnType<typeof createSkillRunner>;
  readonly workflows: ReturnType<typeof createWorkflows>;
  readonly ask: ReturnType<typeof asking>;
  readonly engine: ReturnType<typeof createEngine>;
  readonly walls: ReturnType<typeof createWallProbe>;
  readonly skillProcesses: ReturnType<typeof nursery>;
  readonly installed: ReturnType<typeof createInstalledSkills>;
  readonly schedules: ReturnType<typeof createSchedules>;
}

export function createWork(
  { config, store, clock, newId, bus, queue, web, log, tell, onError }: Ground,
  { audit, vault, settings, owner, policy, approvals, redact, objection, refuse }: House,
  parts: Parts,
): Work {
  const { home } = config;
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
    onError,
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
  const parser = createFeedParser();
  const feeds = createFeedStore(store);
  const catalogue = createCatalogue(builtInSkills({ feeds, parser }), breakers);
  const templates = createTemplates();
  const scopeOf: ScopeOf = (workspace, tx) => parts.agents.workspaces.memoryScope(workspace, tx);
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
    deliver: (message, context) => skillDelivery(parts.channels.delivery)(message, context),
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
      checkTrigger: (trigger) => parts.schedules.check(trigger),
      objection,
      provider: async (name) => (await llm.list()).some((it) => it.name === name),
      workspace: async (name) => (await parts.agents.workspaces.list()).some((it) => it.name === name),
    },
    syncTriggers: (tx, { id, enabled, definition }) => parts.schedules.sync(tx, { workflowId: id, enabled, triggers: definition.triggers }),
    removeTriggers: (tx, id) => parts.schedules.removeFor(tx, id),
    audit: (entry) => audit.record(entry),
  });
  const ask = asking({
    store,
    approvals,
    runs,
    owner,
    channels: () => parts.channels,
    onError: (error) => onError('Nobody could be asked', error),
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
    onError,
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

  return {
    runs,
    llm,
    memory,
    breakers,
    feeds,
    catalogue,
    templates,
    runner,
    workflows,
    ask,
    engine,
    walls,
    skillProcesses,
    installed,
    schedules,
  };
}
