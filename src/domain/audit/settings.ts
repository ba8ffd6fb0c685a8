import { z } from 'zod';
import { defineSetting } from '#settings/contract';

/** How long entries stay in the database. */
export const auditKeepDays = defineSetting({
  key: 'audit.keep_days',
  schema: z.int().min(0).max(36_500),
  default: 0,
  title: 'Audit log: days kept in the database',
  description:
    'Older entries are written to a file in the folder "audit" of the home and taken out of the database; the rest of the chain still proves itself. 0 keeps all.',
  category: 'audit',
});

export const auditSettings = [auditKeepDays] as const;
