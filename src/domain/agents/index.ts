export { createAgents, type Agents, type AgentsDeps } from './agents.ts';
export type { Backend, BackendEvent, BackendTurn } from './backend.ts';
export type { AfterHook, BeforeHook, Enrichment, TurnHooks, TurnView } from './hooks.ts';
export { openAiRoutes, type OpenAiRoute } from './openai/routes.ts';
export { agentRoutes } from './routes.ts';
export { agentSettings } from './settings.ts';
export { agentMigrations } from './tables.ts';
export { createTalk } from './talk.ts';
