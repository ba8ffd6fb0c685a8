import { cancelTurns, type TurnEvent } from '#agents/contract';
import { AppError } from '#core/errors';
import type { Cli } from '../context.ts';
import { money, plain } from '../words.ts';
import { turnEvents } from './turn.ts';

/** Says one thing and writes the answer to standard output as it comes; exit code 1 when there was none. Ctrl-C stops the turn too. */
export async function answerOnce(io: Cli, conversationId: string, text: string): Promise<void> {
  if (text.trim() === '') throw new AppError('invalid', 'cli.no_value', 'There is nothing to say: give a text, or pipe one in');
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  process.once('SIGINT', onInterrupt);
  let written = '';
  try {
    for await (const event of turnEvents(io, { conversationId, text, signal: stop.signal })) {
      if (event.type === 'text' && !io.json) {
        process.stdout.write(plain(event.text));
        written += event.text;
      }
      if (event.type === 'tool_call') io.say(`  ${event.name}…`);
      if (event.type === 'end') finish(io, event, written, conversationId);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    await (await io.client()).call(cancelTurns, { id: conversationId }).catch(() => {});
    process.exitCode = 130;
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}

function finish(
  io: Cli,
  { status, message, receipt, error }: Extract<TurnEvent, { type: 'end' }>,
  written: string,
  conversationId: string,
): void {
  if (io.json) io.print({ conversationId, runId: message.runId, status, message, receipt }, () => '');
  else if (written === '' && message.text !== '') process.stdout.write(`${plain(message.text)}\n`);
  else if (!written.endsWith('\n')) process.stdout.write('\n');
  if (receipt?.offline) io.say('(Answered offline, without a model.)');
  else if (receipt && receipt.costUsd > 0) io.say(`(${receipt.provider}, ${money(receipt.costUsd)})`);
  if (status === 'succeeded') return;
  io.say(`castellan: ${error?.message ?? `The turn ${status}`}`);
  process.exitCode = 1;
}
