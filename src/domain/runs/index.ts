export { createRuns, type NewRun, type Runs } from './runs.ts';
export { type Effects, type EffectScope } from './effects.ts';
export { runMigrations, type RunRow, type StepRow } from './tables.ts';
export { deleteSteps, findRun, insertStep, nextOpenRun, openRunsOf, stepsOf, updateStep, waitingSteps } from './queries.ts';
export type { Way, WayStep } from './way.ts';
export { toSummary } from './shape.ts';
export { isOver, type Label } from './contract.ts';
export { explainRun, type Line } from './explain.ts';
export { runRoutes, type Explainer } from './routes.ts';
