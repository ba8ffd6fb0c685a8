import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Audit } from '#audit';
import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError, toError } from '#core/errors';
import type { FetchRequest, FetchResponse } from '#core/fetch';
import { check } from '#core/json';
import { secret, type Secret } from '#core/secret';
import type { Service } from '#core/service';
import { referencedName, type SecretInfo, type SecretUse } from './contract.ts';
import { createConnections, type Connections } from './connections.ts';
import type { OldKey } from './key-file.ts';
import { createKeyring, type KeyChange } from './keyring.ts';
import { createLending, type Borrower } from './lending.ts';
import type { MasterKeySource, NextKey } from './master-key.ts';
import {
  allRows,
  deleteRetired,
  deleteSecret,
  describeSecret,
  insertRow,
  markUsed,
  resealRow,
  retireCurrent,
  rowsOf,
  type SecretRow,
} from './queries.ts';
import { placeholderIn } from './placeholders.ts';
import { findConnection } from './queries-connection.ts';
import { createRedactor, type LiveRedactor, type Redactor } from './redactor.ts';
import { SecretHosts, SecretName, SecretScope } from './scope.ts';

/** The rest of the agent waits this long for the vault to open. */
const LONGEST_OPENING_MS = 2_000;

/** `last used` is kept to the minute: a read must not cost a write. */
const USE_RESOLUTION_MS = 60_000;
const WARN_BEFORE_MS = 14 * 86_400_000;
const LOOK_EVERY_MS = 3_600_000;
/** Names of what the program keeps here for itself: no reference, endpoint or list knows them. */
const OwnName = z.string().regex(/^~[a-z0-9.]{1,100}$/);
const isOwnName = (name: string): boolean => name.startsWith('~');
const REFERENCES = /@secret:([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)/g;

/** What the owner says of a secret; what is left out stays as it was. */
export interface Description {
  readonly scope?: string | undefined;
  readonly hosts?: string | undefined;
  readonly description?: string | undefined;
  /** ISO 8601; null for never. */
  readonly expiresAt?: string | null | undefined;
}

export interface VaultDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly masterKey: MasterKeySource;
  /** Where secrets are referred to: settings, providers, channels, workflows; nowhere when left out. */
  readonly references?: () => Promise<readonly SecretUse[]>;
  /** The way to the services that grant access; without one there are no connections. */
  readonly fetch?: (request: FetchRequest) => Promise<FetchResponse>;
  /** A word to the owner. */
  readonly tell?: (severity: 'warning' | 'critical', title: string, body: string) => void;
  /** The one of the whole agent, kept current with what the vault holds; one of its own when left out. */
  readonly redactor?: LiveRedactor;
  /** Nonces; the machine's generator when left out. */
  readonly random?: (bytes: number) => Buffer;
}

