import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import { putPasswordHash, readPasswordHash } from './queries.ts';
import type { Random } from './token-hash.ts';
import { weakness } from './weak-passwords.ts';

/** What one hash costs. */
export interface Argon2Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** The second recommended choice of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes; 150 to 250 ms. */
export const RFC9106_COST: Argon2Cost = { memoryKib: 65_536, passes: 3, lanes: 4 };

const TAG_BYTES = 32;

export interface PasswordDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly random?: Random;
  readonly cost?: Argon2Cost;
  /** Whether a text is a secret of another purpose: the master key, what is in the vault. */
  readonly isUsedElsewhere?: (text: string) => boolean;
}

/** The owner's one password, kept as an argon2id hash. */
export interface Passwords {
  isSet(): Promise<boolean>;
  /** Throws `owner.weak_password`. The hash is made first; `store` then puts it away within a transaction. */
  prepare(password: string): Promise<{ store(tx: Db): Promise<void> }>;
  /** False when there is none. Costs the same time either way. */
  verify(password: string): Promise<boolean>;
}

export function createPasswords({
  store,
  clock,
  random = randomBytes,
  cost = RFC9106_COST,
  isUsedElsewhere = () => false,
}: PasswordDeps): Passwords {
  let last: Promise<unknown> = Promise.resolve();

  /** One at a time: each takes 64 MiB, and a crowd at the door must not take the memory of the house. */
  function hash(password: string, salt: Buffer, how: Argon2Cost): Promise<Buffer> {
    const next = last.then(() => argon2id(password, salt, how));
    last = next.catch(() => {});
    return next;
  }

  return {
    isSet: async () => (await readPasswordHash(store.db)) !== undefined,

    async prepare(password) {
      const weak = weakness(password);
      if (weak !== null) throw new AppError('invalid', 'owner.weak_password', `password: ${weak}`);
      if (isUsedElsewhere(password))
        throw new AppError(
          'invalid',
          'owner.weak_password',
          'password: it is the secret of something else here; each needs one of its own',
        );
      const salt = random(16);
      const text = encode(cost, salt, await hash(password, salt, cost));
      return { store: (tx) => putPasswordHash(tx, text, clock.now()) };
    },

    async verify(password) {
      const stored = decode(await readPasswordHash(store.db));
      const { salt, tag, how } = stored ?? { salt: Buffer.alloc(16), tag: Buffer.alloc(TAG_BYTES), how: cost };
      const isEqual = timingSafeEqual(await hash(password, salt, how), tag);
      return isEqual && stored !== null;
    },
  };
}

function argon2id(password: string, nonce: Buffer, { memoryKib, passes, lanes }: Argon2Cost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const message = password.normalize('NFKC'); // the same letters, however the keyboard composed them
    argon2('argon2id', { message, nonce, parallelism: lanes, tagLength: TAG_BYTES, memory: memoryKib, passes }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

/** The PHC string format, which names its own cost. */
function encode({ memoryKib, passes, lanes }: Argon2Cost, salt: Buffer, tag: Buffer): string {
  const base64 = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${base64(salt)}$${base64(tag)}`;
}

function decode(text: string | undefined): { salt: Buffer; tag: Buffer; how: Argon2Cost } | null {
  const found = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]{43})$/.exec(text ?? '');
  if (!found) return null;
  const [, memory, passes, lanes, salt, tag] = found as unknown as [string, string, string, string, string, string];
  return {
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
    how: { memoryKib: Number(memory), passes: Number(passes), lanes: Number(lanes) },
  };
}
