import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { AppError, errorInfo, exitCode } from '#core/errors';
import { modelCommands } from './commands/models.ts';
import { ownerCommands } from './commands/owner.ts';
import { readingCommands } from './commands/reading.ts';
import { runCommands } from './commands/runs.ts';
import { workflowCommands } from './commands/workflows.ts';
import { type Cli, createCli, homeFolder } from './context.ts';

export type { Cli } from './context.ts';

/** More commands, which need parts of the program this edge may not import: `start`, `doctor`, `token create`. */
export type MoreCommands = (program: Command, cli: () => Cli) => void;

/** The whole command line as a tree of commands; nothing runs until it is parsed. */
export function buildProgram(version: string, env: NodeJS.ProcessEnv, more: MoreCommands = () => {}): Command {
  const program = new Command('castellan');
  const cli = (): Cli => {
    const { home, json = false } = program.opts<{ home?: string; json?: boolean }>();
    return createCli({ home: homeFolder(home, env), json });
  };
  program
    .description('Castellan: a personal AI agent on your own hardware.')
    .version(version, '--version', 'print the version')
    .option('--json', 'print one JSON document and nothing else')
    .option('--home <dir>', 'the agent\'s home folder (CASTELLAN_HOME, else ~/.castellan)')
    .showHelpAfterError('(add --help for more)')
    .exitOverride();
  for (const add of [more, runCommands, workflowCommands, modelCommands, readingCommands, ownerCommands]) add(program, cli);
  for (const command of everyCommand(program)) command.exitOverride();
  return program;
}

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((each) => [each, ...everyCommand(each)]);
}

/** Exit codes of surface: 0 done, 1 failed, 2 usage, 69 not running, 77 not allowed, 78 bad configuration. */
export function codeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof z.ZodError) return 2;
  if (!(error instanceof AppError)) return 1;
  if (error.code.startsWith('agent.')) return 69;
  if (error.code.startsWith('config.')) return 78;
  return exitCode[error.kind];
}

/** Parses and runs; resolves to the exit code, with the error told in the way that was asked for. */
export async function runCli(program: Command, argv: readonly string[]): Promise<number> {
  try {
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const code = codeOf(error);
    if (error instanceof CommanderError || code === 0) return code;
    const info = error instanceof z.ZodError ? { kind: 'invalid' as const, code: 'cli.usage', message: error.issues[0]?.message ?? 'bad usage' } : errorInfo(error);
    if (program.opts<{ json?: boolean }>().json) process.stdout.write(`${JSON.stringify({ error: info })}\n`);
    else process.stderr.write(`castellan: ${info.message}${issuesOf(info.details)}\n`);
    return code;
  }
}

function issuesOf(details: Readonly<Record<string, unknown>> | undefined): string {
  const issues = details?.['issues'];
  if (!Array.isArray(issues) || issues.length < 2) return '';
  return (issues as { step?: string; field?: string; message?: string }[]).map(({ step, field, message }) => `\n  ${step ? `step "${step}": ` : ''}${field ? `${field}: ` : ''}${message}`).join('');
}
