import { randomBytes } from 'node:crypto';
import type { Audit } from '#audit';
import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError, toError } from '#core/errors';
import { check } from '#core/json';
import { secret, type Secret } from '#core/secret';
import type { Service } from '#core/service';
import { referencedName, SecretName, type SecretInfo } from './contract.ts';
import type { MasterKeySource } from './master-key.ts';
import { allRows, deleteRetired, deleteSecret, insertRow, markUsed, retireCurrent, rowsOf, type SecretRow } from './queries.ts';
import { createRedactor, type Redactor } from './redactor.ts';
import { deriveKey, keyId, seal, unseal } from './seal.ts';

/** `last used` is kept to the minute: a read must not cost a write. */
const USE_RESOLUTION_MS = 60_000;
const REFERENCES = /@secret:([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)/g;

export interface VaultDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly masterKey: MasterKeySource;
  /** Nonces; the machine's generator when left out. */
  readonly random?: (bytes: number) => Buffer;
}

/** Seals the owner's secrets and lends them. Opened by its first use; errors of opening are `vault.wrong_key`, `vault.key_missing`, `vault.weak_key`, `vault.key_exposed`. */
export interface Vault {
  /** Puts a value under a name; the value before is gone at once. What is not given (scope, description) stays as it was. */
  set(
    name: string,
    value: Secret,
    actor: string,
    options?: { readonly scope?: string | undefined; readonly description?: string | undefined },
  ): Promise<SecretInfo>;
  /** A new version, while the old one is still among `accepted` for `graceMs`. */
  rotate(name: string, value: Secret, actor: string, options: { readonly graceMs: number }): Promise<SecretInfo>;
  remove(name: string, actor: string): Promise<void>;
  /** The current value. Throws `vault.no_secret`. */
  get(name: string): Promise<Secret>;
  has(name: string): Promise<boolean>;
  /** The current value, then those in their grace period: for checking what others signed. */
  accepted(name: string): Promise<readonly Secret[]>;
  /** The value of `@secret:name`. Throws `vault.bad_reference` for any other text. */
  resolve(reference: string): Promise<Secret>;
  /** A text with every reference in it filled in, as in `Bearer @secret:github`. */
  fill(text: string): Promise<Secret>;
  list(): Promise<readonly SecretInfo[]>;
  /** 32 bytes for one purpose, always the same under the same master key: for signing cookies and the like. */
  keyFor(purpose: string): Promise<Buffer>;
  /** Knows nothing before the vault was opened, then all it holds. */
  readonly redactor: Redactor;
  /** Opens the vault in the background, so that the redactor knows; a vault that cannot be opened shows in its health and stops nobody. */
  readonly service: Service;
}

interface Opened {
  readonly master: Buffer;
  readonly id: string;
  readonly key: Buffer;
}

