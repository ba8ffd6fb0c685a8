import type { Audit } from '#audit';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import { parseJson } from '#core/json';
import type { OldKey } from './key-file.ts';
import type { MasterKeySource, NextKey, Sealing } from './master-key.ts';
import { Kdf } from './passphrase.ts';
import { allRoots, insertRoot, putFirstMaster, readMaster, resealRoot, updateMaster, type MasterRow, type RootRow } from './queries.ts';
import { deriveKey, keyId, seal, unseal, type Place, type Sealed } from './seal.ts';

/** A text sealed with the master key of an id. */
export interface SealedRow extends Sealed {
  readonly key_id: string;
}

/** What else is sealed, besides the roots: gives every row another seal, in the transaction of the change. Answers how many there were. */
export type Reseal = (tx: Db, again: (place: Place, row: SealedRow) => SealedRow) => Promise<number>;

/** Done with a change of the master key. */
export interface KeyChange {
  readonly keyId: string;
  readonly kind: NextKey['kind'];
  /** How many rows were sealed anew. */
  readonly resealed: number;
}

/** The master key, and all that comes from it. */
export interface Keyring {
  /** Opens it, once. */
  open(): Promise<void>;
  /** Opens a sealed row; throws `vault.wrong_key`, or whatever the cipher throws for a row that was altered. */
  reveal(place: Place, row: SealedRow): Promise<string>;
  /** Within the transaction that stores it: with the key that is in force there. */
  seal(tx: Db, place: Place, value: string): Promise<SealedRow>;
  /** Newest first: the first one is for making, all are for checking. */
  keysFor(purpose: string): Promise<readonly Buffer[]>;
  change(next: NextKey, old: OldKey, actor: string, reseal: Reseal): Promise<KeyChange>;
  /** It is asked for at start. */
  hasPassphrase(): Promise<boolean>;
}

export interface KeyringDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'record'>;
  readonly masterKey: MasterKeySource;
  readonly random: (bytes: number) => Buffer;
  /** The key id of something that was sealed before there was a row for it. */
  readonly anyKeyId: (db: Db) => Promise<string | null>;
}

interface Ring {
  readonly id: string;
  readonly key: Buffer;
}

const ROOT_BYTES = 32;
const rootPlace = (generation: number): Place => ({ name: 'root:', version: generation });

