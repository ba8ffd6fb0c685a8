import type { AuditReport } from './contract.ts';
import type { Audit, NewAuditEntry } from './audit.ts';

const WHOLE: AuditReport = { ok: true, checked: 0, head: { seq: 0, hash: '' }, checkpoint: null, anchor: null, problems: [] };

/** An audit that keeps its entries in an array, for tests of other modules. */
export function fakeAudit(): Audit & { readonly entries: NewAuditEntry[] } {
  const entries: NewAuditEntry[] = [];
  return {
    entries,
    record: async (entry) => void entries.push(entry),
    list: async () => ({ items: [], next: null }),
    verify: async () => WHOLE,
    async *follow() {
      yield { checked: 0, of: 0, report: WHOLE };
    },
    async *export() {},
    accept: async () => WHOLE,
    retention: { prune: async () => 0, sweepNowAndThen: () => ({ stop: async () => {} }) },
    service: { name: 'audit', start: async () => ({ stop: async () => {} }) },
  };
}