export function createVault({ store, clock, bus, audit, masterKey, random = randomBytes }: VaultDeps): Vault {
  const redactor = createRedactor();
  const known = new Map<string, Map<number, string>>();
  let opening: Promise<Opened> | null = null;

  function open(): Promise<Opened> {
    opening ??= unlock().catch((error: unknown) => {
      opening = null; // the owner may put the right key in place meanwhile
      throw error;
    });
    return opening;
  }

  async function unlock(): Promise<Opened> {
    const rows = await allRows(store.db);
    const master = (await masterKey.read()) ?? (await firstKey(rows));
    const opened: Opened = { master, id: keyId(master), key: deriveKey(master, 'secrets') };
    for (const row of rows) {
      try {
        learn(row.name, row.version, reveal(opened, row));
      } catch (error) {
        if ((error as AppError).code !== 'vault.damaged') throw error; // one bad row must not lock away the others
      }
    }
    reload();
    return opened;
  }

  async function firstKey(rows: readonly SecretRow[]): Promise<Buffer> {
    const sealed = rows[0];
    if (!sealed) return masterKey.create();
    throw new AppError(
      'unavailable',
      'vault.key_missing',
      `The vault holds secrets, but its master key ${masterKey.where} is gone: put the file back from a backup. Nothing was changed.`,
      { keyId: sealed.key_id },
    );
  }

  function wrongKey(row: SecretRow, id: string): AppError {
    const message = `The vault was sealed with another master key than ${masterKey.where}: give the one it was made with. Nothing was changed.`;
    return new AppError('unavailable', 'vault.wrong_key', message, { secret: row.name, sealedWith: row.key_id, given: id });
  }

  function reveal({ key, id }: Opened, row: SecretRow): string {
    if (row.key_id !== id) throw wrongKey(row, id);
    try {
      return unseal(key, row, row);
    } catch (cause) {
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
  function lend(opened: Opened, row: SecretRow): Secret {
    const value = reveal(opened, row);
    if (known.get(row.name)?.get(row.version) !== value) {
      learn(row.name, row.version, value);
      reload();
    }
    return secret(value);
  }

  async function put(
    name: string,
    value: Secret,
    actor: string,
    how: { graceMs: number | null; scope?: string | undefined; description?: string | undefined },
  ): Promise<SecretInfo> {
    check(name, SecretName, 'name');
    const plain = value.use(assertSecret);
    const { key, id } = await open();
    return store.write(async (tx) => {
      const now = clock.now();
      const before = await rowsOf(tx, name);
      const current = currentOf(before);
      if (how.graceMs !== null && !current) throw noSecret(name);
      const version = (before[0]?.version ?? 0) + 1;
      if (how.graceMs) await retireCurrent(tx, name, now + how.graceMs);
      else await deleteSecret(tx, name);
      await deleteRetired(tx, now);
      const { nonce, sealed } = seal(key, { name, version }, plain, random(12));
      await insertRow(tx, {
        name,
        version,
        key_id: id,
        nonce,
        sealed,
        scope: how.scope ?? current?.scope ?? 'any',
        description: how.description ?? current?.description ?? '',
        created_at: now,
        first_at: current?.first_at ?? now,
        retires_at: null,
        last_used_at: current?.last_used_at ?? null,
      });
      const rows = await rowsOf(tx, name);
      await audit.record(
        {
          actor,
          action: how.graceMs === null ? 'vault.set' : 'vault.rotate',
          resource: `secret:${name}`,
          details: { version, scope: rows[0]!.scope },
        },
        tx,
      );
      store.onCommit(() => {
        for (const old of known.get(name)?.keys() ?? []) if (!rows.some((row) => row.version === old)) known.get(name)!.delete(old);
        learn(name, version, plain);
        reload();
        bus.publish('vault.changed', { name, change: how.graceMs === null ? 'set' : 'rotated' });
      });
      return toInfo(rows, now)!;
    });
  }

  async function current(db: Db, name: string): Promise<SecretRow> {
    const row = currentOf(await rowsOf(db, name));
    if (!row) throw noSecret(name);
    return row;
  }

  async function get(name: string): Promise<Secret> {
    const opened = await open();
    const row = await current(store.db, name);
    const now = clock.now();
    if (now - (row.last_used_at ?? -Infinity) >= USE_RESOLUTION_MS) await store.write((tx) => markUsed(tx, name, now));
    return lend(opened, row);
  }

  return {
    set: (name, value, actor, options = {}) => put(name, value, actor, { graceMs: null, ...options }),
    rotate: (name, value, actor, { graceMs }) => put(name, value, actor, { graceMs }),

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
    has: async (name) => currentOf(await rowsOf(store.db, name)) !== undefined,

    async accepted(name) {
      const opened = await open();
      const now = clock.now();
      const rows = (await rowsOf(store.db, name)).filter((row) => row.retires_at === null || row.retires_at > now);
      if (rows.length === 0) throw noSecret(name);
      return rows.map((row) => lend(opened, row));
    },

    async resolve(reference) {
      const name = referencedName(reference);
      if (name === null) throw new AppError('invalid', 'vault.bad_reference', 'Not a reference to a secret: write @secret:name');
      return get(name);
    },

    async fill(text) {
      const names = new Set(Array.from(text.matchAll(REFERENCES), (match) => match[1]!));
      const values = new Map<string, Secret>();
      for (const name of names) values.set(name, await get(name));
      return secret(text.replace(REFERENCES, (_reference, name: string) => values.get(name)!.use((value) => value)));
    },

    async list() {
      const now = clock.now();
      const groups = Map.groupBy(await allRows(store.db), (row) => row.name);
      return Array.from(groups.values(), (rows) => toInfo(rows, now)).filter((info) => info !== null);
    },

    keyFor: async (purpose) => deriveKey((await open()).master, `for ${purpose}`),

    redactor,

    service: {
      name: 'vault',
      async start() {
        let failure: Error | null = null;
        const done = open().then(
          () => {},
          (error: unknown) => {
            failure = toError(error);
          },
        );
        return {
          stop: () => done,
          health: () =>
            failure === null || opening !== null ? { ok: true, detail: `${known.size} secrets` } : { ok: false, detail: failure.message },
        };
      },
    },
  };
}

/** Stand-ins never become secrets: a redacted text that found its way back would otherwise overwrite the real one. */
function assertSecret(value: string): string {
  const refuse = (why: string): never => {
    throw new AppError('invalid', 'vault.not_a_secret', `value: ${why}`);
  };
  if (value.trim() === '') refuse('is empty');
  if (/^\s*\[secret(?::[^\]]*)?\]\s*$/.test(value) || /\[secret:[A-Za-z0-9._-]+\]/.test(value))
    refuse('is what a hidden secret is shown as, not the secret itself');
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
    description: row.description,
    version: row.version,
    createdAt: iso(row.first_at)!,
    rotatedAt: row.version > 1 ? iso(row.created_at) : null,
    lastUsedAt: iso(row.last_used_at),
    previousUntil: iso(previous?.retires_at),
  };
}
