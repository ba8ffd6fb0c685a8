import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#core/errors';
import { secret, type Secret } from '#core/secret';
import { passphraseNeeded } from '#vault';

/** Where a passphrase may come from, besides a terminal. */
export interface PassphraseWays {
  /** `CASTELLAN_PASSPHRASE_FD`: an open file descriptor. */
  readonly fd?: number | undefined;
  /** `CREDENTIALS_DIRECTORY`, as systemd gives it to a unit. */
  readonly credentials?: string | undefined;
}

/** Asks for the passphrase of the vault: the descriptor, the credential, the terminal, whichever there is first. Throws `vault.passphrase_needed`. */
export function passphraseFrom({ fd, credentials }: PassphraseWays): (again: boolean) => Promise<Secret> {
  let fromFd: Secret | null = null;
  return async (again) => {
    if (fd !== undefined) {
      if (again)
        throw new AppError('invalid', 'vault.wrong_passphrase', `CASTELLAN_PASSPHRASE_FD ${fd} did not give the passphrase of the vault`);
      return (fromFd ??= firstLine(readDescriptor(fd)));
    }
    if (credentials !== undefined) {
      const text = await readFile(join(credentials, 'castellan-passphrase'), 'utf8').catch(() => null);
      if (text !== null && again)
        throw new AppError('invalid', 'vault.wrong_passphrase', 'The credential "castellan-passphrase" is not the passphrase of the vault');
      if (text !== null) return firstLine(text);
    }
    if (!process.stdin.isTTY) throw passphraseNeeded();
    return ask(again ? 'That was not it. Passphrase of the vault: ' : 'Passphrase of the vault: ');
  };
}

function readDescriptor(fd: number): string {
  try {
    return readFileSync(fd, 'utf8');
  } catch (cause) {
    throw new AppError('invalid', 'vault.passphrase_needed', `CASTELLAN_PASSPHRASE_FD: descriptor ${fd} cannot be read`, { fd }, cause);
  }
}

function firstLine(text: string): Secret {
  return secret(text.split(/\r?\n/)[0]!);
}

/** Reads a line from the terminal without showing it; Ctrl-C and Ctrl-D give up. */
function ask(question: string): Promise<Secret> {
  const { stdin, stderr } = process;
  return new Promise((resolve, reject) => {
    let text = '';
    stdin.setRawMode(true); // first: what is typed at once must not be shown either
    stdin.setEncoding('utf8').resume();
    stderr.write(question);
    const end = (settle: () => void): void => {
      stdin.off('data', read).setRawMode(false).pause();
      stderr.write('\n');
      settle();
    };
    function read(chunk: string): void {
      for (const char of chunk) {
        if (char === '\r' || char === '\n') return end(() => resolve(secret(text)));
        if (char === '\u0003' || char === '\u0004') return end(() => reject(passphraseNeeded()));
        text = char === '\u007f' || char === '\b' ? text.slice(0, -1) : text + char;
      }
    }
    stdin.on('data', read);
  });
}
