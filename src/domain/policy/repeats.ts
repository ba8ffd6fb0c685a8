import type { Audit } from '#audit';
import type { Clock } from '#core/clock';
import type { Decision, PolicyRequest } from './decision.ts';

const QUIET_MS = 3_600_000;
const MOST_REMEMBERED = 2_000;

/** The record of decisions, without a flood. */
export interface Repeats {
  /**
   * The first of its kind goes into the audit at once. The same principals, capability, effect and rule are one kind; of what was not allowed
   * the resource belongs to it too.
   * Repeats are counted; one of them an hour is recorded, with how many there were since the one before.
   */
  note(decision: Decision, request: PolicyRequest): Promise<void>;
  /** Records what was counted and not told yet, in one entry. */
  flush(): Promise<void>;
}

export function createRepeats({ audit, clock }: { readonly audit: Audit; readonly clock: Clock }): Repeats {
  const seen = new Map<string, { at: number; since: number }>();

  return {
    async note(decision, request) {
      const { principal, capability, resource = '*', context = {} } = request;
      const chain = context.chain ?? [];
      const key = [decision.effect, decision.rule, ...chain, principal, capability, decision.effect === 'allow' ? '' : resource].join(' ');
      const now = clock.now();
      const before = seen.get(key);
      if (before && now - before.at < QUIET_MS) {
        before.since += 1;
        return;
      }
      seen.delete(key);
      if (seen.size >= MOST_REMEMBERED) seen.delete(seen.keys().next().value!);
      seen.set(key, { at: now, since: 0 });
      await audit.record({
        actor: chain.findLast((each) => each !== 'owner') ?? principal,
        action: `policy.${decision.effect}`,
        resource: `${capability} ${resource}`,
        decision: decision.effect,
        details: {
          principal,
          chain,
          rule: decision.rule,
          reason: decision.reason,
          labels: context.labels ?? [],
          run: context.run ?? null,
          step: context.step ?? null,
          ...(before?.since && { alsoSince: before.since }),
        },
      });
    },

    async flush() {
      const counted = [...seen].filter(([, { since }]) => since > 0).toSorted(([, a], [, b]) => b.since - a.since);
      if (counted.length === 0) return;
      const total = counted.reduce((sum, [, { since }]) => sum + since, 0);
      const most = Object.fromEntries(counted.slice(0, 100).map(([key, { since }]) => [key, since]));
      for (const [, each] of counted) each.since = 0;
      await audit.record({
        actor: 'system',
        action: 'policy.repeats',
        resource: 'decisions',
        details: { total, kinds: counted.length, most },
      });
    },
  };
}
