import type { Backend } from './backend.ts';
import { builtin } from './builtin/index.ts';

/** Every backend there is. */
export const backends: readonly Backend[] = [builtin];
