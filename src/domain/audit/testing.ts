import type { Audit, NewAuditEntry } from './audit.ts';

/** An audit that keeps its entries in an array, for tests of other modules. */
export function fakeAudit(): Audit & { readonly entries: NewAuditEntry[] } {
  const entries: NewAuditEntry[] = [];
  return {
    entries,
    record: async (entry) => void entries.push(entry),
    list: async () => ({ items: [], next: null }),
    verify: async () => ({ ok: true, checked: 0, head: { seq: 0, hash: '' }, problems: [] }),
  };
}
