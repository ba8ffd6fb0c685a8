import { isIPv4, isIPv6 } from 'node:net';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import { countAttempt, forgetAttempts, forgetOldAttempts } from './queries.ts';

const MINUTE_MS = 60_000;

/** So many attempts within a time that begins with the first of them. */
interface Limit {
  readonly key: string;
  readonly most: number;
  readonly windowMs: number;
}

const LONGEST_MS = 60 * MINUTE_MS;
const ofAddress = (address: string): Limit => ({ key: `address:${addressKey(address)}`, most: 5, windowMs: 15 * MINUTE_MS });
const OF_ACCOUNT: Limit = { key: 'account:owner', most: 30, windowMs: 15 * MINUTE_MS };
const ofSubject = (subject: string): Limit => ({ key: `factor:${subject}`, most: 5, windowMs: 15 * MINUTE_MS });
/** Six digits are few: twenty guesses an hour, whoever makes them, are one chance in seven hundred a day. */
const OF_CODES: Limit = { key: 'factors:owner', most: 20, windowMs: LONGEST_MS };
/** Of what costs us a row and cannot be guessed. */
const ofKnocks = (address: string): Limit => ({ key: `knock:${addressKey(address)}`, most: 60, windowMs: 15 * MINUTE_MS });

/** Slows guessing down; its counts are in the database and outlive a restart. An attempt is counted before it is judged, so that a thousand at once are a thousand. */
export interface Throttle {
  /** Throws `owner.too_many_attempts` with `retryAfterSeconds`. Login links, passkeys, recovery codes and API tokens stay open. */
  enter(address: string): Promise<void>;
  /** The attempt was right: forgets those of this address and of the account. */
  succeed(address: string): Promise<void>;
  /** The same for a second factor of a session, a login, a question. What cannot be guessed does not count against the account. */
  enterFactor(subject: string, isGuessable: boolean): Promise<void>;
  succeedFactor(subject: string): Promise<void>;
  /** For what anybody may ask for without having proved anything. */
  knock(address: string): Promise<void>;
}

export function createThrottle({ store, clock }: { readonly store: Store; readonly clock: Clock }): Throttle {
  /** The first limit that is over ends it: what is refused by the first does not count against the second. */
  async function count(...limits: readonly Limit[]): Promise<void> {
    const now = clock.now();
    const refusedUntil = await store.write(async (tx) => {
      await forgetOldAttempts(tx, now - LONGEST_MS);
      for (const { key, most, windowMs } of limits) {
        const { attempts, since } = await countAttempt(tx, key, now, windowMs);
        if (attempts > most) return since + windowMs;
      }
      return null;
    });
    if (refusedUntil === null) return;
    const retryAfterSeconds = Math.ceil((refusedUntil - now) / 1_000);
    throw new AppError(
      'limited',
      'owner.too_many_attempts',
      `Too many attempts: try again in ${Math.ceil(retryAfterSeconds / 60)} minutes, or make a login link on the machine itself`,
      { retryAfterSeconds },
    );
  }

  const forget = (...limits: readonly Limit[]): Promise<void> =>
    store.write((tx) =>
      forgetAttempts(
        tx,
        limits.map(({ key }) => key),
      ),
    );

  return {
    enter: (address) => count(ofAddress(address), OF_ACCOUNT),
    succeed: (address) => forget(ofAddress(address), OF_ACCOUNT),
    enterFactor: (subject, isGuessable) => count(ofSubject(subject), ...(isGuessable ? [OF_CODES] : [])),
    succeedFactor: (subject) => forget(ofSubject(subject), OF_CODES),
    knock: (address) => count(ofKnocks(address)),
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
