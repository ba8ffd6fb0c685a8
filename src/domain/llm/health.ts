import type { ProviderHealth } from './api.ts';
import type { FailureReason } from './contract.ts';
import type { HealthRow } from './tables.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** So many failures in a row mean that it is down; one can be chance. */
const FAILURES_TO_OPEN = 3;

interface Verdict {
  /** `tested`: left alone until a re-test succeeds. `timed`: simply tried again later. `counted`: down after a few in a row. `excused`: says nothing of the provider. */
  readonly as: 'tested' | 'timed' | 'counted' | 'excused';
  readonly firstMs: number;
  readonly longestMs: number;
}

const excused: Verdict = { as: 'excused', firstMs: 0, longestMs: 0 };
const down: Verdict = { as: 'counted', firstMs: 15 * SECOND, longestMs: 10 * MINUTE };

const verdicts: Readonly<Record<FailureReason, Verdict>> = {
  auth: { as: 'tested', firstMs: 30 * SECOND, longestMs: HOUR },
  model_missing: { as: 'tested', firstMs: 30 * SECOND, longestMs: HOUR },
  rate_limited: { as: 'timed', firstMs: 5 * SECOND, longestMs: 5 * MINUTE },
  quota: { as: 'timed', firstMs: 15 * MINUTE, longestMs: 6 * HOUR },
  server: down,
  timeout: down,
  refused: down,
  protocol: down,
  bad_request: excused,
  cancelled: excused,
};

export interface Failure {
  readonly reason: FailureReason;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
}

/** What is known of each provider's health: a breaker each. Methods that change it give back the row to store, or null. */
export interface HealthBook {
  load(rows: readonly HealthRow[]): void;
  of(providerId: string): ProviderHealth;
  /** Why it is to be left alone now; null when it may be called. */
  blocked(providerId: string, now: number): string | null;
  succeeded(providerId: string): HealthRow | null;
  failed(providerId: string, failure: Failure, now: number): HealthRow | null;
  /** Unhealthy ones whose re-test is due. */
  due(now: number): readonly HealthRow[];
  retested(providerId: string, failure: Failure | null, now: number): HealthRow | null;
  /** The owner changed it: a clean slate. */
  reset(providerId: string): HealthRow | null;
}

export function createHealthBook(): HealthBook {
  const rows = new Map<string, HealthRow>();

  function put(row: HealthRow): HealthRow {
    rows.set(row.provider_id, row);
    return row;
  }

  function reset(providerId: string): HealthRow | null {
    const row = rows.get(providerId);
    if (!row || (row.state === 'healthy' && row.failures === 0 && row.rounds === 0)) return null;
    return put(healthy(providerId));
  }

  function failed(providerId: string, { reason, message, retryAfterMs }: Failure, now: number): HealthRow | null {
    const { as, firstMs, longestMs } = verdicts[reason];
    if (as === 'excused') return null;
    const before = rows.get(providerId) ?? healthy(providerId);
    const failures = before.failures + 1;
    if (as === 'counted' && failures < FAILURES_TO_OPEN) {
      rows.set(providerId, { ...before, failures, reason, message });
      return null; // not worth a write: a restart may forget one failure
    }
    const waitMs = retryAfterMs ?? Math.min(longestMs, firstMs * 2 ** before.rounds);
    const state = as === 'timed' ? 'cooling' : 'unhealthy';
    // Calls in flight fail together: only the first of them lengthens the next wait.
    const rounds = before.state === 'healthy' || (before.retry_at ?? 0) <= now ? before.rounds + 1 : before.rounds;
    return put({ provider_id: providerId, state, reason, message, failures, rounds: Math.min(rounds, 20), retry_at: now + waitMs });
  }

  return {
    load(stored) {
      rows.clear();
      for (const row of stored) put(row);
    },

    of(providerId) {
      const { state, reason, message, retry_at } = rows.get(providerId) ?? healthy(providerId);
      return { state, reason, message, retryAt: retry_at === null ? null : new Date(retry_at).toISOString() };
    },

    blocked(providerId, now) {
      const row = rows.get(providerId);
      if (!row || row.state === 'healthy') return null;
      if (row.state === 'cooling' && (row.retry_at ?? 0) <= now) return null;
      return `${row.state}: ${row.reason ?? 'unknown'}`;
    },

    succeeded: reset,
    reset,
    failed,

    due: (now) => [...rows.values()].filter((row) => row.state === 'unhealthy' && (row.retry_at ?? 0) <= now),

    retested(providerId, failure, now) {
      const row = rows.get(providerId);
      if (!row || row.state !== 'unhealthy') return null;
      // On trial: the endpoint answers, but one failed call is enough to leave it alone again, for longer.
      if (!failure) return put({ ...row, state: 'healthy', failures: FAILURES_TO_OPEN - 1, retry_at: null });
      const { firstMs, longestMs } = verdicts[failure.reason].as === 'excused' ? down : verdicts[failure.reason];
      return put({
        ...row,
        reason: failure.reason,
        message: failure.message,
        rounds: Math.min(row.rounds + 1, 20),
        retry_at: now + Math.min(longestMs, firstMs * 2 ** row.rounds),
      });
    },
  };
}

function healthy(providerId: string): HealthRow {
  return { provider_id: providerId, state: 'healthy', reason: null, message: null, failures: 0, rounds: 0, retry_at: null };
}
