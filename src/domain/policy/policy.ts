import type { Audit, NewAuditEntry } from '#audit';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import { check } from '#core/json';
import type { Service } from '#core/service';
import { createCapabilityTokens, type CapabilityTokens } from './capability-tokens.ts';
import type { PolicyRequest, Decision } from './decision.ts';
import { createDecider, type Answer } from './decide.ts';
import { NewGrant, type Grant } from './grant-shapes.ts';
import {
  deleteStale,
  findGrant,
  findGrants,
  grantsInForce,
  insertGrant,
  revokeGrant,
  tableState,
  usesOf,
  type GrantRow,
} from './queries-grants.ts';
import { createRepeats } from './repeats.ts';
import { refusalOf } from './refusal.ts';
import { asGrant, asRule, newRow } from './rows.ts';
import { compileRule, type CompiledRule, type Rule } from './rules.ts';
import { createUses } from './uses.ts';

const RELOAD_EVERY_MS = 5_000;
const STALE_AFTER_MS = 31 * 86_400_000;

export interface PolicyDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly audit: Audit;
  /** The name of this node. */
  readonly node: string;
  /** Of capability tokens; asked once, when the first is made. */
  readonly tokenKey: () => Promise<Uint8Array>;
  /** Comes with the program; asked at each loading. */
  readonly starters: () => readonly Rule[];
  readonly onError: (error: unknown) => void;
}

/** Why it was decided so, with every rule that was looked at. */
export interface Explanation extends Decision {
  /** Those that cover the request, the closest first, the one that decided among them. */
  readonly matching: readonly Grant[];
}

/** What may be done about a grant's making. */
export interface Making {
  readonly by: string;
  readonly origin: Exclude<Grant['origin'], 'starter'>;
  readonly approvalId?: string | null;
}

/** A yes to one question of a run. */
export interface OneAnswer {
  readonly principal: string;
  readonly capability: string;
  /** As it was asked about: a name, never a pattern. */
  readonly resource: string;
  readonly expiresAt: string;
}

/** Who may do what: one table in memory, one function that decides. */
export interface Policy {
  /** Never waits and never throws; counts and records nothing. For what is done then, use `enforce`. */
  decide(request: PolicyRequest): Decision;
  /** What is handed down a chain of callers, narrower at each. */
  readonly tokens: CapabilityTokens;
  /** Lets through what is allowed, counted and on record; throws `policy.denied` or `policy.ask`. */
  enforce(request: PolicyRequest): Promise<void>;
  explain(request: PolicyRequest): Explanation;
  /** Whether a grant in force depends on what a run has spent; only then has a request to say it. */
  countsMoney(): boolean;
  /** Joins the caller's transaction. Throws `input.invalid`, naming the field. */
  grant(grant: NewGrant, making: Making, tx?: Db): Promise<Grant>;
  /** Lets this one act of this one step through; it is not listed among the grants. */
  answerOnce(
    answer: OneAnswer,
    from: { readonly run: string; readonly step: string; readonly approvalId: string; readonly by: string },
    tx: Db,
  ): Promise<void>;
  /** Throws `policy.no_grant`. */
  revoke(id: string, by: string, tx?: Db): Promise<Grant>;
  /** Revokes one and makes another in one transaction. Throws `policy.no_grant`, `input.invalid`. */
  replace(id: string, grant: NewGrant, by: string): Promise<Grant>;
  get(id: string): Promise<Grant>;
  /** Newest first; only what is in force unless `all`. */
  list(query: {
    principal?: string | undefined;
    all?: boolean | undefined;
    limit: number;
    cursor?: string | undefined;
  }): Promise<{ items: Grant[]; next: string | null }>;
  /** What comes with the program, in the same shape. */
  starters(): readonly Grant[];
  /** Reads the table again: after a restore, or what another node wrote. */
  reload(): Promise<void>;
  readonly service: Service;
}

