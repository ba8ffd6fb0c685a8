import { Option, type Command } from 'commander';
import { acceptAudit, Decision, ExportFormat, followVerify, listAudit, type AuditFilter, type AuditReport } from '#audit/contract';
import { instant, whole } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { table } from '../words.ts';

type Filter = Omit<AuditFilter, 'q'> & { readonly text?: string };

function filtered(command: Command): Command {
  return command
    .option('--actor <actor>', 'owner, cli, token:ID, run:ID, system; all tokens: token:*')
    .option('--action <action>', 'exact, or a module: settings.*')
    .option('--resource <resource>', 'what was acted on: setting:owner.name; all secrets: secret:*')
    .addOption(new Option('--decision <decision>', 'what policy said').choices(Decision.options))
    .option('--from <time>', 'not before', instant)
    .option('--to <time>', 'not after', instant)
    .option('--text <words>', 'words that stand somewhere in the entry, all of them');
}

function filterOf({ text, ...rest }: Filter): AuditFilter {
  return { ...rest, ...(text !== undefined && { q: text }) };
}

/** `audit list`, `verify`, `export`, `accept`; `verify` and `export` need no agent. */
export function auditCommands(program: Command, cli: () => Cli): void {
  const group = program.command('audit').description('who did what');
  filtered(group.command('list').description('newest first').option('--limit <n>', 'how many', whole(1, 500), 50)).action(
    async ({ limit, ...options }: Filter & { readonly limit: number }) => {
      const io = cli();
      const { items } = await (await io.client()).call(listAudit, { ...filterOf(options), limit });
      io.print(items, () =>
        table(
          ['WHEN', 'WHO', 'DID', 'TO', 'DECISION'],
          items.map((entry) => [entry.at, entry.actor, entry.action, entry.resource, entry.decision]),
        ),
      );
    },
  );

  group
    .command('verify [file]')
    .description('check the hash chain, of the agent or of an exported file: nothing was edited, removed or moved')
    .action(async (file?: string) => {
      const io = cli();
      if (file !== undefined) return verifyOneFile(io, file);
      const report = await verifyAgent(io);
      io.print(report, () => reportWords(report));
      if (!report.ok) process.exitCode = 1;
    });

  filtered(
    group
      .command('export')
      .description('the entries as a file, oldest first; "audit verify FILE" checks it anywhere')
      .addOption(new Option('--format <format>', 'JSON lines, or CSV for spreadsheets').choices(ExportFormat.options).default('jsonl'))
      .option('--out <file>', 'where to; standard output when left out'),
  ).action(async ({ format, out, ...options }: Filter & { readonly format: ExportFormat; readonly out?: string }) => {
    const io = cli();
    const { exportAudit } = await import('../verify-audit.ts');
    const made = await exportAudit(io, { format, out, filter: filterOf(options) });
    if (out !== undefined) io.print(made, () => `Wrote ${out}: ${made.bytes} bytes.`);
  });

  group
    .command('accept')
    .description('take the end of the chain as it is for the true one, after an anchor that did not match')
    .action(async () => {
      const io = cli();
      const report = await (await io.client()).call(acceptAudit, {});
      io.print(report, () => reportWords(report));
    });
}

async function verifyAgent(io: Cli): Promise<AuditReport> {
  const client = await io.clientIfRunning();
  if (!client) return (await import('../verify-audit.ts')).verifyOffline(io);
  for await (const { data } of client.stream(followVerify, {})) if (data.report) return data.report;
  throw new Error('The check ended without a report');
}

async function verifyOneFile(io: Cli, file: string): Promise<void> {
  const report = await (await import('../verify-audit.ts')).verifyFile(file);
  const { ok, checked, begin, end, closed, problems } = report;
  io.print(report, () =>
    [
      ok ? `${file} is whole: ${checked} entries.` : `${file} was tampered with, or damaged (${checked} entries read):`,
      ...problems.map(({ message }) => `  ${message}`),
      ...(begin === null
        ? ['It holds a selection: each entry is proven by itself, not that none is missing.']
        : [`It goes from entry ${begin.seq + 1} to ${end.seq}, ${end.hash}`]),
      ...(closed ? [] : ['CSV does not say where it ends: compare the last entry with "castellan audit verify".']),
    ].join('\n'),
  );
  if (!ok) process.exitCode = 1;
}

function reportWords({ ok, checked, head, checkpoint, anchor, problems }: AuditReport): string {
  const before = checkpoint ? [`Entries up to ${checkpoint.seq} were taken out on ${checkpoint.at}; the rest follows from there.`] : [];
  const noted = anchor ? [`Outside of the database entry ${anchor.seq} was noted on ${anchor.at}${anchor.sealed ? ', sealed' : ''}.`] : [];
  if (ok) return [`The audit log is whole: ${checked} entries. Its end is entry ${head.seq}, ${head.hash}`, ...before, ...noted].join('\n');
  const lines = problems.map(({ message }) => `  ${message}`);
  return [`The audit log was tampered with, or damaged (${checked} entries read):`, ...lines].join('\n');
}
