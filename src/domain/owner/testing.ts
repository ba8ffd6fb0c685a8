import type { Argon2Cost } from './password.ts';

/** A hash that costs nothing, so that tests of logins are quick. */
export const cheapPasswords: Argon2Cost = { memoryKib: 8, passes: 1, lanes: 1 };