export function createPolicy({ store, clock, newId, audit, node, tokenKey, starters, onError }: PolicyDeps): Policy {
  const uses = createUses({ store, newId });
  const repeats = createRepeats({ audit, clock });
  const decider = createDecider({ now: clock.now, node, usesOf: uses.of });
  let rows = new Map<string, GrantRow>();
  let rules = new Map<string, CompiledRule>();
  let isMoneyCounted = false;

  /** Fills the table that is decided from. */
  function arm(): void {
    const own = [...rows.values()].filter(({ run_id: run }) => run === null).map(asRule);
    rules = new Map([...starters(), ...own].map((rule) => [rule.id, compileRule(rule)]));
    isMoneyCounted = own.some(({ conditions }) => conditions.budgetUsd !== undefined);
    decider.load([...rules.values()], [...rows.values()].flatMap(asAnswer));
  }

  async function reload(): Promise<void> {
    const found = await grantsInForce(store.db, clock.now());
    const counted = found.filter(({ conditions }) => conditions.includes('"rate"')).map(({ id }) => id);
    uses.load(await usesOf(store.db, counted));
    rows = new Map(found.map((row) => [row.id, row]));
    arm();
  }

  async function inTransaction<R>(tx: Db | undefined, fn: (tx: Db) => Promise<R>): Promise<R> {
    return tx ? fn(tx) : store.write(fn);
  }

  async function enforce(request: PolicyRequest): Promise<void> {
    const at = clock.now();
    const decision = decider.decide(request);
    if (decision.uses.length > 0)
      await uses.take(
        decision.uses.map((id) => rules.get(id)!),
        at,
      );
    await repeats.note(decision, request);
    if (decision.effect !== 'allow') throw refusalOf(decision, request);
  }

  async function put(tx: Db, row: GrantRow, entry: Omit<NewAuditEntry, 'resource'>): Promise<void> {
    await insertGrant(tx, row);
    await audit.record({ ...entry, resource: `grant:${row.id}` }, tx);
    store.onCommit(() => {
      rows.set(row.id, row);
      arm();
    });
  }

  async function load(db: Db, id: string): Promise<GrantRow> {
    const row = await findGrant(db, id);
    if (!row) throw new AppError('not_found', 'policy.no_grant', 'No such grant: list them with "castellan policy list"', { id });
    return row;
  }

  async function grant(input: NewGrant, { by, origin, approvalId = null }: Making, tx?: Db): Promise<Grant> {
    const wanted = check(input, NewGrant, 'grant');
    const row = newRow(wanted, { by, origin, approvalId }, newId(), clock.now());
    const details = { ...wanted, origin, approvalId };
    await inTransaction(tx, (at) => put(at, row, { actor: by, action: 'policy.grant', decision: row.effect, details }));
    return asGrant(row);
  }

  async function revoke(id: string, by: string, tx?: Db): Promise<Grant> {
    return inTransaction(tx, async (at) => {
      const { principal, capability, resource, effect } = await load(at, id);
      const details = { principal, capability, resource, effect };
      if (await revokeGrant(at, id, clock.now(), by))
        await audit.record({ actor: by, action: 'policy.revoke', resource: `grant:${id}`, details }, at);
      store.onCommit(() => {
        if (rows.delete(id)) arm();
      });
      return asGrant(await load(at, id));
    });
  }

  async function watch(signal: AbortSignal): Promise<void> {
    let state = await tableState(store.db);
    while (!signal.aborted) {
      await clock.sleep(RELOAD_EVERY_MS, signal);
      const now = await tableState(store.db);
      if (now !== state) await reload();
      state = now;
    }
  }

  return {
    decide: decider.decide,
    enforce,
    tokens: createCapabilityTokens({ key: tokenKey, now: clock.now }),
    countsMoney: () => isMoneyCounted,

    explain(request) {
      const { principal, capability, resource = '*', context = {} } = request;
      const links = [...(context.chain ?? []), principal];
      const matching = [...rules.values()]
        .filter((rule) => links.some((link) => rule.covers(link, capability, resource)))
        .toSorted((a, b) => b.closeness - a.closeness)
        .map((rule) => asGrant(rows.get(rule.id) ?? rule));
      return { ...decider.decide(request), matching };
    },

    grant,

    async answerOnce(answer, { run, step, approvalId, by }, tx) {
      const grant = { ...answer, effect: 'allow', conditions: {}, once: true, reason: '' } as const;
      const row = { ...newRow(grant, { by, origin: 'approval', approvalId }, newId(), clock.now()), run_id: run, step };
      await put(tx, row, { actor: by, action: 'policy.allow_once', decision: 'allow', details: { ...answer, run, step, approvalId } });
    },

    revoke,
    replace: (id, input, by) =>
      store.write(async (tx) => {
        await revoke(id, by, tx);
        return grant(input, { by, origin: 'owner' }, tx);
      }),
    get: async (id) => asGrant(await load(store.db, id)),

    async list({ limit, cursor, ...filter }) {
      const found = await findGrants(store.db, filter, clock.now(), limit + 1, cursor);
      const items = found.slice(0, limit).map(asGrant);
      return { items, next: found.length > limit ? items.at(-1)!.id : null };
    },

    starters: () => starters().map(asGrant),
    reload,

    service: {
      name: 'policy',
      async start({ signal, exit }) {
        await store.write((tx) => deleteStale(tx, clock.now() - STALE_AFTER_MS));
        await reload();
        // one process alone writes what it reads; where several share a database, each looks what the others wrote
        if (store.dialect.shared) watch(signal).catch((error: unknown) => signal.aborted || exit(error as Error));
        return { stop: () => repeats.flush().catch(onError) };
      },
    },
  };
}

function asAnswer({ id, run_id: run, step, capability, resource, expires_at: expiresAt }: GrantRow): Answer[] {
  return run === null || step === null ? [] : [{ id, run, step, capability, resource, expiresAt }];
}
