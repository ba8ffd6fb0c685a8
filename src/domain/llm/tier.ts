import { z } from 'zod';

/** The four tiers a call may ask for. `heavy` is only ever chosen by name; `local` never leaves the machine. */
export const Tier = z.enum(['light', 'medium', 'heavy', 'local']);
export type Tier = z.infer<typeof Tier>;
