import type { Bus, Events } from '#core/bus';
import type { Clock } from '#core/clock';
import type { JobQueue } from '#core/db/queue';
import { createSearchIndex, type SearchHit } from '#core/db/search';
import type { Db, Store } from '#core/db/store';
import { AppError, toError } from '#core/errors';
import type { NewId } from '#core/ids';
import type { Json } from '#core/json';
import { redactJson, type Redact } from '#core/redact';
import type { Service } from '#core/service';
import { chunksOf } from './chunks.ts';
import type { MemoryChange, MemoryHits, MemoryItem, MemoryStats, NewMemory } from './contract.ts';
import { createEmbedding, type Embed } from './embedding.ts';
import * as queries from './queries.ts';
import { toItem } from './shape.ts';
import { createSweeper } from './sweeper.ts';
import { MEMORY_INDEX, type MemoryRow } from './tables.ts';
import { admit, identityOf } from './write-gate.ts';

/** How long a memory stays in the trash. */
const TRASH_MS = 30 * 86_400_000;

/** A question whose vector is not there by then is answered by its words. */
const QUESTION_MS = 4_000;

const SWEPT_AT_ONCE = 500;

/** Parameters of a statement: SQLite takes 32,766. */
const IDENTITIES_AT_ONCE = 500;

export interface MemoryDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly queue: JobQueue;
  readonly embed: Embed;
  /** The address under which two links to one page compare equal; other text as it is. */
  readonly canonicalUrl: (url: string) => string;
  /** Takes secrets out of a text before it is stored; the vault's redactor. */
  readonly redact: Redact;
}

export interface Added {
  readonly id: string;
  /** It was known, perhaps thrown away, and stays as it was. */
  readonly existed: boolean;
}

export interface MemoryQuery {
  /** At least one; nothing of any other scope is found. */
  readonly scopes: readonly [string, ...string[]];
  readonly text: string;
  readonly kinds?: readonly string[] | undefined;
  readonly limit: number;
  /** Least cosine similarity of a hit that was found by its meaning only by it; -1 to 1. */
  readonly minSimilarity?: number;
  readonly signal?: AbortSignal;
}

/**
 * Stored knowledge, each piece in one scope. Every read and write names its scope; what expired or was thrown away is
 * seen by none. Words are found at once, meaning as soon as the vector is there.
 * Throws `memory.empty`, `memory.too_long`, `memory.metadata_too_long`, `memory.recalled_text`, `memory.no_scope`, `memory.not_found`.
 */
