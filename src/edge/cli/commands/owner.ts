import type { Command } from 'commander';
import { AppError } from '#core/errors';
import { answerApproval, listApprovals } from '#policy/contract';
import { getSetting, listSettings, putSetting, resetSetting } from '#settings/contract';
import { jsonOrText } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { plain, shorten, show, table } from '../words.ts';

/** Settings and approvals. */
export function ownerCommands(program: Command, cli: () => Cli): void {
  settingCommands(program.command('settings').description('what can be changed while it runs'), cli);
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

function short(value: unknown): string {
  return shorten(typeof value === 'string' ? value : JSON.stringify(value), 60);
}
