import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import type { Budget, BudgetScope } from './api.ts';
import type { CallScope } from './contract.ts';
import { dayOf, monthOf } from './day.ts';
import { allExtras, allLimits, putExtra, putLimit, spentUsd, type SpentFilter } from './queries.ts';

/** Limits that hold until the owner sets another: spend is bounded from the first start. USD. */
export const DEFAULT_LIMITS: Readonly<Record<BudgetScope, number | null>> = {
  day: 2,
  month: 30,
  run: 1,
  workflow: null,
  embedding_day: 0.25,
};

/** Rounding of binary fractions, far below the price of a token. */
const EPSILON = 1e-9;

interface Account {
  readonly filter: SpentFilter;
  spentUsd: number;
  heldUsd: number;
  touchedAt: number;
  ready: Promise<void> | null;
}

/** One limit a call must keep. */
interface Claim {
  readonly scope: BudgetScope;
  readonly key: string;
  readonly account: Account;
  readonly limitUsd: number | null;
}

/** Which limit a call would break. */
export interface OverBudget {
  readonly scope: BudgetScope;
  readonly key: string;
  readonly limitUsd: number;
  readonly spentUsd: number;
  readonly heldUsd: number;
  readonly neededUsd: number;
}

export interface Hold {
  readonly usd: number;
  /** Once: gives the hold back and books what it cost. */
  settle(costUsd: number): void;
}

export interface Budgets {
  load(): Promise<void>;
  /** Holds the worst case against every limit at once, or says which one stands in the way. */
  reserve(scope: CallScope, operation: 'chat' | 'embedding', usd: number, at: number): Promise<Hold | OverBudget>;
  list(): Promise<readonly Budget[]>;
  get(scope: BudgetScope, key?: string): Promise<Budget>;
  set(scope: BudgetScope, key: string, limitUsd: number | null): Promise<Budget>;
  grant(scope: BudgetScope, key: string, usd: number): Promise<Budget>;
  /** Drops what no call has touched for an hour. */
  forget(): void;
}

/**
 * Money, kept in memory and added up from the ledger on first use. Check and hold are one synchronous step, so two calls
 * never spend the same cent; what is booked can pass a limit only by what a call used beyond its own worst case.
 */
