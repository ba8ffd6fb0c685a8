import { readFile } from 'node:fs/promises';
import { AppError } from '#core/errors';
import type { Config } from '#core/config';
import type { AddressSeed, SecretSeed } from '#core/config/seeds';
import { strongKey } from './strong-key.ts';
import { isPlaceholder } from './weak.ts';

/** What a secret of the environment is good for, which says how bad a poor one is. */
interface Purpose {
  /** Strangers could forge messages to us with it: always judged. */
  readonly guardsUs?: boolean;
  /** The service it is for; with an address of the owner's (a gateway, a local server, a fake) anything may be its key. */
  readonly address?: AddressSeed;
  readonly shortest?: number;
}

const PURPOSES: Readonly<Record<SecretSeed, Purpose>> = {
  ANTHROPIC_API_KEY: { address: 'ANTHROPIC_BASE_URL' },
  GEMINI_API_KEY: { address: 'GOOGLE_GEMINI_BASE_URL' },
  OPENAI_API_KEY: { address: 'OPENAI_BASE_URL' },
  TELEGRAM_BOT_TOKEN: { address: 'TELEGRAM_API_ROOT', shortest: 16 },
  DISCORD_BOT_TOKEN: { address: 'DISCORD_API_ROOT', shortest: 16 },
  SLACK_BOT_TOKEN: { address: 'SLACK_API_URL', shortest: 16 },
  SLACK_SIGNING_SECRET: { guardsUs: true, shortest: 16 },
  GITHUB_TOKEN: { address: 'GITHUB_API_URL', shortest: 16 },
  SMTP_URL: {},
};

const MENDS = 'put the real one there, or leave the variable out';

/**
 * Refuses secrets of the environment that are stand-ins, too short, or one value for two purposes; throws `config.weak_secret` or
 * `vault.weak_key`, both of which end the start. The values are never shown.
 */
export async function refuseWeakSecrets({
  masterKey,
  masterKeyFile,
  seeds: { secrets, addresses },
}: Pick<Config, 'masterKey' | 'masterKeyFile' | 'seeds'>): Promise<void> {
  masterKey?.use((text) => strongKey(text, 'CASTELLAN_MASTER_KEY'));
  if (masterKeyFile) strongKey(await readKeyFile(masterKeyFile), 'CASTELLAN_MASTER_KEY_FILE');
  const firstWith = new Map<string, string>();
  masterKey?.use((text) => firstWith.set(text.trim(), 'CASTELLAN_MASTER_KEY'));
  for (const [name, value] of Object.entries(secrets) as [SecretSeed, NonNullable<(typeof secrets)[SecretSeed]>][]) {
    const { address, guardsUs = false, shortest = 1 } = PURPOSES[name];
    const isElsewhere = !guardsUs && address !== undefined && addresses[address] !== undefined;
    value.use((text) => {
      const other = firstWith.get(text);
      if (other === 'CASTELLAN_MASTER_KEY' || (other && !isElsewhere))
        throw weak(name, `is the same as ${other}`, 'each needs a value of its own');
      if (isElsewhere) return;
      if (isPlaceholder(text)) throw weak(name, 'is a placeholder', MENDS);
      if (text.length < shortest) throw weak(name, `has ${text.length} characters, and no such secret is shorter than ${shortest}`, MENDS);
      firstWith.set(text, name);
    });
  }
}

async function readKeyFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new AppError(
      'invalid',
      'config.unreadable',
      `CASTELLAN_MASTER_KEY_FILE cannot be read (${cause.code}): ${file}`,
      { path: file },
      cause,
    );
  });
}

function weak(name: string, problem: string, fix: string): AppError {
  return new AppError('invalid', 'config.weak_secret', `${name} ${problem}: ${fix}`, { key: name });
}
