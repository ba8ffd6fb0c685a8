import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import { insertUse, useOnce } from './queries-grants.ts';
import type { CompiledRule } from './rules.ts';

/** How often counted grants were used: in memory to decide by, in the table to outlive a restart. */
export interface Uses {
  /** Within the period that the grant counts by; ever, for one that is good for one use. */
  of(grant: Pick<CompiledRule, 'id' | 'conditions'>, at: number): number;
  /** Takes a use of each: at once in memory, so that two who ask together do not both get the last; resolves when it is durable. */
  take(grants: readonly Pick<CompiledRule, 'id' | 'conditions' | 'once'>[], at: number): Promise<void>;
  /** Begins anew with what the table says. */
  load(rows: readonly { readonly grant_id: string; readonly at: number }[]): void;
}

export function createUses({ store, newId }: { readonly store: Store; readonly newId: NewId }): Uses {
  let uses = new Map<string, number[]>();

  return {
    of({ id, conditions }, at) {
      const all = uses.get(id);
      if (!all) return 0;
      const { rate } = conditions;
      if (!rate) return all.length;
      const since = at - rate.perMs;
      while (all.length > 0 && all[0]! <= since) all.shift();
      return all.length;
    },

    async take(grants, at) {
      for (const { id } of grants) {
        const all = uses.get(id);
        if (all) all.push(at);
        else uses.set(id, [at]);
      }
      await store.write(async (tx) => {
        for (const { id, once } of grants) {
          if (once) assertFirst(await useOnce(tx, id, at), id);
          else await insertUse(tx, newId(), id, at);
        }
      });
    },

    load(rows) {
      uses = new Map();
      for (const { grant_id: id, at } of rows) uses.set(id, [...(uses.get(id) ?? []), at]);
    },
  };
}

/** Where several processes share the database, another may have been first. */
function assertFirst(isFirst: boolean, id: string): void {
  if (!isFirst) throw new AppError('conflict', 'policy.used_up', 'This grant was good for one use, and it was used', { id });
}
