import type { Command } from 'commander';
import { installBackend, listBackends } from '#agents/contract';
import type { Cli } from '../context.ts';
import { table } from '../words.ts';

/** `backends`: the agent CLIs that can run turns. */
export function backendCommands(program: Command, cli: () => Cli): void {
  const group = program
    .command('backends')
    .description('agent CLIs that can run turns: Claude Code, Codex, Gemini CLI, OpenCode, Copilot CLI');
  group
    .command('list')
    .description('which are on this machine')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listBackends, {});
      io.print(items, () =>
        table(
          ['ID', 'NAME', 'VERSION', 'SANDBOX', 'WHERE'],
          items.map((it) => [
            it.id,
            it.title,
            it.version ?? '',
            it.sandbox ? 'yes' : 'no',
            it.path ?? `not here: castellan backends install ${it.id}`,
          ]),
        ),
      );
    });
  group
    .command('install <id>')
    .description('bring one from the package registry into the home; takes minutes')
    .action(async (id: string) => {
      const io = cli();
      const it = await (await io.client()).call(installBackend, { id });
      io.print(it, () => `${it.title} ${it.version ?? ''} is at ${it.path}. An assistant with the backend "${it.id}" talks by it.`);
    });
}
