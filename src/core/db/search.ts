import { sql } from 'kysely';
import { AppError } from '../errors.ts';
import type { Migration } from './migration.ts';
import { queryPlanes } from './search/codes.ts';
import type { Engine, Entry } from './search/engine.ts';
import { entryTable, MOST_RANKED, vectorTable } from './search/engine.ts';
import { createFts5Engine, fts5Ddl } from './search/fts5.ts';
import { fuse, type Ranked } from './search/fuse.ts';
import { createTsvectorEngine, tsvectorDdl } from './search/tsvector.ts';
import { cosine, readVector, unitVector, writeVector } from './search/vector.ts';
import { queryWords, wordsOf, type QueryWord } from './search/words.ts';
import type { Db, Store } from './store.ts';

/** How many of the nearest codes are compared again by their full vectors. */
const RESCORED = 200;

/** One searchable part of an item: all of a short text, or a stretch of a long one. */
export interface SearchPart {
  readonly title: string;
  readonly text: string;
  /** Where the part stands in the item's own text, in UTF-16 units; comes back with a hit. */
  readonly start: number;
  readonly end: number;
}

/** What a search may be narrowed by. */
export interface SearchTraits {
  readonly scope: string;
  readonly kind: string;
  /** Milliseconds since the epoch, or null for never. */
  readonly expiresAt: number | null;
}

export interface SearchFilter {
  /** At least one: nothing is found outside a scope that was named. */
  readonly scopes: readonly [string, ...string[]];
  /** All kinds when left out. */
  readonly kinds?: readonly string[] | undefined;
  /** What expired before it is not found. */
  readonly now: number;
}

export interface SearchQuery {
  readonly filter: SearchFilter;
  /** The owner's words as they are: there is no syntax to break. */
  readonly text: string;
  /** The question's vector by the same model as the entries'; entries of other models are found by their words only. */
  readonly vector?:
    | { readonly model: string; readonly values: Float32Array; /** Least cosine similarity. */ readonly minSimilarity?: number }
    | undefined;
  readonly limit: number;
}

/** The place of an item in one of the two lists. */
export interface SearchPlace {
  /** 1 is best. */
  readonly rank: number;
  /** BM25 or ts_rank in the text list, cosine similarity in the vector list; more is better. */
  readonly score: number;
}

export interface SearchHit {
  readonly item: string;
  /** Reciprocal rank fusion of the two ranks. */
  readonly score: number;
  readonly text: SearchPlace | null;
  readonly vector: SearchPlace | null;
  /** The best part of the item. */
  readonly start: number;
  readonly end: number;
}

