import type { Kysely } from 'kysely';

/** Every table and its columns. A module adds its own, under its own prefix, by declaration merging in its tables.ts. */
export interface Tables {}

/** A connection, or a transaction, that typed queries run on. Query functions take it first. */
export type Db = Kysely<Tables>;

/** What differs between engines, as booleans and numbers: code asks for a property, never for a name. */
export interface Dialect {
  /** Full text search is FTS5; otherwise tsvector. */
  readonly fts5: boolean;
  /** Several processes may share the database. */
  readonly shared: boolean;
}

/** The database of one agent. */
export interface Store {
  /** For reading. Sees what is committed and nothing else. */
  readonly db: Db;
  readonly dialect: Dialect;
  /**
   * Runs `fn` in a transaction and resolves when its work is durable. Calls that arrive together share one commit; each
   * keeps its own fate, so an error undoes only what its own `fn` wrote. Called inside another `write` it joins that one.
   * Contract: `fn` only queries, by `tx` and never by `db`; waiting for anything else would hold up every writer.
   */
  write<R>(fn: (tx: Db) => Promise<R>): Promise<R>;
  /** Inside `write`: runs `fn` once the transaction is durable, never when it is undone. */
  onCommit(fn: () => void): void;
  /**
   * From now on every text that a statement is given passes `clean` first, what is looked for as well as what is stored, so that the two
   * still meet. Nothing reaches a table, an index or the log of the database in another way.
   */
  cleanTexts(clean: (text: string) => string): void;
  /** Throws `store.corrupt` when the file is damaged. */
  checkIntegrity(): Promise<void>;
  /** Bytes on disk, and the engine's version. */
  facts(): Promise<{ readonly sizeBytes: number; readonly engine: string }>;
  close(): Promise<void>;
}
