import { AppError } from '#core/errors';
import type { Cli } from './context.ts';

/** A secret from standard input, without the line feed at its end. Throws `cli.no_value`. */
export async function secretInput(io: Cli): Promise<string> {
  if (process.stdin.isTTY) io.say('Type or paste the value, then Enter and Ctrl-D. It is not stored in your shell history.');
  const value = (await io.input()).replace(/\r?\n$/, '');
  if (value === '')
    throw new AppError(
      'invalid',
      'cli.no_value',
      'No value came on standard input: pipe it in, as in  printf %s "$VALUE" | castellan secret set NAME',
    );
  return value;
}
