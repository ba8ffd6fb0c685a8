import type { Command } from 'commander';
import { AppError } from '#core/errors';
import { addMemory, forgetMemory, listMemories, OWNER_SCOPE, restoreMemory, searchMemories } from '#memory/contract';
import { fromNow, whole } from '../arguments.ts';
import type { Cli } from '../context.ts';
import { ago, shorten, table } from '../words.ts';

interface AddOptions {
  readonly kind: string;
  readonly title?: string;
  readonly url?: string;
  readonly pin?: boolean;
  readonly expires?: string;
  readonly scope: string;
}

/** What it remembers. */
export function memoryCommands(program: Command, cli: () => Cli): void {
  const group = program.command('memory').description('what it remembers');
  const scoped = (command: Command): Command =>
    command.option('--scope <scope>', "a workspace's id; your own memories when left out", OWNER_SCOPE);

  scoped(group.command('search <words...>'))
    .description('by words and by meaning, best first')
    .option('--kind <kinds>', 'only these, separated by commas: fact,preference,news_item')
    .option('--limit <n>', 'how many', whole(1, 100), 10)
    .action(async (words: string[], options: { kind?: string; limit: number; scope: string }) => {
      const io = cli();
      const found = await (await io.client()).call(searchMemories, { q: words.join(' '), ...options });
      if (found.textOnly !== null) io.say(`Compared by words only: ${found.textOnly}`);
      io.print(found.items, () =>
        table(
          ['ID', 'KIND', 'WHEN', 'WHAT'],
          found.items.map((it) => [it.id, it.kind, ago(it.createdAt, Date.now()), gist(it.title, it.passage)]),
        ),
      );
    });

  scoped(group.command('add <text>'))
    .description('remember something; - reads it from standard input')
    .option('--kind <kind>', 'what sort of knowledge', 'fact')
    .option('--title <title>')
    .option('--url <url>', 'where it is from')
    .option('--pin', 'it does not expire')
    .option('--expires <time>', 'forget it after so long: 30d, 12h', fromNow)
    .action(async (given: string, { pin, expires, ...options }: AddOptions) => {
      const io = cli();
      const text = given === '-' ? (await io.input()).trim() : given;
      if (text === '') throw new AppError('invalid', 'cli.no_value', 'There is nothing to remember: give a text, or pipe one in with -');
      const it = await (
        await io.client()
      ).call(addMemory, { text, ...options, ...(pin && { pinned: true }), ...(expires && { expiresAt: expires }) });
      io.print(it, () => (it.existed ? `That was known already (${it.id}).` : `Remembered (${it.id}).`));
    });

  scoped(group.command('list'))
    .description('newest first')
    .option('--kind <kind>', 'only of this kind')
    .option('--pinned', 'only what does not expire')
    .option('--trash', 'what was thrown away')
    .option('--limit <n>', 'how many', whole(1, 500), 50)
    .action(async ({ pinned, trash, ...options }: { kind?: string; pinned?: boolean; trash?: boolean; limit: number; scope: string }) => {
      const io = cli();
      const { items } = await (
        await io.client()
      ).call(listMemories, { ...options, ...(pinned && { pinned: 'true' }), ...(trash && { trash: 'true' }) });
      io.print(items, () =>
        table(
          ['ID', 'KIND', 'WHEN', 'WHAT'],
          items.map((it) => [it.id, it.kind, ago(it.createdAt, Date.now()), gist(it.title, it.text)]),
        ),
      );
    });

  scoped(group.command('forget <id>'))
    .description('throw a memory away; it stays in the trash for thirty days')
    .option('--purge', 'for good, at once')
    .action(async (id: string, { purge, scope }: { purge?: boolean; scope: string }) => {
      const io = cli();
      await (await io.client()).call(forgetMemory, { id, scope, ...(purge && { purge: 'true' }) });
      io.print({ forgotten: id }, () =>
        purge ? 'Gone for good.' : `In the trash for thirty days. Back with: castellan memory restore ${id}`,
      );
    });

  scoped(group.command('restore <id>'))
    .description('take a memory out of the trash')
    .action(async (id: string, { scope }: { scope: string }) => {
      const io = cli();
      const it = await (await io.client()).call(restoreMemory, { id, scope });
      io.print(it, () => `Back: ${shorten(it.title ?? it.text, 100)}`);
    });
}

/** Title and text on one line; a text often begins with its title. */
function gist(title: string | null, text: string): string {
  return shorten(title === null || text.startsWith(title) ? text : `${title}: ${text}`, 100);
}
