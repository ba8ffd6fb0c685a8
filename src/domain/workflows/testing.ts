import type { NewId } from '#core/ids';
import { createEngine, type Engine, type EngineDeps } from './engine.ts';
import { createTemplates, type Templates } from './template.ts';
import { createWorkflows, type Workflows, type WorkflowsDeps } from './workflows.ts';

export type EngineBedOptions = Pick<EngineDeps, 'store' | 'bus' | 'clock' | 'queue' | 'runs' | 'skills'> &
  Partial<EngineDeps> & {
    readonly newId: NewId;
    /** What definitions are checked against; every skill is there, with the outcome `ok`, when left out. */
    readonly ports?: Partial<WorkflowsDeps['ports']>;
  };

/** Definitions and the engine for tests, benches and the kill test; nobody answers and no step is dear unless `given` says so. */
export function engineBed({ newId, ports, ...given }: EngineBedOptions): { templates: Templates; workflows: Workflows; engine: Engine } {
  const { store, bus, clock } = given;
  const templates = given.templates ?? createTemplates();
  const workflows = createWorkflows({
    store,
    bus,
    clock,
    newId,
    templates,
    ports: {
      skill: (name) => ({ name, outcomes: ['ok'] }),
      checkConfig: () => [],
      checkTrigger: () => null,
      provider: async () => true,
      ...ports,
    },
    syncTriggers: async () => {},
    removeTriggers: async () => {},
    audit: async () => {},
  });
  const engine = createEngine({
    templates,
    concurrency: 8,
    workflow: workflows.get,
    ask: async () => 'never',
    withdraw: async () => {},
    grantExtra: async () => {},
    deferred: {},
    onCrash: () => {},
    ...given,
  });
  return { templates, workflows, engine };
}
