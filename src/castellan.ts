import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { enableCompileCache } from 'node:module';
import { startFast } from './fast-start.ts';

enableCompileCache();
const args = process.argv.slice(2);

// The agent's own start stays clear of the command line's libraries.
if (args[0] === 'start' && !args.includes('--help') && !args.includes('-h')) {
  const { runLauncher } = await import('./launcher.ts');
  process.exitCode = await runLauncher(args.slice(1), {
    clean: async (text) => (await import('#vault')).createRedactor()(text),
  });
} else {
  startFast(join(import.meta.dirname, '..'));
  const { runCli } = await import('./edge/cli/index.ts');
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as { version: string };
  process.exitCode = await runCli(args, { version, env: process.env });
}
