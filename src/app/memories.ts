import { z } from 'zod';
import type { Clock } from '#core/clock';
import { check } from '#core/json';
import type { Memory } from '#memory';
import { NewMemory } from '#memory/contract';
import type { SkillRunnerDeps } from '#skills';
import type { DeferredHandlers } from '#workflows';

/** Where workflows keep what they learn, until workspaces have a scope of their own. */
const SCOPE = 'owner';
const DAY_MS = 86_400_000;

/** Memory as a skill sees it: one scope, with the run and the step as provenance. */
export function skillMemory(memory: Memory, clock: Clock): SkillRunnerDeps['memory'] {
  return ({ runId, step, labels }) => ({
    known: (identities) => memory.known(SCOPE, identities),
    add: ({ expiresInDays, metadata, ...item }) =>
      memory.add(SCOPE, {
        ...item,
        ...(metadata && { metadata: { ...metadata } as never }),
        labels: [...labels()],
        provenance: { runId, step },
        ...(expiresInDays !== undefined && { expiresAt: new Date(clock.now() + expiresInDays * DAY_MS).toISOString() }),
      }),
    async search(query, { limit = 10, kinds } = {}) {
      const { items } = await memory.search({ scopes: [SCOPE], text: query, limit, kinds });
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
export function rememberAtEnd(memory: Memory): DeferredHandlers[string] {
  return async (tx, data, { runId, step, labels }) => {
    const { items } = check(data, Remembered, 'what to remember');
    await memory.addMany(
      SCOPE,
      items.map((item) => ({ ...item, labels: [...new Set([...labels, ...(item.labels ?? [])])], provenance: { runId, step } })),
      tx,
    );
  };
}
