import { z } from 'zod';
import { endpoint, listOf, Page } from '#core/endpoint';

/** What policy said, where the entry is about a decision. */
export const Decision = z.enum(['allow', 'deny', 'ask']);
export type Decision = z.infer<typeof Decision>;

export const AuditEntry = z.object({
  /** 1, 2, 3, …: no gaps. */
  seq: z.number(),
  /** ISO 8601, UTC. */
  at: z.string(),
  /** `owner`, `cli`, `token:<id>`, `channel:<id>`, `run:<id>`, `system`. */
  actor: z.string(),
  /** `<module>.<verb>`, e.g. `settings.set`. */
  action: z.string(),
  /** What was acted on, e.g. `setting:owner.name`. */
  resource: z.string(),
  decision: Decision.nullable(),
  details: z.json(),
  prevHash: z.string(),
  hash: z.string(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/**
 * What is wrong with one entry: `edited` no longer matches its hash; `removed` is missing; `relinked` does not follow
 * from its predecessor (moved, or the one before was replaced); `head` does not match the recorded end of the chain;
 * `truncated` the chain ends before the anchor kept outside of the database; `anchor` the anchor names another entry there,
 * or was tampered with; `checkpoint` older entries were taken out by another hand than Castellan's.
 */
export const AuditProblem = z.object({
  seq: z.number(),
  problem: z.enum(['edited', 'removed', 'relinked', 'head', 'truncated', 'anchor', 'checkpoint']),
  message: z.string(),
});
export type AuditProblem = z.infer<typeof AuditProblem>;

export const AuditReport = z.object({
  ok: z.boolean(),
  checked: z.number(),
  /** Hash of the last entry: note it elsewhere to prove later that history was not rewritten as a whole. */
  head: z.object({ seq: z.number(), hash: z.string() }),
  /** Where older entries were taken out by retention: the chain goes on from there. */
  checkpoint: z.object({ seq: z.number(), hash: z.string(), at: z.string(), sealed: z.boolean() }).nullable(),
  /** The end of the chain as last noted outside of the database; `sealed` when its seal was checked too. */
  anchor: z.object({ seq: z.number(), at: z.string(), sealed: z.boolean() }).nullable(),
  /** The first hundred, in order. */
  problems: z.array(AuditProblem),
});
export type AuditReport = z.infer<typeof AuditReport>;

/** Which entries a list shows; times are ISO 8601. */
export const AuditFilter = z.strictObject({
  /** Exact, or all of a kind: `token:*`. */
  actor: z.string().optional(),
  /** Exact, or everything of a module: `settings.*`. */
  action: z.string().optional(),
  /** Exact, or all of a kind: `secret:*`. */
  resource: z.string().optional(),
  decision: Decision.optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
  /** Words that stand somewhere in the entry, all of them. */
  q: z.string().max(200).optional(),
});
export type AuditFilter = z.infer<typeof AuditFilter>;

export const listAudit = endpoint({
  method: 'GET',
  path: '/api/audit',
  grant: 'audit:read',
  summary: 'Who did what, newest first.',
  input: Page.extend(AuditFilter.shape),
  output: listOf(AuditEntry),
});
export const verifyAudit = endpoint({
  method: 'POST',
  path: '/api/audit/verify',
  grant: 'audit:read',
  summary: 'Checks the hash chain of the audit log and names every entry that was edited, removed or moved.',
  input: z.strictObject({}),
  output: AuditReport,
});

/** How far a check has come; the last one carries the report. */
export const AuditProgress = z.object({ checked: z.number(), of: z.number(), report: AuditReport.nullable() });
export type AuditProgress = z.infer<typeof AuditProgress>;

export const followVerify = endpoint({
  method: 'GET',
  path: '/api/audit/verify',
  grant: 'audit:read',
  summary: 'Checks the hash chain and tells how far it is; the last event carries the report.',
  input: z.strictObject({}),
  output: AuditProgress,
  stream: true,
});
export const acceptAudit = endpoint({
  method: 'POST',
  path: '/api/audit/accept',
  grant: 'audit:write',
  summary: 'Takes the end of the chain as it is now for the true one, after an anchor that did not match; the entry says so for ever.',
  input: z.strictObject({}),
  output: AuditReport,
});

export const ExportFormat = z.enum(['jsonl', 'csv']);
export type ExportFormat = z.infer<typeof ExportFormat>;

/** The query of `GET /api/audit/export`. */
export const ExportQuery = z.strictObject({ format: ExportFormat.default('jsonl'), ...AuditFilter.shape });
