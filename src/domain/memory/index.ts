export { createMemory, type Added, type Memory, type MemoryDeps, type MemoryQuery } from './memory.ts';
export type { Embed } from './embedding.ts';
export { memoryRoutes } from './routes.ts';
export { memoryMigrations } from './tables.ts';
