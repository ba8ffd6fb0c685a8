import { styleText } from 'node:util';
import { readAgentFacts, type Cli } from './context.ts';

const FIRST_STEPS: readonly (readonly [command: string, does: string])[] = [
  ['start', 'run the agent'],
  ['login', 'a link into the browser'],
  ['chat', 'talk'],
  ['workflows list', 'what it can do by itself'],
  ['run NAME --wait', 'do one of them now'],
  ['runs', 'what it did and is doing'],
  ['doctor', 'what is wrong, and how to mend it'],
];

/** What `castellan` alone says: whether the agent runs, and where to begin. */
export async function welcome(io: Cli): Promise<void> {
  const agent = await readAgentFacts(io.home);
  const state = agent ? `The agent runs at ${agent.url}` : `No agent runs on ${io.home}: start it with "castellan start".`;
  io.print({ version: io.version, home: io.home, running: agent !== null, url: agent?.url ?? null }, () =>
    [
      `${styleText('bold', `Castellan ${io.version}`)}: a personal AI agent on your own hardware.`,
      state,
      '',
      ...FIRST_STEPS.map(([command, does]) => `  castellan ${command.padEnd(17)}${does}`),
      '',
      'All commands: castellan --help. One of them: castellan COMMAND --help.',
    ].join('\n'),
  );
}
