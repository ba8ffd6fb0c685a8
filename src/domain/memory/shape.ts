import type { Json } from '#core/json';
import type { MemoryItem, Provenance } from './contract.ts';
import type { MemoryRow } from './tables.ts';

const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** A row as the world sees it. */
export function toItem(row: MemoryRow): MemoryItem {
  return {
    id: row.id,
    scope: row.scope,
    kind: row.kind,
    title: row.title,
    text: row.text,
    url: row.url,
    identity: row.identity,
    metadata: JSON.parse(row.metadata) as Record<string, Json> as MemoryItem['metadata'],
    labels: JSON.parse(row.labels) as MemoryItem['labels'],
    provenance: JSON.parse(row.provenance) as Provenance,
    embeddingModel: row.embedding_model,
    pinned: row.pinned === 1,
    createdAt: new Date(row.created_at).toISOString(),
    updatedAt: new Date(row.updated_at).toISOString(),
    expiresAt: time(row.expires_at),
    deletedAt: time(row.deleted_at),
  };
}