export function createBudgets({ store, clock }: { readonly store: Store; readonly clock: Clock }): Budgets {
  const accounts = new Map<string, Account>();
  const limits = new Map<string, number | null>();
  const extras = new Map<string, number>();

  async function load(): Promise<void> {
    limits.clear();
    extras.clear();
    for (const row of await allLimits(store.db)) limits.set(id(row.scope, row.key), row.limit_usd);
    for (const row of await allExtras(store.db)) extras.set(id(row.scope, row.key, row.period), row.usd);
  }

  function account(scope: BudgetScope, key: string, at = clock.now()): Account {
    const period = periodOf(scope, at);
    const name = id(scope, key, period);
    let found = accounts.get(name);
    if (!found) {
      const opened: Account = { filter: filterOf(scope, key, period), spentUsd: 0, heldUsd: 0, touchedAt: 0, ready: null };
      opened.ready = spentUsd(store.db, opened.filter).then(
        (usd) => {
          opened.spentUsd += usd;
          opened.ready = null;
        },
        (error: unknown) => {
          accounts.delete(name);
          throw error;
        },
      );
      accounts.set(name, (found = opened));
    }
    found.touchedAt = at;
    return found;
  }

  function periodOf(scope: BudgetScope, at = clock.now()): string {
    if (scope === 'run') return '';
    return scope === 'month' ? monthOf(at) : dayOf(at);
  }

  function limitOf(scope: BudgetScope, key: string, own?: number, at = clock.now()): number | null {
    const stored = key === '' ? undefined : limits.get(id(scope, key));
    const general = limits.get(id(scope, ''));
    const limit = stored !== undefined ? stored : (own ?? (general !== undefined ? general : DEFAULT_LIMITS[scope]));
    return limit === null ? null : limit + (extras.get(id(scope, key, periodOf(scope, at))) ?? 0);
  }

  function claimsOf(
    { runId, runBudgetUsd, workflowId, workflowDailyBudgetUsd }: CallScope,
    operation: 'chat' | 'embedding',
    at: number,
  ): Claim[] {
    const claim = (scope: BudgetScope, key = '', own?: number): Claim => ({
      scope,
      key,
      account: account(scope, key, at),
      limitUsd: limitOf(scope, key, own, at),
    });
    return [
      ...(runId === undefined ? [] : [claim('run', runId, runBudgetUsd)]),
      ...(workflowId === undefined ? [] : [claim('workflow', workflowId, workflowDailyBudgetUsd)]),
      claim(operation === 'chat' ? 'day' : 'embedding_day'),
      claim('month'),
    ];
  }

  async function reserve(scope: CallScope, operation: 'chat' | 'embedding', usd: number, at: number): Promise<Hold | OverBudget> {
    const claims = claimsOf(scope, operation, at);
    const loading = claims.flatMap((it) => it.account.ready ?? []);
    if (loading.length > 0) await Promise.all(loading);
    // Nothing waits from here to the end.
    if (usd > 0) {
      for (const { scope: which, key, account, limitUsd } of claims) {
        if (limitUsd === null || account.spentUsd + account.heldUsd + usd <= limitUsd + EPSILON) continue;
        return { scope: which, key, limitUsd, spentUsd: account.spentUsd, heldUsd: account.heldUsd, neededUsd: usd };
      }
    }
    for (const { account } of claims) account.heldUsd += usd;
    let open = true;
    return {
      usd,
      settle(costUsd) {
        if (!open) return;
        open = false;
        for (const { account } of claims) {
          account.heldUsd = Math.max(0, account.heldUsd - usd);
          account.spentUsd += costUsd;
        }
      },
    };
  }

  async function get(scope: BudgetScope, key = ''): Promise<Budget> {
    const isDefault = key === '' && (scope === 'run' || scope === 'workflow');
    const limit = limitOf(scope, key);
    const extraUsd = extras.get(id(scope, key, periodOf(scope))) ?? 0;
    const limitUsd = limit === null ? null : limit - extraUsd;
    if (isDefault) return { scope, key, limitUsd, extraUsd: 0, spentUsd: 0, heldUsd: 0 };
    const it = account(scope, key);
    if (it.ready) await it.ready;
    return { scope, key, limitUsd, extraUsd, spentUsd: it.spentUsd, heldUsd: it.heldUsd };
  }

  return {
    load,
    reserve,
    get,

    async list() {
      const general = (Object.keys(DEFAULT_LIMITS) as BudgetScope[]).map((scope) => ({ scope, key: '' }));
      const own = [...limits.keys()].map(parts).filter((it) => it.key !== '');
      const granted = [...extras.keys()]
        .map(parts)
        .filter((it) => it.key !== '' && it.period === periodOf(it.scope) && !limits.has(id(it.scope, it.key)));
      return Promise.all([...general, ...own, ...granted].map(({ scope, key }) => get(scope, key)));
    },

    async set(scope, key, limitUsd) {
      await store.write((tx) => putLimit(tx, scope, key, limitUsd));
      limits.set(id(scope, key), limitUsd);
      return get(scope, key);
    },

    async grant(scope, key, usd) {
      const period = periodOf(scope);
      const name = id(scope, key, period);
      const before = extras.get(name) ?? 0;
      extras.set(name, before + usd);
      try {
        await store.write((tx) => putExtra(tx, scope, key, period, extras.get(name) ?? 0));
      } catch (error) {
        extras.set(name, (extras.get(name) ?? usd) - usd);
        throw error;
      }
      return get(scope, key);
    },

    forget() {
      const old = clock.now() - 3_600_000;
      for (const [name, { heldUsd, touchedAt, ready }] of accounts)
        if (heldUsd === 0 && ready === null && touchedAt < old) accounts.delete(name);
    },
  };
}

const SEPARATOR = '\n';

function id(scope: string, key: string, period = ''): string {
  return [scope, key, period].join(SEPARATOR);
}

function parts(name: string): { scope: BudgetScope; key: string; period: string } {
  const [scope = '', key = '', period = ''] = name.split(SEPARATOR);
  return { scope: scope as BudgetScope, key, period };
}

/** A day's embeddings are apart from its talk; the month and a run pay for both. */
function filterOf(scope: BudgetScope, key: string, period: string): SpentFilter {
  switch (scope) {
    case 'run':
      return { runId: key };
    case 'workflow':
      return { workflowId: key, fromDay: period, toDay: period };
    case 'month':
      return { fromDay: `${period}-01`, toDay: `${period}-31` };
    case 'day':
      return { operation: 'chat', fromDay: period, toDay: period };
    case 'embedding_day':
      return { operation: 'embedding', fromDay: period, toDay: period };
  }
}
