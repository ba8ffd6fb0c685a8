import { isIPv4, isIPv6 } from 'node:net';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import { countAttempt, forgetAttempts, forgetOldAttempts } from './queries.ts';

/** Attempts within 15 minutes: of one address, and of the account from wherever. Login links and API tokens stay open. */
const WINDOW_MS = 15 * 60_000;
const PER_ADDRESS = 5;
const PER_ACCOUNT = 30;

/** Slows guessing down; its counts are in the database and outlive a restart. */
export interface Throttle {
  /** Counts an attempt before it is judged, so that a thousand at once are a thousand. Throws `owner.too_many_attempts` with `retryAfterSeconds`. */
  enter(address: string): Promise<void>;
  /** The attempt was right: forgets those of this address and of the account. */
  succeed(address: string): Promise<void>;
}

export function createThrottle({ store, clock }: { readonly store: Store; readonly clock: Clock }): Throttle {
  const keysOf = (address: string): string[] => [`address:${addressKey(address)}`, 'account:owner'];

  return {
    async enter(address) {
      const now = clock.now();
      const refusedUntil = await store.write(async (tx) => {
        await forgetOldAttempts(tx, now - WINDOW_MS);
        const [byAddress, byAccount] = keysOf(address) as [string, string];
        const own = await countAttempt(tx, byAddress, now, WINDOW_MS);
        if (own.attempts > PER_ADDRESS) return own.since + WINDOW_MS; // and does not count against the account
        const all = await countAttempt(tx, byAccount, now, WINDOW_MS);
        return all.attempts > PER_ACCOUNT ? all.since + WINDOW_MS : null;
      });
      if (refusedUntil === null) return;
      const retryAfterSeconds = Math.ceil((refusedUntil - now) / 1_000);
      throw new AppError(
        'limited',
        'owner.too_many_attempts',
        `Too many attempts: try again in ${Math.ceil(retryAfterSeconds / 60)} minutes, or make a login link on the machine itself`,
        { retryAfterSeconds },
      );
    },
    succeed: (address) => store.write((tx) => forgetAttempts(tx, keysOf(address))),
  };
}

/** One key for whoever commands an address: an IPv4 address as it is, of IPv6 the /64 that a customer is given. */
export function addressKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  if (isIPv4(mapped) || !isIPv6(mapped)) return mapped;
  const [head = '', tail] = mapped.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const filled = [...groups, ...Array.from({ length: tail === undefined ? 0 : 8 - groups.length - after.length }, () => '0'), ...after];
  return `${filled
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