/** Seals the owner's secrets and lends them. Opened by its first use; errors of opening are `vault.wrong_key`, `vault.key_missing`, `vault.weak_key`, `vault.key_exposed`. */
export interface Vault {
  /** Puts a value under a name; the value before is gone at once. What is not given (scope, description) stays as it was. */
  set(name: string, value: Secret, actor: string, options?: Description): Promise<SecretInfo>;
  /** Changes what is said of it; the value stays. Throws `vault.no_secret`. */
  describe(name: string, actor: string, description: Description): Promise<SecretInfo>;
  /** A new version, while the old one is still among `accepted` for `graceMs`. */
  rotate(name: string, value: Secret, actor: string, options: { readonly graceMs: number }): Promise<SecretInfo>;
  remove(name: string, actor: string): Promise<void>;
  /**
   * The current value, for a borrower within the scope that the owner set; each use is recorded. Throws `vault.no_secret`, `vault.out_of_scope`.
   * Without a borrower only what the program keeps for itself (`~name`).
   */
  get(name: string, by?: Borrower): Promise<Secret>;
  has(name: string): Promise<boolean>;
  /** The current value, then those in their grace period: for checking what others signed. */
  accepted(name: string, by: Borrower): Promise<readonly Secret[]>;
  /** The value of `@secret:name`. Throws `vault.bad_reference` for any other text. */
  resolve(reference: string, by: Borrower): Promise<Secret>;
  /** A text of the owner's with every reference in it filled in, as in `Bearer @secret:github`. Never for text from anywhere else. */
  fill(text: string, by: Borrower): Promise<Secret>;
  list(): Promise<readonly SecretInfo[]>;
  /** Grants of outside services: lent under their names like secrets, always fresh. */
  readonly connections: Connections;
  /** Where secrets are referred to. */
  uses(): Promise<readonly SecretUse[]>;
  /** 32 bytes for one purpose, for signing; another one after the master key was changed. */
  keyFor(purpose: string): Promise<Buffer>;
  /** The same, then those before the master key was changed: for checking what was signed earlier. */
  keysFor(purpose: string): Promise<readonly Buffer[]>;
  /** Seals everything with another master key. A crash at any moment leaves a vault that opens, with one of the two. */
  changeMasterKey(next: NextKey, old: OldKey, actor: string): Promise<KeyChange>;
  /** Opens it now where a passphrase must be asked for; else it opens by itself. Throws `vault.passphrase_needed`, `vault.wrong_passphrase`. */
  unlock(): Promise<void>;
  /** Knows nothing before the vault was opened, then all it holds. */
  readonly redactor: Redactor;
  /** Opens the vault in the background, so that the redactor knows; a vault that cannot be opened shows in its health and stops nobody. */
  readonly service: Service;
}

