import { systemClock } from '#core/clock';
import { auditMigrations, createAudit } from '#audit';
import type { AuditReport } from '#audit/contract';
import type { Cli } from './context.ts';
import { withStore } from './offline.ts';

/** Checks the audit log in the home's database itself. */
export function verifyOffline(io: Cli): Promise<AuditReport> {
  return withStore(io, auditMigrations, (store) => createAudit({ store, clock: systemClock, redact: (text) => text }).verify());
}
