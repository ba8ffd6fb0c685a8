export { addressesIn } from './addresses.ts';
export { createBreakers, type Breakers } from './breaker.ts';
export { createCatalogue, type Catalogue } from './catalogue.ts';
export { createFeedStore, type FeedHealth, type FeedStore } from './feed-store.ts';
export { builtInSkills, type BuiltInSkillDeps } from './kinds.ts';
export { createSkillRunner, type SkillRunnerDeps } from './runner.ts';
export { breakerCoolDownSeconds, breakerThreshold, skillModels, skillSettings } from './settings.ts';
export { skillRoutes, type SkillRouteDeps } from './routes.ts';
export { skillMigrations } from './tables.ts';