/** A part that has no vector of the model yet. */
export interface Unembedded {
  readonly id: number;
  readonly item: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Full text and vectors over the same parts, filtered inside both searches, joined by rank. Words are found at once,
 * vectors as they arrive. The index keeps no text: its items live in their module's own table.
 */
export interface SearchIndex {
  /** Indexes an item anew: what was known of it is forgotten, its vectors too. */
  put(tx: Db, item: string, traits: SearchTraits, parts: readonly SearchPart[]): Promise<void>;
  /** Changes what the item is filtered by and keeps its vectors. */
  amend(tx: Db, item: string, traits: SearchTraits): Promise<void>;
  remove(tx: Db, items: readonly string[]): Promise<void>;
  /** Gives parts their vectors; a part that was removed or replaced in the meantime is passed over. */
  setVectors(tx: Db, model: string, vectors: readonly { readonly id: number; readonly values: Float32Array }[]): Promise<void>;
  /** Parts without any vector, oldest first; with a `model`, those that have one of another model, in any order. */
  unembedded(limit: number, model?: string): Promise<readonly Unembedded[]>;
  /** Parts by model; null has no vector. */
  counts(): Promise<readonly { readonly model: string | null; readonly parts: number }[]>;
  search(query: SearchQuery): Promise<readonly SearchHit[]>;
}

/** The tables of one index; `name` begins with the prefix of the module that owns it. */
export function searchMigrations(name: string): readonly Migration[] {
  return [
    {
      name: `${name}-001-search`,
      async run(db, dialect) {
        for (const statement of dialect.fts5 ? fts5Ddl(name) : tsvectorDdl(name)) await sql.raw(statement).execute(db);
      },
    },
  ];
}

export function createSearchIndex(store: Store, name: string): SearchIndex {
  const engine: Engine = store.dialect.fts5 ? createFts5Engine(store, name) : createTsvectorEngine(store, name);
  const entries = entryTable(name);
  const vectors = vectorTable(name);

  async function put(tx: Db, item: string, traits: SearchTraits, parts: readonly SearchPart[]): Promise<void> {
    await remove(tx, [item]);
    for (const { title, text, start, end } of parts) {
      const { rows } = await sql<{ id: number }>`
        insert into ${entries} (item, scope, kind, expires_at, text_start, text_end)
        values (${item}, ${traits.scope}, ${traits.kind}, ${traits.expiresAt}, ${start}, ${end}) returning id`.execute(tx);
      await engine.addWords(tx, Number(rows[0]!.id), wordsOf(title), wordsOf(text));
    }
  }

  async function amend(tx: Db, item: string, { scope, kind, expiresAt }: SearchTraits): Promise<void> {
    await sql`update ${entries} set scope = ${scope}, kind = ${kind}, expires_at = ${expiresAt} where item = ${item}`.execute(tx);
    const { rows } = await sql<{ id: number }>`select id from ${entries} where item = ${item} and model is not null`.execute(tx);
    for (const { id } of rows) await engine.amendCode(tx, id, { scope, kind, expiresAt });
  }

  async function remove(tx: Db, items: readonly string[]): Promise<void> {
    const { rows } = await sql<{ id: number }>`delete from ${entries} where item in ${engine.texts(items)} returning id`.execute(tx);
    if (rows.length === 0) return;
    const ids = rows.map(({ id }) => Number(id));
    await sql`delete from ${vectors} where id in ${engine.numbers(ids)}`.execute(tx);
    await engine.removeParts(tx, ids);
  }

  async function setVectors(
    tx: Db,
    model: string,
    given: readonly { readonly id: number; readonly values: Float32Array }[],
  ): Promise<void> {
    for (const { id, values } of given) {
      const unit = unitVector(values);
      if (!(await engine.setCode(tx, id, model, unit))) continue;
      await sql`insert into ${vectors} (id, vector) values (${id}, ${writeVector(unit)})
        on conflict (id) do update set vector = excluded.vector`.execute(tx);
    }
  }

  async function unembedded(limit: number, model?: string): Promise<readonly Unembedded[]> {
    const select = sql`select id, item, text_start, text_end from ${entries}`;
    // Below and above instead of unequal: two short looks into the index.
    const missing =
      model === undefined
        ? sql`${select} where model is null order by id`
        : sql`${select} where model < ${model} union all ${select} where model > ${model}`;
    const { rows } = await sql<Entry>`${missing} limit ${limit}`.execute(store.db);
    return rows.map(({ id, item, text_start, text_end }) => ({ id: Number(id), item, start: text_start, end: text_end }));
  }

  async function counts() {
    const { rows } = await sql<{
      model: string | null;
      parts: number;
    }>`select model, count(*) as parts from ${entries} group by model`.execute(store.db);
    return rows.map(({ model, parts }) => ({ model, parts: Number(parts) }));
  }

  /** Every word first; where that finds too little, any of them. */
  async function byText({ filter, text, limit }: SearchQuery, depth: number): Promise<readonly Ranked<Found>[]> {
    const words = queryWords(text);
    if (words.length === 0) return [];
    const all = await engine.match(words, 'all', filter, depth);
    const any = all.length < limit && words.length > 1 ? await engine.match(await telling(words), 'any', filter, depth) : [];
    return [...all, ...any].map((row) => found(row, row.score));
  }

  /** The rarest of the words, as many as can be ranked together. */
  async function telling(words: readonly QueryWord[]): Promise<readonly QueryWord[]> {
    const counted: { word: QueryWord; count: number }[] = [];
    for (const word of words) counted.push({ word, count: await engine.frequency(word.word, MOST_RANKED) });
    let sum = 0;
    return counted
      .toSorted((a, b) => a.count - b.count)
      .filter(({ count }, at) => (sum += count) <= MOST_RANKED || at === 0)
      .map(({ word }) => word);
  }

  /** The nearest by the signs of their values, put in order by the values themselves; more of them while one long item fills the list. */
  async function byVector({ filter, vector, limit }: SearchQuery, depth: number): Promise<readonly Ranked<Found>[]> {
    if (!vector) return [];
    const unit = unitVector(vector.values);
    const planes = queryPlanes(unit);
    for (let count = Math.max(RESCORED, 4 * depth); ; count *= 4) {
      const ids = await engine.nearest(vector.model, planes, unit.length, filter, count);
      const ranked = await rescore(ids, unit, vector.model);
      const isAll = ids.length < count;
      if (isAll || new Set(ranked.map(({ key }) => key)).size >= limit)
        return ranked.filter(({ value }) => value.score >= (vector.minSimilarity ?? -1));
    }
  }

  async function rescore(ids: readonly number[], unit: Float32Array, model: string): Promise<readonly Ranked<Found>[]> {
    if (ids.length === 0) return [];
    const { rows } = await sql<Entry & { model: string | null; vector: Uint8Array }>`
      select e.id, e.item, e.text_start, e.text_end, e.model, v.vector from ${entries} e join ${vectors} v on v.id = e.id
      where e.id in ${engine.numbers(ids)}`.execute(store.db);
    return rows
      .map((row) => ({ row, values: readVector(row.vector) }))
      .filter(({ row, values }) => row.model === model && values.length === unit.length)
      .map(({ row, values }) => found(row, cosine(unit, values)))
      .toSorted((a, b) => b.value.score - a.value.score || (a.key < b.key ? -1 : 1));
  }

  async function search(query: SearchQuery): Promise<readonly SearchHit[]> {
    if (query.filter.scopes.length === 0) throw new AppError('invalid', 'search.no_scope', 'Name at least one scope to search in');
    const depth = Math.max(50, query.limit);
    const [text, vector] = await Promise.all([byText(query, depth), byVector(query, depth)]);
    return fuse([text, vector])
      .slice(0, query.limit)
      .map(({ key, score, in: [inText, inVector] }) => {
        const place = (at: typeof inText): SearchPlace | null => (at ? { rank: at.rank, score: at.value.score } : null);
        const best = inText && inText.rank <= (inVector?.rank ?? Infinity) ? inText : inVector;
        const { start, end } = best!.value;
        return { item: key, score, text: place(inText), vector: place(inVector), start, end };
      });
  }

  return { put, amend, remove, setVectors, unembedded, counts, search };
}

interface Found {
  readonly score: number;
  readonly start: number;
  readonly end: number;
}

function found(row: Entry, score: number): Ranked<Found> {
  return { key: row.item, value: { score, start: Number(row.text_start), end: Number(row.text_end) } };
}
