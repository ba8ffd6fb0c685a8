import type { Compilable, CompiledQuery } from 'kysely';
import type { Db } from './store.ts';

/** Stands for a value in a query that is still being built. */
class Slot {
  readonly from: 0 | 1;
  readonly key: string;
  constructor(from: 0 | 1, key: string) {
    this.from = from;
    this.key = key;
  }
}

/** An engine in this process, whose statements are done when the call returns: the way through Kysely's drivers would cost more. */
export interface Direct {
  rows(sql: string, parameters: readonly unknown[]): unknown[] | Promise<unknown[]>;
}

const isDirect = (engine: object): engine is Direct => 'rows' in engine;

/**
 * A query whose SQL is built once for each engine and kept: for the few that run at every step, where building costs more than
 * the database does. `build` sees a slot where each value will be. Contract: the query is the same whatever the values.
 */
export function prepared<V extends object, R>(
  keys: readonly (keyof V & string)[],
  build: (db: Db, value: V) => Compilable<R>,
): (db: Db, values: V) => Promise<readonly R[]> {
  const kept = new WeakMap<object, CompiledQuery<R>>();
  return (db, values) => execute(db, kept, () => build(db, slots(0, keys)), [values, values]);
}

/** The same for an update whose columns differ from call to call: kept for each set of columns. */
export function preparedUpdate<W extends object, S extends object, R>(
  keys: readonly (keyof W & string)[],
  build: (db: Db, of: W, set: S) => Compilable<R>,
): (db: Db, of: W, set: S) => Promise<readonly R[]> {
  const byColumns = new Map<string, WeakMap<object, CompiledQuery<R>>>();
  return (db, of, set) => {
    const columns = Object.keys(set) as (keyof S & string)[];
    const name = columns.join();
    let kept = byColumns.get(name);
    if (!kept) byColumns.set(name, (kept = new WeakMap()));
    return execute(db, kept, () => build(db, slots(0, keys), slots(1, columns)), [of, set]);
  };
}

function slots<V extends object>(from: 0 | 1, keys: readonly string[]): V {
  return Object.fromEntries(keys.map((key) => [key, new Slot(from, key)])) as V;
}

async function execute<R>(
  db: Db,
  kept: WeakMap<object, CompiledQuery<R>>,
  build: () => Compilable<R>,
  values: readonly [object, object],
): Promise<readonly R[]> {
  const engine = db.getExecutor().adapter;
  let query = kept.get(engine);
  if (!query) kept.set(engine, (query = build().compile()));
  const parameters = query.parameters.map((it) => (it instanceof Slot ? (values[it.from] as Record<string, unknown>)[it.key] : it));
  if (isDirect(engine)) return engine.rows(query.sql, parameters) as R[];
  return (await db.executeQuery<R>({ ...query, parameters })).rows;
}
