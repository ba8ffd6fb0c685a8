import { sql } from 'kysely';
import type { Store } from '../store.ts';
import { createCodeTable, type CodeTable, type RowTraits, type TraitFilter } from './codes.ts';
import { entryTable } from './engine.ts';

/** Rows read at once when the codes are first needed: a few milliseconds each, so that nobody waits for them all. */
const BATCH = 2_000;

/**
 * The codes of an index in memory. Right only where one process writes the database, as with SQLite.
 * Contract: `set`, `amend` and `delete` are called inside `store.write` and count once it is durable.
 */
export interface CodeCache {
  set(id: number, model: string, code: Uint8Array, traits: RowTraits): void;
  amend(id: number, traits: RowTraits): void;
  delete(ids: readonly number[]): void;
  /** Reads the codes from the database the first time. */
  nearest(model: string, planes: readonly Uint8Array[], filter: TraitFilter, count: number): Promise<readonly number[]>;
}

interface CodeRow extends RowTraits {
  readonly id: number;
  readonly model: string;
  readonly code: Uint8Array;
}

export function createCodeCache(store: Store, name: string): CodeCache {
  const tables = new Map<string, CodeTable>();
  const tableOf = new Map<number, CodeTable>();
  let loading: Promise<void> | null = null;
  let isLoaded = false;
  /** Changes made durable while the table is being read; each says the last word on its row, so order is all that counts. */
  let missed: (() => void)[] = [];

  /** Codes of different lengths do not compare, even by one model. */
  const keyOf = (model: string, width: number): string => `${width} ${model}`;

  function whenDurable(change: () => void): void {
    store.onCommit(() => {
      if (isLoaded) change();
      else if (loading) missed.push(change);
    });
  }

  function keep(id: number, model: string, code: Uint8Array, traits: RowTraits): void {
    const key = keyOf(model, code.length);
    const table = tables.get(key) ?? createCodeTable(code.length);
    tables.set(key, table);
    const before = tableOf.get(id);
    if (before && before !== table) before.delete(id);
    tableOf.set(id, table);
    table.set(id, code, traits);
  }

  function drop(id: number): void {
    tableOf.get(id)?.delete(id);
    tableOf.delete(id);
  }

  async function load(): Promise<void> {
    let last = 0;
    for (;;) {
      const { rows } = await sql<CodeRow>`
        select id, model, code, scope, kind, expires_at as "expiresAt" from ${entryTable(name)}
        where id > ${last} and code is not null order by id limit ${BATCH}`.execute(store.db);
      for (const { id, model, code, scope, kind, expiresAt } of rows) keep(id, model, code, { scope, kind, expiresAt });
      if (rows.length < BATCH) break;
      last = rows.at(-1)!.id;
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const change of missed) change();
    missed = [];
    isLoaded = true;
  }

  function reset(): void {
    loading = null;
    missed = [];
    tables.clear();
    tableOf.clear();
  }

  return {
    set: (id, model, code, traits) => whenDurable(() => keep(id, model, code, traits)),
    amend: (id, traits) => whenDurable(() => tableOf.get(id)?.amend(id, traits)),
    delete: (ids) => whenDurable(() => ids.forEach(drop)),
    async nearest(model, planes, filter, count) {
      if (!isLoaded) {
        loading ??= load().catch((error: unknown) => {
          reset();
          throw error;
        });
        await loading;
      }
      return tables.get(keyOf(model, planes[0]?.length ?? 0))?.nearest(planes, filter, count) ?? [];
    },
  };
}
