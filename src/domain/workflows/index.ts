export { createWorkflowFeeds } from './feeds.ts';
export { createWorkflows, type Workflows } from './workflows.ts';
export { createEngine, type Engine, type EngineDeps, type StartOptions } from './engine.ts';
export { createTemplates, type Templates } from './template.ts';
export { workflowRoutes } from './routes.ts';
export { workflowMigrations } from './tables.ts';
export type { DeferredHandlers, Question } from './walk.ts';
