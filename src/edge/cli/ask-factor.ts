import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { FactorKind, FactorNeed } from '#core/client';
import { AppError } from '#core/errors';

/**
 * Gives the client a second factor: of `--code` first, then by asking on the terminal. Where nobody can be asked, the error says how to give it.
 * `code` may be `@FILE`, so that a password is in no list of processes.
 */
export function createFactorAsker(code: string | undefined): (need: FactorNeed) => Promise<string | null> {
  let isGiven = false;
  return async (need) => {
    if (code !== undefined && !isGiven) {
      isGiven = true;
      return code.startsWith('@') ? fromFile(code.slice(1)) : code;
    }
    if (need.factors.length === 0) return null;
    if (!process.stdin.isTTY || !process.stderr.isTTY) {
      if (need.problem !== undefined) return null;
      throw new AppError(
        'forbidden',
        'owner.factor_needed',
        `This needs ${words(need.factors)}: give it with --code (or --code @FILE), or run the command in a terminal to be asked`,
        { factors: need.factors },
      );
    }
    if (need.problem !== undefined) process.stderr.write(`${need.problem}.\n`);
    return readLine(`${upper(words(need.factors))}: `, true);
  };
}

async function fromFile(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new AppError('invalid', 'cli.no_file', `--code: ${path} cannot be read (${cause.code})`, { path }, cause);
  });
  return text.replace(/\r?\n$/, '');
}

/** A passkey needs a browser, so it is not offered here, unless it is all there is. */
function words(factors: readonly FactorKind[]): string {
  if (factors.includes('password')) return 'your password';
  if (factors.includes('totp')) return 'the six digits of your authenticator, or a recovery code';
  return factors.includes('recovery') ? 'a recovery code (a passkey works in the browser only)' : 'your passkey, in the browser';
}

const upper = (text: string): string => text[0]!.toUpperCase() + text.slice(1);

/** Reads a line of the terminal; null when it is empty, or given up with Ctrl-C. */
export async function readLine(prompt: string, isHidden = false): Promise<string | null> {
  process.stderr.write(prompt);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: isHidden ? silent : process.stderr, terminal: true });
  const stop = new AbortController();
  lines.once('SIGINT', () => stop.abort());
  try {
    const answer = await lines.question('', { signal: stop.signal });
    return answer.trim() === '' ? null : answer;
  } catch (error) {
    if (stop.signal.aborted) return null;
    throw error;
  } finally {
    lines.close();
    if (isHidden) process.stderr.write('\n');
  }
}
