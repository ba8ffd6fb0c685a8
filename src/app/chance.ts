import { randomInt } from 'node:crypto';

/** Chance that nobody can foresee, in [0, 1). */
export const chance = (): number => randomInt(2 ** 32) / 2 ** 32;
