import { Option, type Command } from 'commander';
import { Decision, listAudit, verifyAudit, type AuditReport } from '#audit/contract';
import { instant, whole } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { table } from '../words.ts';

interface ListOptions {
  readonly limit: number;
  readonly actor?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly decision?: Decision;
  readonly from?: string;
  readonly to?: string;
}

/** `audit list`, and `audit verify`, which needs no agent. */
export function auditCommands(program: Command, cli: () => Cli): void {
  const group = program.command('audit').description('who did what');
  group
    .command('list')
    .description('newest first')
    .option('--limit <n>', 'how many', whole(1, 500), 50)
    .option('--actor <actor>', 'owner, cli, token:ID, run:ID, system')
    .option('--action <action>', 'exact, or a module: settings.*')
    .option('--resource <resource>', 'what was acted on: setting:owner.name')
    .addOption(new Option('--decision <decision>', 'what policy said').choices(Decision.options))
    .option('--from <time>', 'not before', instant)
    .option('--to <time>', 'not after', instant)
    .action(async (options: ListOptions) => {
      const io = cli();
      const { items } = await (await io.client()).call(listAudit, { ...options });
      io.print(items, () =>
        table(
          ['WHEN', 'WHO', 'DID', 'TO', 'DECISION'],
          items.map((entry) => [entry.at, entry.actor, entry.action, entry.resource, entry.decision]),
        ),
      );
    });

  group
    .command('verify')
    .description('check the hash chain: no entry was edited, removed or moved')
    .action(async () => {
      const io = cli();
      const client = await io.clientIfRunning();
      const report = client ? await client.call(verifyAudit, {}) : await (await import('../verify-audit.ts')).verifyOffline(io);
      io.print(report, () => reportWords(report));
      if (!report.ok) process.exitCode = 1;
    });
}

function reportWords({ ok, checked, head, problems }: AuditReport): string {
  if (ok) return `The audit log is whole: ${checked} entries. Its end is entry ${head.seq}, ${head.hash}`;
  return [`The audit log was tampered with, or damaged (${checked} entries read):`, ...problems.map(({ message }) => `  ${message}`)].join(
    '\n',
  );
}
