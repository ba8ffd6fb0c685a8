import { Option, type Command } from 'commander';
import { describeSecret, listSecrets, putSecret, removeSecret, rotateMasterKey, rotateSecret } from '#vault/contract';
import { moment } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { secretInput } from '../secret-input.ts';
import { ago, table } from '../words.ts';

interface Described {
  readonly scope?: string;
  readonly hosts?: string;
  readonly description?: string;
  readonly expires?: string;
}

/** `secret`: the vault. */
export function secretCommands(program: Command, cli: () => Cli): void {
  const group = program.command('secret').description('the vault; no command ever prints a value');
  group
    .command('list')
    .description('names, who may use them, where they are used, dates')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listSecrets, {});
      const now = Date.now();
      io.print(items, () =>
        items.length === 0
          ? 'The vault is empty.'
          : table(
              ['NAME', 'FOR', 'HOSTS', 'AGE', 'LAST USED', 'ENDS', 'USED BY', 'WHAT'],
              items.map((it) => [
                it.name,
                it.scope,
                it.hosts,
                ago(it.rotatedAt ?? it.createdAt, now),
                ago(it.lastUsedAt, now),
                it.expiresAt?.slice(0, 10) ?? '',
                it.usedBy.join('; '),
                it.description,
              ]),
            ),
      );
    });
  described(group.command('set <name>').description('seal a secret; its value is read from standard input')).action(
    async (name: string, options: Described) => {
      const io = cli();
      const it = await (await io.client()).call(putSecret, { name, value: await secretInput(io), ...saidOf(options) });
      io.print(it, () => `Sealed as @secret:${it.name}.`);
    },
  );
  described(group.command('describe <name>').description('change who may use a secret and where it may be sent; its value stays')).action(
    async (name: string, options: Described) => {
      const io = cli();
      const it = await (await io.client()).call(describeSecret, { name, ...saidOf(options) });
      io.print(it, () => `${it.name} is for ${it.scope}${it.hosts ? `, and may be sent to ${it.hosts}` : ''}.`);
    },
  );
  group
    .command('rotate <name>')
    .description('seal a new version; read from standard input')
    .action(async (name: string) => {
      const io = cli();
      const it = await (await io.client()).call(rotateSecret, { name, value: await secretInput(io) });
      io.print(it, () => `Version ${it.version} of ${it.name} is in force; the one before is accepted until ${it.previousUntil}.`);
    });
  group
    .command('remove <name>')
    .description('forget a secret')
    .option('--force', 'though it is still referred to')
    .action(async (name: string, { force = false }: { force?: boolean }) => {
      const io = cli();
      await (await io.client()).call(removeSecret, { name, ...(force && { force: 'true' }) });
      io.print({ removed: name }, () => `Removed ${name}.`);
    });
  group
    .command('rotate-key')
    .description('seal everything with another master key')
    .addOption(
      new Option(
        '--to <kind>',
        'a random key in the home; a key you give; a passphrase asked for at each start. The last two are read from standard input',
      )
        .choices(['file', 'given', 'passphrase'])
        .default('file'),
    )
    .addOption(new Option('--old <what>', 'what becomes of the key file before').choices(['keep', 'destroy']).default('destroy'))
    .action(async ({ to, old }: { to: 'file' | 'given' | 'passphrase'; old: 'keep' | 'destroy' }) => {
      const io = cli();
      const key = to === 'file' ? undefined : await secretInput(io);
      const it = await (await io.client()).call(rotateMasterKey, { to, old, ...(key !== undefined && { key }) });
      io.print(it, () => [`Everything is sealed with another master key: ${it.resealed} secrets.`, NEXT[it.kind]].join('\n'));
    });
}

const NEXT = {
  file: 'It is in master.key of the home. Copies of the one before, in backups too, open nothing that is sealed from now on.',
  given: 'Give it at the next start by CASTELLAN_MASTER_KEY or CASTELLAN_MASTER_KEY_FILE: no other one opens the vault.',
  passphrase:
    'It is asked for at each start, at the terminal, by CASTELLAN_PASSPHRASE_FD or the systemd credential "castellan-passphrase".',
} as const;

function described(command: Command): Command {
  return command
    .option('--scope <who>', 'any, or some of provider:NAME, channel:NAME, skill:NAME, workspace:NAME, separated by commas')
    .option('--hosts <hosts>', 'where it may be sent: api.github.com, *.example.com; a skill sends it nowhere else')
    .option('--description <text>')
    .option('--expires <time>', 'when it ends, a date or 90d: you are told two weeks before', moment);
}

function saidOf({ expires, ...rest }: Described) {
  return { ...rest, ...(expires !== undefined && { expiresAt: expires }) };
}
