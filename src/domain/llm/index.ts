export { estimateInput } from './estimate.ts';
export { providerKinds } from './kinds.ts';
export { createLlm, type Llm, type LlmDeps } from './llm.ts';
export type { Scanner } from './redaction.ts';
export { llmRoutes } from './routes.ts';
export type { LlmSeeds } from './seeds.ts';
export { llmSettings } from './settings.ts';
export { llmMigrations } from './tables.ts';