export function createKeyring({ store, clock, audit, masterKey, random, anyKeyId }: KeyringDeps): Keyring {
  /** By the id of their master key; the one before stays for whoever read a row just before it was sealed anew. */
  const rings = new Map<string, Ring>();
  let roots: readonly Buffer[] = [];
  let opening: Promise<void> | null = null;

  function open(): Promise<void> {
    opening ??= unlock().catch((error: unknown) => {
      opening = null; // the owner may put the right key in place meanwhile
      throw error;
    });
    return opening;
  }

  async function unlock(): Promise<void> {
    const row = await readMaster(store.db);
    const sealing = await sealingOf(row);
    const master = await masterKey.read(sealing ?? undefined);
    if (!master && sealing)
      throw new AppError(
        'unavailable',
        'vault.key_missing',
        `The vault was sealed, but its master key ${masterKey.where} is gone: put the file back from a backup. Nothing was changed.`,
        { keyId: sealing.keyId },
      );
    const ring = ringOf(master ?? (await masterKey.create()));
    if (sealing && sealing.keyId !== ring.id) throw wrongKey(sealing.keyId, ring.id);
    if (!row) await begin(ring);
    const there = (await readMaster(store.db))!;
    if (there.key_id !== ring.id) throw wrongKey(there.key_id, ring.id); // another process was first
    await masterKey.settle?.(ring.id, there.old_key);
    if (there.old_key !== null) await store.write((tx) => updateMaster(tx, { old_key: null }));
    roots = (await allRoots(store.db)).map((root) => openRoot(ring, root));
    rings.set(ring.id, ring);
  }

  async function sealingOf(row: MasterRow | undefined): Promise<Sealing | null> {
    if (row) return { keyId: row.key_id, kdf: row.kdf === null ? null : parseJson(row.kdf, Kdf, 'kdf of the vault') };
    const id = await anyKeyId(store.db);
    return id === null ? null : { keyId: id, kdf: null };
  }

  /** The first time with this database. */
  async function begin(ring: Ring): Promise<void> {
    await store.write(async (tx) => {
      await putFirstMaster(tx, { id: 1, key_id: ring.id, kdf: null, old_key: null, changed_at: clock.now() });
      await insertRoot(tx, newRoot(ring, 1));
    });
  }

  function newRoot(ring: Ring, generation: number): RootRow {
    const text = random(ROOT_BYTES).toString('base64');
    return { generation, ...sealWith(ring, rootPlace(generation), text), created_at: clock.now() };
  }

  function openRoot({ key }: Ring, { generation, ...row }: RootRow): Buffer {
    try {
      return Buffer.from(unseal(key, rootPlace(generation), row), 'base64');
    } catch (cause) {
      throw new AppError(
        'unavailable',
        'vault.damaged',
        'The keys of the vault were altered in the database: restore a backup',
        { generation },
        cause,
      );
    }
  }

  function sealWith({ id, key }: Ring, place: Place, value: string): SealedRow {
    const { nonce, sealed } = seal(key, place, value, random(12));
    return { key_id: id, nonce, sealed };
  }

  function wrongKey(sealedWith: string, given: string): AppError {
    const message = `The vault was sealed with another master key than ${masterKey.where}: give the one it was made with. Nothing was changed.`;
    return new AppError('unavailable', 'vault.wrong_key', message, { sealedWith, given });
  }

  /** The ring of an id; another process may have changed the key, so what is not known is looked for once more. */
  async function ringFor(id: string): Promise<Ring> {
    await open();
    const known = rings.get(id);
    if (known) return known;
    opening = null;
    await open();
    const found = rings.get(id);
    if (!found) throw wrongKey(id, [...rings.keys()].at(-1)!);
    return found;
  }

  return {
    open,

    async reveal(place, row) {
      const { key } = await ringFor(row.key_id);
      return unseal(key, place, row);
    },

    async seal(tx, place, value) {
      const { key_id: id } = (await readMaster(tx))!;
      const ring = rings.get(id);
      if (!ring) throw wrongKey(id, [...rings.keys()].at(-1)!);
      return sealWith(ring, place, value);
    },

    async keysFor(purpose) {
      await open();
      return roots.map((root) => deriveKey(root, `for ${purpose}`));
    },

    async hasPassphrase() {
      return ((await readMaster(store.db))?.kdf ?? null) !== null;
    },

    async change(next, old, actor, reseal) {
      await open();
      if (!masterKey.prepare) throw new Error('This source of the master key cannot be changed');
      const { key, kdf } = await masterKey.prepare(next);
      const ring = ringOf(key);
      rings.set(ring.id, ring);
      const fresh: Buffer[] = [];
      const resealed = await store.write(async (tx) => {
        const before = (await readMaster(tx))!;
        const from = rings.get(before.key_id);
        if (!from || before.key_id === ring.id)
          throw new AppError('conflict', 'vault.same_key', 'That is the master key already: give another one', { keyId: ring.id });
        const again = (place: Place, row: SealedRow): SealedRow => sealWith(ring, place, unseal(from.key, place, row));
        const count = await reseal(tx, again);
        const all = await allRoots(tx);
        for (const root of all) await resealRoot(tx, root.generation, again(rootPlace(root.generation), root));
        const root = newRoot(ring, (all[0]?.generation ?? 0) + 1);
        await insertRoot(tx, root);
        fresh.splice(0, fresh.length, openRoot(ring, root));
        await updateMaster(tx, { key_id: ring.id, kdf: kdf && JSON.stringify(kdf), old_key: old, changed_at: clock.now() });
        await audit.record(
          {
            actor,
            action: 'vault.rotate_key',
            resource: 'vault',
            details: { from: from.id, to: ring.id, kind: next.kind, old, resealed: count },
          },
          tx,
        );
        return count;
      });
      roots = [...fresh, ...roots];
      await masterKey.settle?.(ring.id, old);
      await store.write((tx) => updateMaster(tx, { old_key: null }));
      return { keyId: ring.id, kind: next.kind, resealed };
    },
  };
}

function ringOf(master: Buffer): Ring {
  return { id: keyId(master), key: deriveKey(master, 'secrets') };
}
