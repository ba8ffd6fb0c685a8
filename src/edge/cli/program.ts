import { Command } from 'commander';
import { homeFolder, type Environment } from '#core/config';
import { auditCommands } from './commands/audit.ts';
import { backendCommands } from './commands/backends.ts';
import { backupCommands } from './commands/backup.ts';
import { certificateCommands } from './commands/certificates.ts';
import { channelCommands } from './commands/channels.ts';
import { chatCommand } from './commands/chat.ts';
import { connectionCommands } from './commands/connections.ts';
import { doctorCommand } from './commands/doctor.ts';
import { memoryCommands } from './commands/memory.ts';
import { modelCommands } from './commands/models.ts';
import { ownerCommands } from './commands/owner.ts';
import { policyCommands } from './commands/policy.ts';
import { readingCommands } from './commands/reading.ts';
import { runCommands } from './commands/runs.ts';
import { scanCommands } from './commands/scan.ts';
import { scheduleCommands } from './commands/schedules.ts';
import { secretCommands } from './commands/secrets.ts';
import { securityCommands } from './commands/security.ts';
import { skillCommands } from './commands/skills.ts';
import { startCommands } from './commands/start.ts';
import { workflowCommands } from './commands/workflows.ts';
import { createCli, type Cli } from './context.ts';

/** Adds commands to the program; `cli` gives them their surroundings once the options are read. */
type Commands = (program: Command, cli: () => Cli) => void;

/** The groups of the help, in its order. */
const GROUPS: readonly (readonly [title: string, commands: readonly Commands[]])[] = [
  ['The agent:', [startCommands, certificateCommands, doctorCommand, backupCommands]],
  ['Talk and work:', [chatCommand, runCommands, workflowCommands, scheduleCommands, ownerCommands, secretCommands, connectionCommands]],
  [
    'What it knows and can do:',
    [memoryCommands, modelCommands, backendCommands, skillCommands, channelCommands, readingCommands, scanCommands],
  ],
  ['What it may do, and did:', [policyCommands, auditCommands, securityCommands]],
];

/** The whole command line as a tree of commands; nothing runs until it is parsed. */
export function createProgram(version = '', env: Environment = {}): Command {
  const program = new Command('castellan');
  const cli = (): Cli => {
    const { home, json = false, code } = program.opts<{ home?: string; json?: boolean; code?: string }>();
    return createCli({ home: homeFolder(env, home), json, env, version, code });
  };
  program
    .description('Castellan: a personal AI agent on your own hardware.')
    .version(version, '--version', 'print the version')
    .option('--json', 'print one JSON document and nothing else')
    .option('--home <dir>', "the agent's home folder (CASTELLAN_HOME, else ~/.castellan)")
    .option('--code <code>', 'a second factor for a sensitive act: the six digits or a recovery code; @FILE reads it from a file')
    .configureOutput({ writeErr: (text) => void (program.opts<{ json?: boolean }>().json || process.stderr.write(text)) })
    .showHelpAfterError('(add --help for more)')
    .addHelpText(
      'after',
      '\nEvery command takes --json, --home and --help. Exit codes: 0 done, 1 it failed, 2 bad usage, 69 no agent runs,\n77 not allowed, 78 bad configuration.',
    )
    .exitOverride();
  for (const [title, commands] of GROUPS) {
    program.commandsGroup(title);
    for (const add of commands) add(program, cli);
  }
  return program;
}
