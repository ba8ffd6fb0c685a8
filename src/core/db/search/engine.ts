import { sql, type RawBuilder } from 'kysely';
import type { Db } from '../store.ts';
import type { RowTraits, TraitFilter } from './codes.ts';
import type { QueryWord } from './words.ts';

/** What of an entry a hit needs. */
export interface Entry {
  readonly id: number;
  readonly item: string;
  readonly text_start: number;
  readonly text_end: number;
}

/** Where the two databases differ. `tx` is that of the caller's `store.write`. */
export interface Engine {
  /** A list to stand after `in`, whatever its length one text of SQL. */
  texts(values: readonly string[]): RawBuilder<unknown>;
  numbers(values: readonly number[]): RawBuilder<unknown>;
  addWords(tx: Db, id: number, title: readonly string[], body: readonly string[]): Promise<void>;
  /** Forgets words and codes of entries whose rows are gone. */
  removeParts(tx: Db, ids: readonly number[]): Promise<void>;
  /** How many entries have the word, counted up to `most`. */
  frequency(word: string, most: number): Promise<number>;
  /** The best entry of each item that passes the filter, best first; of more than `MOST_RANKED` entries the newest are ranked. */
  match(
    words: readonly QueryWord[],
    mode: 'all' | 'any',
    filter: TraitFilter,
    limit: number,
  ): Promise<readonly (Entry & { readonly score: number })[]>;
  /** False when the entry is gone. */
  setCode(tx: Db, id: number, model: string, unit: Float32Array): Promise<boolean>;
  amendCode(tx: Db, id: number, traits: RowTraits): Promise<void>;
  /** The entries of the model that pass the filter and whose sign codes have the greatest product with the planes, greatest first. */
  nearest(model: string, planes: readonly Uint8Array[], dimensions: number, filter: TraitFilter, count: number): Promise<readonly number[]>;
}

/** Ranking costs time for each entry that matches. A question with more answers than this is about words that say little. */
export const MOST_RANKED = 3_000;

export const entryTable = (name: string) => sql.table(`${name}_entry`);
export const vectorTable = (name: string) => sql.table(`${name}_vector`);

/** The filter as a condition on the entry table `e`. */
export function passes(engine: Pick<Engine, 'texts'>, { scopes, kinds, now }: TraitFilter): RawBuilder<unknown> {
  const ofKind = kinds ? sql`and e.kind in ${engine.texts(kinds)}` : sql``;
  return sql`e.scope in ${engine.texts(scopes)} ${ofKind} and (e.expires_at is null or e.expires_at > ${now})`;
}
