import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { route, streamRoute, type Caller, type Route } from '#core/endpoint';
import { check } from '#core/json';
import type { Audit } from './audit.ts';
import { acceptAudit, ExportQuery, followVerify, listAudit, verifyAudit } from './contract.ts';

export function auditRoutes(audit: Audit): readonly Route[] {
  return [
    route(listAudit, (query) => audit.list(query)),
    route(verifyAudit, (_input, { signal }) => audit.verify(signal)),
    streamRoute(followVerify, async function* (_input, { signal }) {
      for await (const data of audit.follow(signal)) yield { event: 'progress', data };
    }),
    route(acceptAudit, (_input, { caller }) => audit.accept(caller.id)),
  ];
}

/** `GET /api/audit/export`: a file of any size, written as it is read. */
export function auditExportRoute(audit: Audit) {
  return {
    method: 'GET' as const,
    path: '/api/audit/export' as const,
    grant: 'audit:read',
    summary: 'The entries of a filter as a file, JSON lines or CSV, oldest first; "castellan audit verify FILE" checks it anywhere.',
    async handle(
      req: IncomingMessage,
      res: ServerResponse,
      { caller, signal }: { readonly caller: Caller; readonly signal: AbortSignal },
    ): Promise<void> {
      const query = Object.fromEntries(new URL(req.url ?? '/', 'http://castellan').searchParams);
      const { format, ...filter } = check(query, ExportQuery, 'Query');
      await audit.record({ actor: caller.id, action: 'audit.export', resource: 'audit', details: { format, filter } });
      const lines = audit.export(format, filter, signal);
      res.writeHead(200, {
        'content-type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/jsonl; charset=utf-8',
        'content-disposition': `attachment; filename="castellan-audit.${format}"`,
      });
      for await (const line of lines) if (!res.write(line)) await Promise.race([once(res, 'drain'), once(res, 'close')]);
      res.end();
    },
  };
}
