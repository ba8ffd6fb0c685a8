import type { Command } from 'commander';
import { AppError } from '#core/errors';
import { answerApproval, listApprovals } from '#policy/contract';
import { getSetting, listSettings, putSetting, resetSetting } from '#settings/contract';
import { listSecrets, putSecret, removeSecret, rotateSecret } from '#vault/contract';
import { jsonOrText } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { ago, plain, shorten, show, table } from '../words.ts';

/** Settings, secrets and approvals. */
export function ownerCommands(program: Command, cli: () => Cli): void {
  settingCommands(program.command('settings').description('what can be changed while it runs'), cli);
  secretCommands(program.command('secret').description('the vault; no command ever prints a value'), cli);
  approvalCommands(program.command('approvals').description('questions to you'), cli);
}

function settingCommands(group: Command, cli: () => Cli): void {
  group
    .command('list')
    .description('every setting')
    .option('--category <name>')
    .action(async ({ category }: { category?: string }) => {
      const io = cli();
      const { items } = await (await io.client()).call(listSettings, { category });
      io.print(items, () =>
        table(
          ['KEY', 'VALUE', '', 'WHAT'],
          items.map((it) => [it.key, short(it.value), it.isDefault ? '' : 'changed', it.problem ?? it.title]),
        ),
      );
    });
  group
    .command('get <key>')
    .description('one setting')
    .action(async (key: string) => {
      const io = cli();
      const it = await (await io.client()).call(getSetting, { key });
      io.print(it, () => show(it.value));
    });
  group
    .command('set <key> <value>')
    .description('change a setting; the value is JSON, or a plain text')
    .action(async (key: string, text: string) => {
      const io = cli();
      const it = await (await io.client()).call(putSetting, { key, value: jsonOrText(text) });
      io.print(it, () => `${it.key} is now ${short(it.value)}.`);
    });
  group
    .command('reset <key>')
    .description('back to the default')
    .action(async (key: string) => {
      const io = cli();
      const it = await (await io.client()).call(resetSetting, { key });
      io.print(it, () => `${it.key} is ${short(it.value)} again.`);
    });
}

function secretCommands(group: Command, cli: () => Cli): void {
  group
    .command('list')
    .description('names and dates')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listSecrets, {});
      io.print(items, () =>
        table(
          ['NAME', 'SCOPE', 'VERSION', 'LAST USED', 'WHAT'],
          items.map((it) => [it.name, it.scope, it.version, ago(it.lastUsedAt, Date.now()), it.description]),
        ),
      );
    });
  group
    .command('set <name>')
    .description('seal a secret; its value is read from standard input')
    .option('--scope <who>')
    .option('--description <text>')
    .action(async (name: string, options: { scope?: string; description?: string }) => {
      const io = cli();
      const it = await (await io.client()).call(putSecret, { name, value: await secretInput(io), ...options });
      io.print(it, () => `Sealed as @secret:${it.name}.`);
    });
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
    .action(async (name: string) => {
      const io = cli();
      await (await io.client()).call(removeSecret, { name });
      io.print({ removed: name }, () => `Removed ${name}.`);
    });
}

function approvalCommands(group: Command, cli: () => Cli): void {
  group
    .command('list')
    .description('what waits for your answer')
    .option('--all', 'answered ones too')
    .action(async ({ all }: { all?: boolean }) => {
      const io = cli();
      const { items } = await (await io.client()).call(listApprovals, all ? {} : { status: 'pending' });
      io.print(items, () =>
        items.length === 0
          ? 'Nothing waits for you.'
          : items
              .map(
                (it) =>
                  `${it.code}  ${it.title}: ${plain(it.question)}\n      ${it.status === 'pending' ? it.options.map(({ id, label }) => `${id} (${label})`).join(', ') : `${it.status}: ${it.answer ?? ''}`}`,
              )
              .join('\n'),
      );
    });
  group
    .command('answer <code> <option>')
    .description('answer by its code or id')
    .action(async (code: string, option: string) => {
      const io = cli();
      const client = await io.client();
      const { items } = await client.call(listApprovals, { status: 'pending', limit: 500 });
      const found = items.find((it) => it.id === code || it.code.toLowerCase() === code.toLowerCase());
      if (!found) throw new AppError('not_found', 'approval.not_found', `No question "${code}" is open`, { code });
      const it = await client.call(answerApproval, { id: found.id, option });
      io.print(it, () => `Answered: ${it.answer}.`);
    });
}

async function secretInput(io: Cli): Promise<string> {
  if (process.stdin.isTTY) io.say('Type or paste the value, then Enter and Ctrl-D. It is not stored in your shell history.');
  const value = (await io.input()).replace(/\r?\n$/, '');
  if (value === '')
    throw new AppError(
      'invalid',
      'cli.no_value',
      'No value came on standard input: pipe it in, as in  printf %s "$VALUE" | castellan secret set NAME',
    );
  return value;
}

function short(value: unknown): string {
  return shorten(typeof value === 'string' ? value : JSON.stringify(value), 60);
}
