import { z } from 'zod';
import type { Clock } from '#core/clock';
import type { Db } from '#core/db/store';
import { check } from '#core/json';
import type { Memory } from '#memory';
import { NewMemory } from '#memory/contract';
import type { SkillRunnerDeps } from '#skills';
import type { DeferredHandlers } from '#workflows';

/** Whose memories those of a workspace are; null are the owner's own. */
export type ScopeOf = (workspace: string | null, tx?: Db) => Promise<string>;

const DAY_MS = 86_400_000;

/** Memory as a skill sees it: one scope, with the run and the step as provenance. */
export function skillMemory(memory: Memory, clock: Clock, scopeOf: ScopeOf): SkillRunnerDeps['memory'] {
  return ({ runId, step, workspace, labels }) => ({
    known: async (identities) => memory.known(await scopeOf(workspace), identities),
    add: async ({ expiresInDays, metadata, ...item }) =>
      memory.add(await scopeOf(workspace), {
        ...item,
        ...(metadata && { metadata: { ...metadata } as never }),
        labels: [...labels()],
        provenance: { runId, step },
        ...(expiresInDays !== undefined && { expiresAt: new Date(clock.now() + expiresInDays * DAY_MS).toISOString() }),
      }),
    async search(query, { limit = 10, kinds } = {}) {
      const { items } = await memory.search({ scopes: [await scopeOf(workspace)], text: query, limit, kinds });
      return items.map(({ id, kind, title, text, url, score, createdAt, labels: found }) => ({
        id,
        kind,
        title,
        text,
        url,
        score,
        at: Date.parse(createdAt),
        labels: found,
      }));
    },
  });
}

const Remembered = z.object({ items: z.array(NewMemory) });

/** The deferred act `memory.remember`: what a run took in is known from the moment the run has succeeded. */
export function rememberAtEnd(memory: Memory, scopeOf: ScopeOf): DeferredHandlers[string] {
  return async (tx, data, { runId, step, workspace, labels }) => {
    const { items } = check(data, Remembered, 'what to remember');
    await memory.addMany(
      await scopeOf(workspace, tx),
      items.map((item) => ({ ...item, labels: [...new Set([...labels, ...(item.labels ?? [])])], provenance: { runId, step } })),
      tx,
    );
  };
}
