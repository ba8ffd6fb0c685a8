import type { Command } from 'commander';
import { forkConversation } from '#agents/contract';
import { AppError } from '#core/errors';
import type { Cli } from '../context.ts';
import { openConversation, type Wish } from '../chat/conversation.ts';
import { answerOnce } from '../chat/once.ts';

/** Talking: in the terminal, or one message and its answer. */
export function chatCommand(program: Command, cli: () => Cli): void {
  program
    .command('chat')
    .description('talk; where there is no terminal, one message is read from standard input')
    .option('--workspace <name>', 'in which workspace')
    .option('--conversation <id>', 'go on with one: its id, a part of its title, or "last"; a new one when left out')
    .option('--fork', 'go on in a copy of that one; it stays as it is')
    .option('--once <text>', 'say this, print the answer and end; - reads it from standard input')
    .action(async ({ once, fork, ...wish }: Wish & { once?: string; fork?: true }) => {
      const io = cli();
      const isTerminal = process.stdin.isTTY && process.stdout.isTTY && !io.json;
      const text = once === '-' || (once === undefined && !isTerminal) ? await io.input() : once;
      if (fork && wish.conversation === undefined)
        throw new AppError(
          'invalid',
          'cli.fork_of_what',
          '--fork: say of which conversation: --conversation ID, a part of its title, or last',
        );
      const client = await io.client();
      const wanted = await openConversation(client, wish);
      const conversation = fork ? await client.call(forkConversation, { id: wanted.id }) : wanted;
      if (text !== undefined) return answerOnce(io, conversation.id, text);
      const { talkInTerminal } = await import('../chat/talk.ts');
      await talkInTerminal(io, conversation);
    });
}
