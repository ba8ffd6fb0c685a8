import { route, type Route } from '#core/endpoint';
import type { Audit } from './audit.ts';
import { listAudit, verifyAudit } from './contract.ts';

export function auditRoutes(audit: Audit): readonly Route[] {
  return [route(listAudit, (query) => audit.list(query)), route(verifyAudit, (_input, { signal }) => audit.verify(signal))];
}