export interface Memory {
  /** Inside a `store.write` pass its `tx`, so that memory and work share one fate. */
  add(scope: string, item: NewMemory, tx?: Db): Promise<Added>;
  /** All or nothing. */
  addMany(scope: string, items: readonly NewMemory[], tx?: Db): Promise<readonly Added[]>;
  /** Those of the identities (or addresses, however they are spelt) that the scope has, the trash included. */
  known(scope: string, identities: readonly string[]): Promise<ReadonlySet<string>>;
  /** With `trash` also what was thrown away. */
  get(scope: string, id: string, options?: { readonly trash?: boolean }): Promise<MemoryItem>;
  list(
    query: queries.ListFilter & { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<{ items: MemoryItem[]; next: string | null }>;
  update(scope: string, id: string, change: MemoryChange): Promise<MemoryItem>;
  /** Into the trash. */
  forget(scope: string, id: string): Promise<void>;
  /** Out of the trash; an expiry that has passed is taken off. */
  restore(scope: string, id: string): Promise<MemoryItem>;
  /** For good. */
  purge(scope: string, id: string): Promise<void>;
  search(query: MemoryQuery): Promise<MemoryHits>;
  stats(): Promise<MemoryStats>;
  /** To be called when the embedding model was changed. */
  reembed(): Promise<void>;
  /** Deletes what expired and what lay in the trash for thirty days; answers how many. */
  sweep(signal?: AbortSignal): Promise<number>;
  /** Embeds in the background; sweeps. */
  readonly services: readonly Service[];
}

export function createMemory({ store, bus, clock, newId, queue, embed, canonicalUrl, redact }: MemoryDeps): Memory {
  const index = createSearchIndex(store, MEMORY_INDEX);
  const embedding = createEmbedding({ store, clock, queue, index, embed });

  function tell<K extends keyof Events>(name: K, event: Events[K]): void {
    store.onCommit(() => bus.publish(name, event));
  }

  async function indexItem(tx: Db, { id, scope, kind, title, text, expires_at }: MemoryRow): Promise<void> {
    const parts = chunksOf(text).map(({ start, end }) => ({ title: title ?? '', text: text.slice(start, end), start, end }));
    await index.put(tx, id, { scope, kind, expiresAt: expires_at }, parts);
    await embedding.request(tx, 'new');
  }

  async function addOne(tx: Db, scope: string, item: NewMemory): Promise<Added> {
    admit(item);
    const now = clock.now();
    const pinned = item.pinned ?? false;
    const row: MemoryRow = {
      id: newId(),
      scope,
      kind: item.kind,
      title: item.title ? redact(item.title) : null,
      text: redact(item.text),
      url: item.url ? redact(item.url) : null,
      canonical_url: item.url ? redact(canonicalUrl(item.url)) : null,
      identity: redact(identityOf(item, canonicalUrl)),
      metadata: JSON.stringify(redactJson(redact, (item.metadata ?? {}) as Json)),
      labels: JSON.stringify(item.labels ?? []),
      provenance: JSON.stringify(item.provenance ?? {}),
      embedding_model: null,
      pinned: pinned ? 1 : 0,
      created_at: now,
      updated_at: now,
      expires_at: pinned ? null : timeOf(item.expiresAt),
      deleted_at: null,
    };
    while (!(await queries.insertItem(tx, row))) {
      const before = await queries.findByIdentity(tx, scope, row.identity);
      if (!before) continue; // another process deleted it in between
      if (before.deleted_at !== null || before.expires_at === null || before.expires_at > now) return { id: before.id, existed: true };
      await erase(tx, before, 'expired');
    }
    await indexItem(tx, row);
    tell('memory.added', { id: row.id, scope, kind: row.kind });
    return { id: row.id, existed: false };
  }

  async function addMany(scope: string, items: readonly NewMemory[], tx?: Db): Promise<readonly Added[]> {
    assertScope(scope);
    const all = async (within: Db): Promise<readonly Added[]> => {
      const added: Added[] = [];
      for (const item of items) added.push(await addOne(within, scope, item));
      return added;
    };
    return tx ? all(tx) : store.write(all);
  }

  async function erase(tx: Db, { id, scope, kind }: MemoryRow, reason: 'expired' | 'purged'): Promise<void> {
    await index.remove(tx, [id]);
    await queries.deleteItem(tx, id);
    tell('memory.removed', { id, scope, kind, reason });
  }

  async function known(scope: string, identities: readonly string[]): Promise<ReadonlySet<string>> {
    assertScope(scope);
    const stored = identities.map((identity) => redact(canonicalUrl(identity)));
    const found = new Set<string>();
    for (let from = 0; from < stored.length; from += IDENTITIES_AT_ONCE) {
      for (const identity of await queries.knownIdentities(store.db, scope, stored.slice(from, from + IDENTITIES_AT_ONCE), clock.now()))
        found.add(identity);
    }
    return new Set(identities.filter((_, at) => found.has(stored[at]!)));
  }

  async function require(db: Db, scope: string, id: string): Promise<MemoryRow> {
    assertScope(scope);
    return (await queries.findItem(db, scope, id, clock.now())) ?? missing(scope, id);
  }

  async function update(scope: string, id: string, change: MemoryChange): Promise<MemoryItem> {
    return store.write(async (tx) => {
      const row = await require(tx, scope, id);
      const {
        kind = row.kind,
        text = row.text,
        title = row.title,
        url = row.url,
        metadata,
        labels,
        expiresAt,
        pinned = row.pinned === 1,
      } = change;
      admit({ text, ...(metadata && { metadata }) });
      const next: MemoryRow = {
        ...row,
        kind,
        text: redact(text),
        title: title ? redact(title) : null,
        url: url ? redact(url) : null,
        canonical_url: url ? redact(canonicalUrl(url)) : null,
        metadata: metadata ? JSON.stringify(redactJson(redact, metadata as Json)) : row.metadata,
        labels: labels ? JSON.stringify(labels) : row.labels,
        pinned: pinned ? 1 : 0,
        expires_at: pinned ? null : expiresAt === undefined ? row.expires_at : timeOf(expiresAt),
        updated_at: clock.now(),
      };
      const isSameText = next.text === row.text && next.title === row.title;
      if (!isSameText) next.embedding_model = null;
      await queries.updateItem(tx, id, next);
      if (isSameText) await index.amend(tx, id, { scope, kind, expiresAt: next.expires_at });
      else await indexItem(tx, next);
      return toItem(next);
    });
  }

  async function forget(scope: string, id: string): Promise<void> {
    await store.write(async (tx) => {
      const { kind } = await require(tx, scope, id);
      await queries.updateItem(tx, id, { deleted_at: clock.now(), embedding_model: null });
      await index.remove(tx, [id]);
      tell('memory.removed', { id, scope, kind, reason: 'forgotten' });
    });
  }

  async function restore(scope: string, id: string): Promise<MemoryItem> {
    assertScope(scope);
    return store.write(async (tx) => {
      const row = (await queries.findAny(tx, scope, id)) ?? missing(scope, id);
      if (row.deleted_at === null) return toItem(await require(tx, scope, id));
      const now = clock.now();
      const back: MemoryRow = {
        ...row,
        deleted_at: null,
        updated_at: now,
        expires_at: row.expires_at !== null && row.expires_at <= now ? null : row.expires_at,
      };
      await queries.updateItem(tx, id, back);
      await indexItem(tx, back);
      tell('memory.added', { id, scope, kind: row.kind });
      return toItem(back);
    });
  }

  async function purge(scope: string, id: string): Promise<void> {
    assertScope(scope);
    await store.write(async (tx) => erase(tx, (await queries.findAny(tx, scope, id)) ?? missing(scope, id), 'purged'));
  }

  /** The question's vector, or why there is none. */
  async function embedQuestion(text: string, signal: AbortSignal | undefined): Promise<{ model: string; values: Float32Array } | string> {
    const limit = AbortSignal.timeout(QUESTION_MS);
    try {
      const { vectors, model } = await embed([text], { signal: signal ? AbortSignal.any([signal, limit]) : limit });
      return vectors[0] ? { model, values: vectors[0] } : `${model} gave no vector`;
    } catch (error) {
      signal?.throwIfAborted();
      return toError(error).message;
    }
  }

  async function search({ scopes, text, kinds, limit, minSimilarity, signal }: MemoryQuery): Promise<MemoryHits> {
    scopes.forEach(assertScope);
    const now = clock.now();
    const vector = await embedQuestion(text, signal);
    const hits = await index.search({
      filter: { scopes, kinds, now },
      text,
      vector: typeof vector === 'string' ? undefined : { ...vector, ...(minSimilarity !== undefined && { minSimilarity }) },
      limit,
    });
    const rows = new Map(
      (
        await queries.findItems(
          store.db,
          hits.map(({ item }) => item),
          now,
        )
      ).map((row) => [row.id, row]),
    );
    const shown = hits.flatMap((hit) => (rows.has(hit.item) ? [toHit(rows.get(hit.item)!, hit)] : []));
    return { items: shown, textOnly: typeof vector === 'string' ? vector : null };
  }

  async function sweep(signal?: AbortSignal): Promise<number> {
    let swept = 0;
    for (;;) {
      signal?.throwIfAborted();
      const now = clock.now();
      const spent = await queries.findSpent(store.db, now, now - TRASH_MS, SWEPT_AT_ONCE);
      await store.write(async (tx) => {
        for (const row of spent) await erase(tx, row, row.deleted_at === null ? 'expired' : 'purged');
      });
      swept += spent.length;
      if (spent.length < SWEPT_AT_ONCE) return swept;
    }
  }

  return {
    add: async (scope, item, tx) => (await addMany(scope, [item], tx))[0]!,
    addMany,
    known,
    async get(scope, id, { trash = false } = {}) {
      assertScope(scope);
      const thrown = trash ? await queries.findAny(store.db, scope, id) : undefined;
      return toItem(thrown?.deleted_at ? thrown : await require(store.db, scope, id));
    },
    async list({ limit, cursor, ...filter }) {
      assertScope(filter.scope);
      const rows = await queries.listItems(store.db, filter, clock.now(), limit + 1, cursor);
      return { items: rows.slice(0, limit).map(toItem), next: rows.length > limit ? rows[limit - 1]!.id : null };
    },
    update,
    forget,
    restore,
    purge,
    search,
    async stats() {
      const [kinds, trashed, vectors] = await Promise.all([
        queries.countKinds(store.db, clock.now()),
        queries.countTrash(store.db),
        index.counts(),
      ]);
      return { kinds, trashed, vectors: [...vectors] };
    },
    reembed: () => store.write((tx) => embedding.request(tx, 'all')),
    sweep,
    services: [embedding.service, createSweeper(clock, async (signal) => void (await sweep(signal)))],
  };
}

/** Types ask for a scope; this is for callers that types do not reach. */
function assertScope(scope: unknown): void {
  if (typeof scope !== 'string' || scope === '')
    throw new AppError('forbidden', 'memory.no_scope', 'Memory: name the scope: a workspace, or owner');
}

function missing(scope: string, id: string): never {
  throw new AppError('not_found', 'memory.not_found', 'No such memory in this scope', { scope, id });
}

function timeOf(iso: string | null | undefined): number | null {
  return iso ? Date.parse(iso) : null;
}

function toHit(row: MemoryRow, { score, text, vector, start, end }: SearchHit): MemoryHits['items'][number] {
  return { ...toItem(row), score, textPlace: text, vectorPlace: vector, passage: row.text.slice(start, end) };
}