export function createVault(deps: VaultDeps): Vault {
  const { store, clock, bus, audit, masterKey, references = async () => [], tell = () => {}, random = randomBytes } = deps;
  const { redactor = createRedactor() } = deps;
  const known = new Map<string, Map<number, string>>();
  const lending = createLending({ clock, audit });
  const keyring = createKeyring({ store, clock, audit, masterKey, random, anyKeyId: async (db) => (await allRows(db))[0]?.key_id ?? null });
  const connections = createConnections({
    store,
    clock,
    bus,
    audit,
    random,
    tell,
    keyring,
    fetch:
      deps.fetch ?? (() => Promise.reject(new AppError('unavailable', 'vault.connection_unreachable', 'There is no way out from here'))),
    secretOf: (reference, { connection, to }) => resolve(reference, { as: [`connection:${connection}`], purpose: 'connect', to }),
    learn(name, values) {
      known.set(name, new Map(values.map((value, index) => [index, value])));
      reload();
    },
    isTaken: async (db, name) => currentOf(await rowsOf(db, name)) !== undefined,
  });
  /** Uses since they were last written down. */
  const unwritten = new Map<string, number>();
  let opening: Promise<void> | null = null;

  function open(): Promise<void> {
    opening ??= learnAll().catch((error: unknown) => {
      opening = null; // the owner may put the right key in place meanwhile
      throw error;
    });
    return opening;
  }

  async function learnAll(): Promise<void> {
    await keyring.open();
    for (const row of await allRows(store.db)) {
      try {
        learn(row.name, row.version, await reveal(row));
      } catch (error) {
        if ((error as AppError).code !== 'vault.damaged') throw error; // one bad row must not lock away the others
      }
    }
    await connections.learnAll();
    reload();
  }

  async function reveal(row: SecretRow): Promise<string> {
    try {
      return await keyring.reveal(row, row);
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw new AppError(
        'unavailable',
        'vault.damaged',
        `The secret "${row.name}" was altered in the database and does not open: set it again`,
        { name: row.name },
        cause,
      );
    }
  }

  function learn(name: string, version: number, value: string): void {
    const versions = known.get(name) ?? new Map<number, string>();
    known.set(name, versions.set(version, value));
  }

  function reload(): void {
    redactor.load([...known].flatMap(([name, versions]) => Array.from(versions.values(), (value) => ({ name, value }))));
  }

  /** Opens a row that is about to be lent; another process may have sealed it. */
  async function lend(row: SecretRow): Promise<Secret> {
    const value = await reveal(row);
    if (known.get(row.name)?.get(row.version) !== value) {
      learn(row.name, row.version, value);
      reload();
    }
    return secret(value);
  }

  async function put(name: string, value: Secret, actor: string, graceMs: number | null, told: Description = {}): Promise<SecretInfo> {
    check(name, isOwnName(name) ? OwnName : SecretName, 'name');
    const said = columnsOf(told);
    const plain = value.use(assertSecret);
    await open();
    return store.write(async (tx) => {
      const now = clock.now();
      const before = await rowsOf(tx, name);
      const current = currentOf(before);
      if (!current && (await findConnection(tx, name)))
        throw new AppError('conflict', 'vault.name_taken', `name: there is a connection "${name}" already`, { name });
      if (graceMs !== null && !current) throw noSecret(name);
      const version = (before[0]?.version ?? 0) + 1;
      if (graceMs) await retireCurrent(tx, name, now + graceMs);
      else await deleteSecret(tx, name);
      await deleteRetired(tx, now);
      await insertRow(tx, {
        name,
        version,
        ...(await keyring.seal(tx, { name, version }, plain)),
        scope: current?.scope ?? 'any',
        hosts: current?.hosts ?? '',
        description: current?.description ?? '',
        expires_at: null, // a new value has a new end
        ...said,
        created_at: now,
        first_at: current?.first_at ?? now,
        retires_at: null,
        last_used_at: current?.last_used_at ?? null,
        uses: current?.uses ?? 0,
      });
      const rows = await rowsOf(tx, name);
      const { scope, hosts } = rows[0]!;
      const action = graceMs === null ? 'vault.set' : 'vault.rotate';
      await audit.record({ actor, action, resource: `secret:${name}`, details: { version, scope, ...(hosts && { hosts }) } }, tx);
      store.onCommit(() => {
        for (const old of known.get(name)?.keys() ?? []) if (!rows.some((row) => row.version === old)) known.get(name)!.delete(old);
        learn(name, version, plain);
        reload();
        bus.publish('vault.changed', { name, change: graceMs === null ? 'set' : 'rotated' });
      });
      return toInfo(rows, now)!;
    });
  }

  async function current(db: Db, name: string): Promise<SecretRow> {
    const row = currentOf(await rowsOf(db, name));
    if (!row) throw noSecret(name);
    return row;
  }

  async function assertMay(row: SecretRow, by: Borrower | undefined): Promise<void> {
    if (isOwnName(row.name)) return;
    if (!by) throw new Error('A secret of the owner was asked for by nobody');
    await lending.assertAllowed(row, by);
  }

  async function used({ name, last_used_at: last }: SecretRow): Promise<void> {
    const now = clock.now();
    const uses = (unwritten.get(name) ?? 0) + 1;
    unwritten.set(name, uses);
    if (now - (last ?? -Infinity) < USE_RESOLUTION_MS) return;
    unwritten.delete(name);
    await store.write((tx) => markUsed(tx, name, now, uses));
  }

  async function get(name: string, by?: Borrower): Promise<Secret> {
    await open();
    const row = currentOf(await rowsOf(store.db, name));
    if (!row) return getToken(name, by);
    await assertMay(row, by);
    await used(row);
    const lent = await lend(row);
    return by ? counting(lent, () => usedAgain(name, by)) : lent;
  }

  /** A provider or a channel keeps what it was lent: each time it opens it is a use. */
  function usedAgain(name: string, by: Borrower): void {
    lending.again(name, by);
    unwritten.set(name, (unwritten.get(name) ?? 0) + 1);
  }

  async function writeUses(): Promise<void> {
    const now = clock.now();
    const uses = [...unwritten];
    unwritten.clear();
    if (uses.length === 0) return;
    await store.write(async (tx) => {
      for (const [name, count] of uses) await markUsed(tx, name, now, count);
    });
  }

  async function getToken(name: string, by: Borrower | undefined): Promise<Secret> {
    const terms = await connections.terms(name);
    if (!terms || !by) throw noSecret(name);
    await lending.assertAllowed(terms, by);
    return counting(await connections.token(name), () => lending.again(name, by));
  }

  async function resolve(reference: string, by: Borrower): Promise<Secret> {
    const name = referencedName(reference);
    if (name === null) throw new AppError('invalid', 'vault.bad_reference', 'Not a reference to a secret: write @secret:name');
    return get(name, by);
  }

  /** Tells of what ends soon, each once in the life of a value. */
  async function lookForEnds(toldOf: Set<string>): Promise<void> {
    const now = clock.now();
    for (const { name, version, expires_at: at } of await allRows(store.db)) {
      if (at === null || at - now > WARN_BEFORE_MS || toldOf.has(`${name} ${version}`)) continue;
      toldOf.add(`${name} ${version}`);
      const day = new Date(at).toISOString().slice(0, 10);
      const title = at <= now ? `The secret "${name}" ended on ${day}` : `The secret "${name}" ends on ${day}`;
      tell('warning', title, `Give it a new value before that breaks something: castellan secret rotate ${name}`);
    }
  }

  async function watchEnds(signal: AbortSignal): Promise<void> {
    const toldOf = new Set<string>();
    while (!signal.aborted) {
      await Promise.all([lookForEnds(toldOf), lending.flush('old'), writeUses()]).catch(() => {}); // a store that is away is told of elsewhere
      await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {});
    }
  }

  return {
    set: (name, value, actor, options) => put(name, value, actor, null, options),
    rotate: (name, value, actor, { graceMs }) => put(name, value, actor, graceMs),

    async describe(name, actor, description) {
      const said = columnsOf(description);
      return store.write(async (tx) => {
        await current(tx, name);
        if (Object.keys(said).length > 0) await describeSecret(tx, name, said);
        await audit.record({ actor, action: 'vault.describe', resource: `secret:${name}`, details: { ...description } }, tx);
        store.onCommit(() => bus.publish('vault.changed', { name, change: 'described' }));
        return toInfo(await rowsOf(tx, name), clock.now())!;
      });
    },

    async remove(name, actor) {
      await store.write(async (tx) => {
        await current(tx, name);
        await deleteSecret(tx, name);
        await audit.record({ actor, action: 'vault.remove', resource: `secret:${name}` }, tx);
        store.onCommit(() => {
          known.delete(name);
          reload();
          bus.publish('vault.changed', { name, change: 'removed' });
        });
      });
    },

    get,
    has: async (name) => currentOf(await rowsOf(store.db, name)) !== undefined || (await findConnection(store.db, name)) !== undefined,
    connections,

    async accepted(name, by) {
      await open();
      const now = clock.now();
      const rows = (await rowsOf(store.db, name)).filter((row) => row.retires_at === null || row.retires_at > now);
      if (rows.length === 0) throw noSecret(name);
      await assertMay(rows[0]!, by);
      return Promise.all(rows.map(lend));
    },

    resolve,

    async fill(text, by) {
      const names = new Set(Array.from(text.matchAll(REFERENCES), (match) => match[1]!));
      const values = new Map<string, Secret>();
      for (const name of names) values.set(name, await get(name, by));
      return secret(text.replace(REFERENCES, (_reference, name: string) => values.get(name)!.use((value) => value)));
    },

    async list() {
      const now = clock.now();
      const shown = (await allRows(store.db)).filter(({ name }) => !isOwnName(name));
      const groups = Map.groupBy(shown, (row) => row.name);
      return Array.from(groups.values(), (rows) => toInfo(rows, now)).filter((info) => info !== null);
    },

    uses: references,

    keyFor: async (purpose) => (await keyring.keysFor(purpose))[0]!,
    keysFor: keyring.keysFor,

    async changeMasterKey(next, old, actor) {
      await open();
      return keyring.change(next, old, actor, async (tx, again) => {
        const rows = await allRows(tx);
        for (const row of rows) {
          try {
            await resealRow(tx, row, again(row, row));
          } catch (cause) {
            const message = `The secret "${row.name}" was altered in the database and does not open: set it again or remove it first. Nothing was changed.`;
            throw new AppError('unavailable', 'vault.damaged', message, { name: row.name }, cause);
          }
        }
        return rows.length + (await connections.reseal(tx, again));
      });
    },

    async unlock() {
      if (await keyring.hasPassphrase()) await open();
    },

    redactor,

    service: {
      name: 'vault',
      async start({ signal }) {
        const life = new AbortController();
        let failure: Error | null = null;
        const done = open().then(
          () => {},
          (error: unknown) => {
            failure = toError(error);
          },
        );
        const ending = AbortSignal.any([signal, life.signal]);
        const watching = Promise.all([watchEnds(ending), done.then(() => connections.watch(ending))]);
        // what starts after it stores and sends, and the redactor should know the values by then; a vault that takes long keeps nobody waiting
        const waiting = new AbortController();
        await Promise.race([done, clock.sleep(LONGEST_OPENING_MS, AbortSignal.any([ending, waiting.signal])).catch(() => {})]);
        waiting.abort();
        return {
          async stop() {
            life.abort();
            await Promise.all([done, watching]);
            await lending.flush();
            await writeUses();
          },
          health: () =>
            failure === null || opening !== null ? { ok: true, detail: `${known.size} secrets` } : { ok: false, detail: failure.message },
        };
      },
    },
  };
}

