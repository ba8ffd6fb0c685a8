import { Buffer } from 'node:buffer';
import type { MasterKeySource } from './master-key.ts';

/** A master key in memory; `last` tells two of them apart. */
export function memoryKey(last = 1): MasterKeySource {
  const key = Buffer.alloc(32, last);
  return { where: 'memory', read: async () => key, create: async () => key };
}
