import { existsSync } from 'node:fs';
import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { AppError } from '#core/errors';
import { uuidv7 } from '#core/ids';
import { parseCron } from '#schedules';
import { builtInSkills, createBreakers, createCatalogue, createFeedStore, describeInstalled, skillMigrations } from '#skills';
import { createTemplates, createWorkflows, workflowMigrations } from '#workflows';
import type { Trigger, validateWorkflow } from '#workflows/contract';
import type { z } from 'zod';
import type { Store } from '#core/db/store';
import type { Cli } from './context.ts';
import { databaseFile, withStore } from './offline.ts';

type Verdict = z.output<(typeof validateWorkflow)['output']>;

const MIGRATIONS = [...skillMigrations, ...workflowMigrations];

/** What the running agent would say of a definition, but for the providers, which are taken to be there. */
export async function validateOffline(definition: unknown, io: Cli): Promise<Verdict> {
  if (existsSync(databaseFile(io.home))) return withStore(io, MIGRATIONS, (store) => inspect(definition, store));
  const [{ openSqlite }, { migrate }] = await Promise.all([import('#core/db/sqlite'), import('#core/db/migration')]);
  const store = openSqlite(':memory:');
  try {
    await migrate(store, MIGRATIONS);
    return await inspect(definition, store);
  } finally {
    await store.close();
  }
}

async function inspect(definition: unknown, store: Store): Promise<Verdict> {
  const [bus, clock] = [createBus(() => {}), systemClock];
  const breakers = createBreakers({ store, bus, clock, limits: () => ({ threshold: 5, coolDownMs: 60_000 }) });
  const skills = createCatalogue(
    builtInSkills({ feeds: createFeedStore(store), parser: { parseFeed: unused, readPage: unused } }),
    breakers,
  );
  await describeInstalled(store, skills);
  const workflows = createWorkflows({
    store,
    bus,
    clock,
    newId: uuidv7(),
    templates: createTemplates(),
    ports: {
      skill: (name) => (skills.find(name) ? skills.info(name) : undefined),
      absentSkill: skills.absent,
      checkConfig: skills.checkConfig,
      checkTrigger,
      provider: async () => true,
    },
    syncTriggers: unused,
    removeTriggers: unused,
    audit: unused,
  });
  const issues = [...(await workflows.inspect(definition))];
  return { ok: issues.length === 0, issues };
}

function checkTrigger(trigger: Trigger): string | null {
  try {
    if (trigger.kind === 'cron') parseCron(trigger.expression, trigger.timeZone ?? 'UTC');
    return null;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

/** Inspecting reads only. */
function unused(): never {
  throw new Error('Inspecting a definition does not do that');
}
