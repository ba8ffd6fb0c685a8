import { CommanderError, type Command } from 'commander';
import { homeFolder, type Environment } from '#core/config';
import { AppError, errorInfo, exitCode, type ErrorInfo } from '#core/errors';
import { createCli } from './context.ts';
import { createProgram } from './program.ts';
import { welcome } from './welcome.ts';

/** Parses and runs; resolves to the exit code, with the error told in the way that was asked for. */
export async function runCli(
  argv: readonly string[],
  { version, env }: { readonly version: string; readonly env: Environment },
): Promise<number> {
  process.stdout.on('error', endQuietly);
  const program = createProgram(version, env);
  try {
    if (isEmpty(program, argv))
      await welcome(
        createCli({ home: homeFolder(env, program.opts<{ home?: string }>().home), json: argv.includes('--json'), env, version }),
      );
    else await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const code = codeOf(error);
    if (code !== 0) tell(error, argv.includes('--json'));
    return code;
  }
}

/** Exit codes of the command line: 0 done, 1 failed, 2 usage, 69 not running, 77 not allowed, 78 bad configuration. */
export function codeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof AppError)) return 1;
  if (error.code === 'agent.not_running' || error.code === 'agent.unreachable') return 69;
  if (error.code.startsWith('config.') || (error.code.startsWith('home.') && error.kind === 'invalid')) return 78;
  return exitCode[error.kind];
}

/** Neither a command nor a question: somebody wants to know what this is. */
function isEmpty(program: Command, argv: readonly string[]): boolean {
  const { operands, unknown } = program.parseOptions([...argv]);
  return operands.length === 0 && unknown.length === 0;
}

/** Commander has told its own errors already, except in JSON. */
function tell(error: unknown, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify({ error: infoOf(error) }, null, 2)}\n`);
  else if (!(error instanceof CommanderError)) process.stderr.write(`castellan: ${infoOf(error).message}${issuesOf(errorInfo(error))}\n`);
}

function infoOf(error: unknown): ErrorInfo {
  if (!(error instanceof CommanderError)) return errorInfo(error);
  const message = error.code === 'commander.help' ? 'A command is missing; see --help' : error.message.replace(/^error: /, '');
  return { kind: 'invalid', code: 'cli.usage', message };
}

function issuesOf({ details }: ErrorInfo): string {
  const issues = details?.['issues'];
  if (!Array.isArray(issues) || issues.length < 2) return '';
  return (issues as { step?: string; field?: string; message?: string }[])
    .map(({ step, field, message }) => `\n  ${step ? `step "${step}": ` : ''}${field ? `${field}: ` : ''}${message}`)
    .join('');
}

/** `castellan runs | head -1`: nobody reads on, so there is nothing left to do. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}
