import { z } from 'zod';
import { Done, endpoint, listOf, Page } from '#core/endpoint';
import { Label } from '#runs/contract';

declare module '#core/bus' {
  interface Events {
    'memory.added': { readonly id: string; readonly scope: string; readonly kind: string };
    /** It is found no more: thrown away (and may come back), expired, or gone for good. */
    'memory.removed': {
      readonly id: string;
      readonly scope: string;
      readonly kind: string;
      readonly reason: 'forgotten' | 'expired' | 'purged';
    };
  }
}

/** Memories of the owner that belong to no workspace. */
export const OWNER_SCOPE = 'owner';

/** Whose memory it is: a workspace's id, or `owner`. Nothing is read or written without one. */
export const Scope = z.string().min(1).max(100);

/** What sort of knowledge: `news_item`, `summary`, `fact`, `preference`, `conversation`, `web_page`, …; free, in snake case. */
export const MemoryKind = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'lower case letters, digits and _, beginning with a letter');

/** Where a memory came from. */
export const Provenance = z.strictObject({
  runId: z.string().optional(),
  step: z.string().optional(),
  /** A feed, a skill, a person: whatever told it. */
  source: z.string().optional(),
  conversationId: z.string().optional(),
  /** The text is, or holds, what was recalled from memory: it is never learnt again. */
  recalled: z.boolean().optional(),
});
export type Provenance = z.infer<typeof Provenance>;

export const NewMemory = z.strictObject({
  kind: MemoryKind,
  text: z.string(),
  title: z.string().max(1_000).nullable().optional(),
  url: z.string().max(8_000).nullable().optional(),
  /** One memory per identity and scope. The address when left out, else the text. */
  identity: z.string().min(1).max(8_000).optional(),
  metadata: z.record(z.string(), z.json()).optional(),
  labels: z.array(Label).optional(),
  provenance: Provenance.optional(),
  /** A pinned memory does not expire. */
  pinned: z.boolean().optional(),
  /** ISO 8601. Never when left out. */
  expiresAt: z.iso.datetime({ offset: true }).nullable().optional(),
});
export type NewMemory = z.input<typeof NewMemory>;

/** What the owner may change; the identity stays, so an edited memory is not learnt anew. */
export const MemoryChange = NewMemory.omit({ identity: true, provenance: true }).partial();
export type MemoryChange = z.input<typeof MemoryChange>;

export const MemoryItem = z.object({
  id: z.string(),
  scope: z.string(),
  kind: z.string(),
  title: z.string().nullable(),
  text: z.string(),
  url: z.string().nullable(),
  identity: z.string(),
  metadata: z.record(z.string(), z.json()),
  labels: z.array(Label),
  provenance: Provenance,
  /** The model of its vector; null while it is found by its words only. */
  embeddingModel: z.string().nullable(),
  pinned: z.boolean(),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  updatedAt: z.string(),
  expiresAt: z.string().nullable(),
  /** Since when it is in the trash. */
  deletedAt: z.string().nullable(),
});
export type MemoryItem = z.infer<typeof MemoryItem>;

const Place = z.object({
  /** 1 is best. */
  rank: z.number(),
  score: z.number(),
});

export const MemoryHit = MemoryItem.extend({
  /** Reciprocal rank fusion of both places; says an order, not a degree. */
  score: z.number(),
  /** Among the hits by words. */
  textPlace: Place.nullable(),
  /** Among the hits by meaning; its score is the cosine similarity. */
  vectorPlace: Place.nullable(),
  /** The part of a long text that was found. */
  passage: z.string(),
});
export type MemoryHit = z.infer<typeof MemoryHit>;

export const MemoryHits = z.object({
  items: z.array(MemoryHit),
  /** Why only words were compared; null when meaning was too. */
  textOnly: z.string().nullable(),
});
export type MemoryHits = z.infer<typeof MemoryHits>;

export const MemoryStats = z.object({
  kinds: z.array(z.object({ scope: z.string(), kind: z.string(), count: z.number() })),
  trashed: z.number(),
  /** Parts of texts by the model of their vectors; `null` waits for one. */
  vectors: z.array(z.object({ model: z.string().nullable(), parts: z.number() })),
});
export type MemoryStats = z.infer<typeof MemoryStats>;

const ById = z.strictObject({ id: z.string(), scope: Scope.default(OWNER_SCOPE) });
const Flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');

export const listMemories = endpoint({
  method: 'GET',
  path: '/api/memories',
  grant: 'memory:read',
  summary: 'Memories of one scope, newest first; with `trash` those thrown away.',
  input: Page.extend({ scope: Scope.default(OWNER_SCOPE), kind: z.string().optional(), pinned: Flag, trash: Flag }),
  output: listOf(MemoryItem),
});
export const searchMemories = endpoint({
  method: 'GET',
  path: '/api/memories/search',
  grant: 'memory:read',
  summary: 'Searches memories by words and by meaning; each hit says where it stood in either.',
  input: z.strictObject({
    q: z.string().min(1).max(10_000),
    scope: Scope.default(OWNER_SCOPE),
    /** Several, separated by commas. */
    kind: z.string().optional(),
    limit: z.coerce.number().int().min(1).max(100).default(10),
  }),
  output: MemoryHits,
});
export const memoryStatistics = endpoint({
  method: 'GET',
  path: '/api/memories/stats',
  grant: 'memory:read',
  summary: 'How many memories there are of each kind, and how many wait for a vector.',
  input: z.strictObject({}),
  output: MemoryStats,
});
export const addMemory = endpoint({
  method: 'POST',
  path: '/api/memories',
  grant: 'memory:write',
  summary: 'Adds a memory, unless one of the same address, identity or text is known.',
  input: NewMemory.extend({ scope: Scope.default(OWNER_SCOPE) }),
  output: MemoryItem.extend({ existed: z.boolean() }),
});
export const getMemory = endpoint({
  method: 'GET',
  path: '/api/memories/{id}',
  grant: 'memory:read',
  summary: 'One memory.',
  input: ById,
  output: MemoryItem,
});
export const changeMemory = endpoint({
  method: 'PUT',
  path: '/api/memories/{id}',
  grant: 'memory:write',
  summary: 'Changes a memory; what is left out stays.',
  input: MemoryChange.extend(ById.shape),
  output: MemoryItem,
});
export const forgetMemory = endpoint({
  method: 'DELETE',
  path: '/api/memories/{id}',
  grant: 'memory:write',
  summary: 'Throws a memory away: into the trash for thirty days, or with `purge` for good.',
  input: ById.extend({ purge: Flag }),
  output: Done,
});
export const restoreMemory = endpoint({
  method: 'POST',
  path: '/api/memories/{id}/restore',
  grant: 'memory:write',
  summary: 'Takes a memory out of the trash.',
  input: ById,
  output: MemoryItem,
});