/** A secret that tells of each use after the first, which is told of when it is lent. */
function counting(lent: Secret, onUse: () => void): Secret {
  let isFirst = true;
  return Object.freeze({
    ...lent,
    use<T>(fn: (value: string) => T): T {
      if (!isFirst) onUse();
      isFirst = false;
      return lent.use(fn);
    },
  });
}

/** What is said of a secret, read and as columns. */
function columnsOf({
  scope,
  hosts,
  description,
  expiresAt,
}: Description): Partial<Pick<SecretRow, 'scope' | 'hosts' | 'description' | 'expires_at'>> {
  return {
    ...(scope !== undefined && { scope: check(scope, SecretScope, 'scope') }),
    ...(hosts !== undefined && { hosts: check(hosts, SecretHosts, 'hosts') }),
    ...(description !== undefined && { description }),
    ...(expiresAt !== undefined && { expires_at: expiresAt === null ? null : Date.parse(expiresAt) }),
  };
}

/** Stand-ins never become secrets: a redacted text that found its way back would otherwise overwrite the real one. */
function assertSecret(value: string): string {
  const refuse = (why: string): never => {
    throw new AppError('invalid', 'vault.not_a_secret', `value: ${why}`);
  };
  if (value.trim() === '') refuse('is empty');
  if (placeholderIn(value) !== null) refuse('is what a hidden secret is shown as, not the secret itself');
  if (referencedName(value.trim()) !== null) refuse('is a reference to a secret, not a value');
  if (/^\s*(?:undefined|null|nan|\[object object\])\s*$/i.test(value)) refuse('is a programming accident, not a secret');
  return value;
}

function currentOf(rows: readonly SecretRow[]): SecretRow | undefined {
  return rows.find((row) => row.retires_at === null);
}

function noSecret(name: string): AppError {
  return new AppError('not_found', 'vault.no_secret', `No secret "${name}": set it with "castellan secret set ${name}"`, { name });
}

function toInfo(rows: readonly SecretRow[], now: number): SecretInfo | null {
  const row = currentOf(rows);
  if (!row) return null;
  const previous = rows.find((each) => each.retires_at !== null && each.retires_at > now);
  const iso = (ms: number | null | undefined): string | null => (ms == null ? null : new Date(ms).toISOString());
  return {
    name: row.name,
    scope: row.scope,
    hosts: row.hosts,
    description: row.description,
    version: row.version,
    createdAt: iso(row.first_at)!,
    rotatedAt: row.version > 1 ? iso(row.created_at) : null,
    lastUsedAt: iso(row.last_used_at),
    uses: row.uses,
    expiresAt: iso(row.expires_at),
    previousUntil: iso(previous?.retires_at),
  };
}
