import type { Command } from 'commander';
import type { Cli } from '../context.ts';
import { megabytes } from '../words.ts';

/** One file to keep elsewhere. None of the three needs an agent; `restore` refuses one that runs. */
export function backupCommands(program: Command, cli: () => Cli): void {
  const group = program.command('backup').description('the whole agent in one file');
  group
    .command('create')
    .description('database, configuration, skills and workspaces; the agent may go on meanwhile')
    .option('--out <file>', 'where to; the folder "backups" of the home when left out')
    .option('--with-key', "the vault's master key and those of certificates too: whoever has the file then has your secrets")
    .action(async ({ out, withKey = false }: { out?: string; withKey?: boolean }) => {
      const io = cli();
      const { createBackup } = await import('../backup/create.ts');
      const made = await createBackup(io, { out, withKey });
      io.print(made, () =>
        [
          `Wrote ${made.file} (${megabytes(made.bytes)}): ${made.rows} rows, ${made.files} files.`,
          withKey
            ? "The vault's master key is in it: keep it as you would keep your secrets."
            : 'The key of the vault is not in it: keep a copy of master.key in another place.',
          ...made.leftOut.map((path) => `  too large, not in it: ${path}`),
        ].join('\n'),
      );
    });

  group
    .command('verify <file>')
    .description('read a backup whole: pages, rows, files and the audit chain')
    .action(async (file: string) => {
      const io = cli();
      const { verifyBackup } = await import('../backup/verify.ts');
      const found = await verifyBackup(file);
      io.print(found, () =>
        found.ok
          ? `${file} is whole: ${found.rows} rows and ${found.files} files of ${found.createdAt}, made by Castellan ${found.version}${found.withKey ? ", with the vault's key" : ''}.`
          : [`${file} is damaged:`, ...found.problems.map((problem) => `  ${problem}`)].join('\n'),
      );
      if (!found.ok) process.exitCode = 1;
    });

  group
    .command('restore <file>')
    .description('put a backup in the place of what is there, which is kept aside')
    .action(async (file: string) => {
      const io = cli();
      const { restoreBackup } = await import('../backup/restore.ts');
      const done = await restoreBackup(io, file);
      io.print(done, () =>
        [
          `Restored ${done.rows} rows and ${done.files} files of ${done.createdAt} into ${io.home}.`,
          ...(done.aside ? [`What was there before is in ${done.aside}.`] : []),
          ...(done.keyMissing ? ["The vault's master key is missing: put master.key back into the home, or its secrets stay closed."] : []),
        ].join('\n'),
      );
    });
}
