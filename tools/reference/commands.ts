import type { Command } from 'commander';
import { exportsOf, sources, type Page } from './page.ts';

/** Every command with its arguments and options, read from the program that parses them (`createProgram` of src/edge/cli/program.ts). */
export const commandsPage: Page = {
  file: 'commands.md',
  title: 'Commands',
  async make() {
    const [createProgram] = (await exportsOf(await sources('edge/cli/program.ts'))).filter((value) => typeof value === 'function');
    if (!createProgram) return null;
    const program = (createProgram as () => Command)();
    const intro =
      'Every command takes `--json` (one JSON document on standard output and nothing else there; an error is `{ "error": { "kind", "code", "message" } }`), ' +
      '`--home DIR` and `--help`. Exit codes: 0 done, 1 it failed, 2 bad usage, 69 no agent runs, 77 not allowed, 78 bad configuration.\n\n';
    return intro + program.commands.flatMap((command) => describe(command, program.name())).join('\n\n');
  },
};

function describe(command: Command, parent: string): readonly string[] {
  const name = `${parent} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((each) => describe(each, name));
  const usage = command
    .usage()
    .replace(/^\[options\] ?/, command.options.length > 0 ? '[options] ' : '')
    .trim();
  const options = command.options.map(({ flags, description }) => `- \`${flags}\`: ${description}`);
  return [[`## \`${`${name} ${usage}`.trim()}\``, command.description(), ...(options.length > 0 ? [options.join('\n')] : [])].join('\n\n')];
}
