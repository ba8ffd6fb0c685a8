import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#core/errors';
import type { Secret } from '#core/secret';
import { keyFile, type OldKey } from './key-file.ts';
import { assertPassphrase, keyFromPassphrase, newKdf, type Kdf } from './passphrase.ts';
import { keyId } from './seal.ts';
import { strongKey } from './strong-key.ts';

/** Where the master key comes from: given outright, in a file of the owner's, in a file of the home, or a passphrase. */
export interface MasterKeyOptions {
  readonly home: string;
  /** `CASTELLAN_MASTER_KEY`. */
  readonly given?: Secret | undefined;
  /** `CASTELLAN_MASTER_KEY_FILE`. */
  readonly file?: string | undefined;
  /** Asks the owner, `again` after a wrong one; throws `vault.passphrase_needed` where nobody can be asked. */
  readonly askPassphrase?: ((again: boolean) => Promise<Secret>) | undefined;
  /** What a passphrase costs to try; the usual when left out. */
  readonly cost?: Pick<Kdf, 'memoryKib' | 'passes' | 'lanes'>;
}

/** What the database says of the key that everything is sealed with. */
export interface Sealing {
  readonly keyId: string;
  readonly kdf: Kdf | null;
}

/** What the next master key is to be: a random one in the home, one given in its place, or from a passphrase. */
export type NextKey =
  | { readonly kind: 'file' }
  | { readonly kind: 'given'; readonly key: Secret }
  | { readonly kind: 'passphrase'; readonly passphrase: Secret };

/** Reads the master key; `null` when there is none yet. Throws `vault.weak_key`, `vault.key_missing`, `vault.key_exposed`, `vault.wrong_passphrase`. */
export interface MasterKeySource {
  /** The one that fits, of all places that may hold it; one that does not fit when none does. */
  read(sealing?: Sealing): Promise<Buffer | null>;
  /** Makes a random one in the home, mode 0600; one that another process just made wins. */
  create(): Promise<Buffer>;
  /** For messages: where a person finds it. */
  readonly where: string;
  /** Makes ready what will be the key once everything is sealed with it. */
  prepare?(next: NextKey): Promise<{ readonly key: Buffer; readonly kdf: Kdf | null }>;
  /** Everything is sealed with the key of that id: files take their places. */
  settle?(id: string, old: OldKey | null): Promise<void>;
}

const MOST_TRIES = 3;

export function masterKeySource({ home, given, file, askPassphrase, cost }: MasterKeyOptions): MasterKeySource {
  const inHome = keyFile(join(home, 'master.key'));
  const fromEnvironment = given && (async () => given.use((text) => strongKey(text, 'CASTELLAN_MASTER_KEY')));
  const fromFile = file === undefined ? undefined : async () => strongKey(await readGiven(file), file);
  const first = fromEnvironment ?? fromFile;
  const where = given ? 'CASTELLAN_MASTER_KEY' : (file ?? inHome.path);

  async function unlock({ keyId: id, kdf }: Sealing & { kdf: Kdf }): Promise<Buffer> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      if (!askPassphrase) throw passphraseNeeded();
      const passphrase = await askPassphrase(tries > 0);
      const key = await passphrase.use((text) => keyFromPassphrase(text, kdf));
      if (keyId(key) === id) return key;
    }
    throw new AppError('invalid', 'vault.wrong_passphrase', 'That is not the passphrase of the vault. Nothing was changed.');
  }

  return {
    where,
    async read(sealing) {
      if (sealing?.kdf) return unlock({ ...sealing, kdf: sealing.kdf });
      const configured = await first?.();
      if (!sealing) return configured ?? inHome.read();
      if (configured && keyId(configured) === sealing.keyId) return configured;
      const there = await inHome.read(sealing.keyId);
      return there && (!configured || keyId(there) === sealing.keyId) ? there : (configured ?? there);
    },
    create: first ?? inHome.create,
    async prepare(next) {
      if (next.kind === 'file') return { key: await inHome.prepare(), kdf: null };
      if (next.kind === 'given') return { key: next.key.use((text) => strongKey(text, 'key')), kdf: null };
      next.passphrase.use(assertPassphrase);
      const kdf = newKdf(randomBytes(16), cost);
      return { key: await next.passphrase.use((text) => keyFromPassphrase(text, kdf)), kdf };
    },
    settle: inHome.settle,
  };
}

export function passphraseNeeded(): AppError {
  return new AppError(
    'invalid',
    'vault.passphrase_needed',
    'The vault opens with a passphrase: start Castellan at a terminal, or give it by CASTELLAN_PASSPHRASE_FD or the systemd credential "castellan-passphrase"',
  );
}

async function readGiven(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new AppError(
      'unavailable',
      'vault.key_missing',
      `Cannot read the master key file ${file} (CASTELLAN_MASTER_KEY_FILE): ${(cause as NodeJS.ErrnoException).code ?? 'error'}`,
      { file },
      cause,
    );
  }
}
