import { route, type Caller, type Route } from '#core/endpoint';
import type { Label } from '#runs/contract';
import {
  addMemory,
  changeMemory,
  forgetMemory,
  getMemory,
  listMemories,
  memoryStatistics,
  restoreMemory,
  searchMemories,
} from './contract.ts';
import type { Memory } from './memory.ts';

export function memoryRoutes(memory: Memory): readonly Route[] {
  return [
    route(listMemories, (query) => memory.list(query)),
    route(searchMemories, ({ q, scope, kind, limit }, { signal }) =>
      memory.search({ scopes: [scope], text: q, kinds: kind?.split(','), limit, signal }),
    ),
    route(memoryStatistics, () => memory.stats()),
    route(addMemory, async ({ scope, ...item }, { caller }) => {
      const { id, existed } = await memory.add(scope, {
        ...item,
        labels: labelsOf(caller, item.labels),
        provenance: { source: caller.id, ...item.provenance },
      });
      return { ...(await memory.get(scope, id, { trash: true })), existed };
    }),
    route(getMemory, ({ scope, id }) => memory.get(scope, id, { trash: true })),
    route(changeMemory, async ({ scope, id, ...change }, { caller }) => {
      const labels = isOwner(caller) ? change.labels : changedBy((await memory.get(scope, id)).labels, change.labels);
      return memory.update(scope, id, { ...change, ...(labels && { labels }) });
    }),
    route(forgetMemory, async ({ scope, id, purge }) => {
      await (purge ? memory.purge(scope, id) : memory.forget(scope, id));
      return { ok: true as const };
    }),
    route(restoreMemory, ({ scope, id }) => memory.restore(scope, id)),
  ];
}

/** What the owner writes is the owner's; nobody else can make it so. */
function labelsOf(caller: Caller, given: readonly Label[] | undefined): Label[] {
  if (isOwner(caller)) return [...(given ?? ['owner' as const])];
  return (given ?? []).filter((label) => label !== 'owner');
}

/** What a program changed is no longer the owner's word; it may add labels, and take none off. */
function changedBy(known: readonly Label[], given: readonly Label[] | undefined): Label[] {
  return [...new Set([...known, ...(given ?? [])])].filter((label) => label !== 'owner');
}

/** In the browser, or at the machine itself. */
const isOwner = ({ id }: Caller): boolean => id === 'owner' || id === 'cli';
