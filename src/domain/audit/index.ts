export { anchorFile } from './anchor.ts';
export { createAudit, type Audit, type AuditDeps, type NewAuditEntry } from './audit.ts';
export { shelfIn } from './retention.ts';
export { auditExportRoute, auditRoutes } from './routes.ts';
export { auditKeepDays, auditSettings } from './settings.ts';
export { auditMigrations } from './tables.ts';
export { verifyExport, type FileReport } from './verify-file.ts';
