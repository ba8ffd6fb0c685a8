import type { Audit } from '#audit';
import type { Clock } from '#core/clock';
import { AppError } from '#core/errors';
import { covers, hostAllowed } from './scope.ts';

/** Who asks for a secret, and what for. */
export interface Borrower {
  /** Its names, the one for the audit first: `provider:Claude`, `provider:anthropic`. */
  readonly as: readonly [string, ...string[]];
  /** In a word or two: `call`, `connect`, `fetch api.github.com`. */
  readonly purpose: string;
  /** Where the value will be sent, if it is known. */
  readonly to?: string;
  /** Only where the owner said that it may be sent; for those who did not choose the address themselves. */
  readonly onlyNamedHosts?: boolean;
}

/** What the owner said of something that is lent. */
export interface Terms {
  readonly name: string;
  readonly scope: string;
  readonly hosts: string;
}

/** An hour of the same use is one entry, with a count. */
const COUNTED_MS = 3_600_000;
const MOST_REMEMBERED = 2_000;

interface Tally {
  at: number;
  since: number;
  readonly entry: { readonly actor: string; readonly resource: string; readonly decision: 'allow' | 'deny'; readonly purpose: string };
}

/** Decides who gets what, and records each use: the first at once, those of the hour after it as a count. */
export function createLending({ clock, audit }: { readonly clock: Clock; readonly audit: Pick<Audit, 'record'> }) {
  const tallies = new Map<string, Tally>();

  async function write({ entry, since }: Tally, uses: number): Promise<void> {
    const { actor, resource, decision, purpose } = entry;
    const details = { purpose, uses, ...(uses > 1 && { since: new Date(since).toISOString() }) };
    await audit.record({ actor, action: 'vault.use', resource, decision, details });
  }

  const counts = new Map<string, number>();
  const keyOf = (name: string, by: Borrower, decision: 'allow' | 'deny'): string => JSON.stringify([name, by.as[0], by.purpose, decision]);

  async function count(name: string, by: Borrower, decision: 'allow' | 'deny'): Promise<void> {
    const now = clock.now();
    const key = keyOf(name, by, decision);
    const tally = tallies.get(key);
    if (tally && now - tally.at < COUNTED_MS) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return;
    }
    const uses = 1 + (counts.get(key) ?? 0);
    counts.delete(key);
    tallies.delete(key);
    const fresh = {
      at: now,
      since: tally?.at ?? now,
      entry: { actor: by.as[0], resource: `secret:${name}`, decision, purpose: by.purpose },
    };
    tallies.set(key, fresh);
    if (tallies.size > MOST_REMEMBERED) {
      const [oldest, gone] = tallies.entries().next().value!;
      tallies.delete(oldest);
      await flushOne(oldest, gone);
    }
    await write(fresh, uses);
  }

  async function flushOne(key: string, tally: Tally): Promise<void> {
    const uses = counts.get(key) ?? 0;
    counts.delete(key);
    if (uses > 0) await write(tally, uses);
  }

  return {
    /** Throws `vault.out_of_scope`, which is recorded like a use. */
    async assertAllowed(terms: Terms, by: Borrower): Promise<void> {
      const why = refusal(terms, by);
      await count(terms.name, by, why === null ? 'allow' : 'deny');
      if (why === null) return;
      throw new AppError('forbidden', 'vault.out_of_scope', why, {
        name: terms.name,
        borrower: by.as[0],
        ...(by.to !== undefined && { host: hostOf(by.to) }),
      });
    },
    /** What was lent was used once more. */
    again(name: string, by: Borrower): void {
      const key = keyOf(name, by, 'allow');
      if (tallies.has(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    /** Writes down what was only counted so far: all of it, or what is an hour old. */
    async flush(which: 'all' | 'old' = 'all'): Promise<void> {
      const now = clock.now();
      for (const [key, tally] of tallies) {
        if (which === 'old' && now - tally.at < COUNTED_MS) continue;
        await flushOne(key, tally);
        if (which === 'all') tallies.delete(key);
        else Object.assign(tally, { at: now, since: now });
      }
    },
  };
}

function refusal({ name, scope, hosts }: Terms, { as, to, onlyNamedHosts = false }: Borrower): string | null {
  if (!covers(scope, as))
    return `The secret "${name}" is not for ${as[0]}: allow it with "castellan secret describe ${name} --scope '${scope}, ${as.at(-1)}'"`;
  if (to === undefined || (hosts === '' && !onlyNamedHosts)) return null;
  const url = URL.parse(to);
  if (url && hostAllowed(hosts, url)) return null;
  const wanted = url ? (url.protocol === 'http:' ? `http://${url.host}` : url.host) : 'HOST';
  return `The secret "${name}" may not be sent to ${wanted}: allow it with "castellan secret describe ${name} --hosts '${[hosts, wanted].filter(Boolean).join(', ')}'"`;
}

function hostOf(to: string): string {
  return URL.parse(to)?.host ?? '';
}
