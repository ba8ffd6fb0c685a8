import type { Command } from './command.ts';
import { approvals } from './commands/approvals.ts';
import { cancel, run, runs, why } from './commands/runs.ts';
import { llm, ping, skills, status } from './commands/program.ts';
import { workflows } from './commands/workflows.ts';

/** Every command, in the order `/help` shows them. `/help` and `/start` are the dispatcher's own, for they know this list. */
export const commands: readonly Command[] = [ping, status, workflows, run, runs, cancel, why, approvals, skills, llm];
