export { createBreakers, type Breakers } from './breaker.ts';
export { createCatalogue, type Catalogue } from './catalogue.ts';
export { createSkillRunner, type SkillRunnerDeps } from './runner.ts';
export { skillRoutes } from './routes.ts';
export { skillMigrations } from './tables.ts';
