export { createAudit, type Audit, type AuditDeps, type NewAuditEntry } from './audit.ts';
export { auditRoutes } from './routes.ts';
export { auditMigrations } from './tables.ts';
