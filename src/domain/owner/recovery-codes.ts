import { randomBytes } from 'node:crypto';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { recoveryCodes, replaceRecoveryCodes, useRecoveryCode } from './queries-factors.ts';
import { hashToken, type Random } from './token-hash.ts';

const COUNT = 10;
/** Crockford's alphabet: no letter that is read as another. */
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';
const LENGTH = 16;

/** Ten codes for the day the other factors are lost; each of 80 random bits, good once, kept as a hash. */
export interface RecoveryCodes {
  /** New ones in place of all before; shown this once. */
  replace(tx: Db): Promise<string[]>;
  clear(tx: Db): Promise<void>;
  left(db?: Db): Promise<{ left: number; createdAt: number | null }>;
  /** Uses a code up. */
  use(tx: Db, code: string): Promise<boolean>;
}

export function createRecoveryCodes({
  store,
  clock,
  random = randomBytes,
}: {
  readonly store: Store;
  readonly clock: Clock;
  readonly random?: Random;
}): RecoveryCodes {
  return {
    async replace(tx) {
      const codes = Array.from({ length: COUNT }, () => Array.from(random(LENGTH), (byte) => LETTERS[byte % 32]!).join(''));
      await replaceRecoveryCodes(tx, codes.map(hashToken), clock.now());
      return codes.map((code) => code.match(/.{4}/g)!.join('-'));
    },
    clear: (tx) => replaceRecoveryCodes(tx, [], clock.now()),
    left: (db = store.db) => recoveryCodes(db),
    async use(tx, code) {
      const read = readRecoveryCode(code);
      return read !== null && useRecoveryCode(tx, hashToken(read), clock.now());
    },
  };
}

/** A text as a recovery code, however it was typed; null when it is none. */
export function readRecoveryCode(text: string): string | null {
  const letters = text.toLowerCase().replaceAll(/[\s-]/g, '').replaceAll('o', '0').replaceAll(/[il]/g, '1');
  return letters.length === LENGTH && [...letters].every((letter) => LETTERS.includes(letter)) ? letters : null;
}
