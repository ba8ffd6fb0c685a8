import { argon2 } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '#core/errors';
import { isPlaceholder } from './weak.ts';

/** How a passphrase becomes a key; stored beside what it opens, for it is no secret. Limits keep an altered row from taking the machine down. */
export const Kdf = z.object({
  algorithm: z.literal('argon2id'),
  /** 16 random bytes, base64. */
  salt: z.string().length(24),
  memoryKib: z.int().min(8_192).max(1_048_576),
  passes: z.int().min(1).max(16),
  lanes: z.int().min(1).max(16),
});
export type Kdf = z.infer<typeof Kdf>;

/** 128 MiB, 4 passes, 4 lanes: above the second recommended choice of RFC 9106, section 4; about half a second. */
export const USUAL_COST = { memoryKib: 131_072, passes: 4, lanes: 4 } as const;

const SHORTEST = 14;

/** Throws `vault.weak_passphrase`. */
export function assertPassphrase(text: string): void {
  const refuse = (why: string): never => {
    throw new AppError(
      'invalid',
      'vault.weak_passphrase',
      `passphrase: ${why}; four or five unrelated words are strong and easy to remember`,
    );
  };
  if (text.length < SHORTEST) refuse(`it has ${text.length} characters, it needs ${SHORTEST}`);
  if (isPlaceholder(text)) refuse('it is a placeholder');
  if (new Set(text).size < 8) refuse('it repeats a few characters');
}

export function newKdf(salt: Uint8Array, cost: Pick<Kdf, 'memoryKib' | 'passes' | 'lanes'> = USUAL_COST): Kdf {
  return { algorithm: 'argon2id', salt: Buffer.from(salt).toString('base64'), ...cost };
}

/** 32 bytes; the same letters give the same key, however the keyboard composed them. Runs beside the event loop. */
export function keyFromPassphrase(passphrase: string, { salt, memoryKib, passes, lanes }: Kdf): Promise<Buffer> {
  const message = passphrase.normalize('NFKC');
  const nonce = Buffer.from(salt, 'base64');
  return new Promise((resolve, reject) => {
    argon2('argon2id', { message, nonce, parallelism: lanes, tagLength: 32, memory: memoryKib, passes }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
