import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { systemClock } from '#core/clock';
import { AppError } from '#core/errors';
import { anchorFile, auditMigrations, createAudit, verifyExport, type FileReport } from '#audit';
import type { AuditFilter, AuditReport, ExportFormat } from '#audit/contract';
import type { Cli } from './context.ts';
import { withStore } from './offline.ts';

/** Checks the audit log in the home's database itself; without the vault's key the seals are left alone. */
export function verifyOffline(io: Cli): Promise<AuditReport> {
  return withStore(io, auditMigrations, (store) =>
    createAudit({ store, clock: systemClock, redact: (text) => text, anchor: anchorFile(join(io.home, 'audit.anchor')) }).verify(),
  );
}

/** Checks an exported file by itself. */
export async function verifyFile(file: string): Promise<FileReport> {
  try {
    return await verifyExport(createReadStream(file, 'utf8') as AsyncIterable<string>);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new AppError('not_found', 'cli.unreadable', `Cannot read ${file}: ${code ?? message}`, { file }, cause);
  }
}

/** Writes the entries of a filter to a file or to standard output; reads the database itself, beside a running agent too. */
export function exportAudit(
  io: Cli,
  { format, filter, out }: { readonly format: ExportFormat; readonly filter: AuditFilter; readonly out: string | undefined },
): Promise<{ readonly file: string | null; readonly bytes: number }> {
  return withStore(io, auditMigrations, async (store) => {
    const lines = createAudit({ store, clock: systemClock, redact: (text) => text }).export(format, filter);
    let bytes = 0;
    const counted = async function* (): AsyncGenerator<string> {
      for await (const line of lines) {
        bytes += Buffer.byteLength(line);
        yield line;
      }
    };
    await pipeline(counted, out === undefined ? process.stdout : createWriteStream(out, { mode: 0o600, flags: 'wx' }), {
      end: out !== undefined,
    });
    return { file: out ?? null, bytes };
  });
}
