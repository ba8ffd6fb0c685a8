import type { Backend } from './backend.ts';
import { builtin } from './builtin/index.ts';

export { acpBackend, findProgram, recipes, type AcpDeps, type Recipe } from './acp/index.ts';

/** Backends of our own; those of agent CLIs are made of their recipes. */
export const backends: readonly Backend[] = [builtin];
