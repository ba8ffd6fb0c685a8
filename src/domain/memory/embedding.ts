import type { JobQueue } from '#core/db/queue';
import type { SearchIndex, Unembedded } from '#core/db/search';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { Service } from '#core/service';
import type { Clock } from '#core/clock';
import { findItems, setEmbeddingModel } from './queries.ts';

const QUEUE = 'memory.embed';

/** Embeds what has no vector yet, then what has one of another model. */
const NEW_TEXTS = 'memory.embed';
/** The same, after asking which model is in use: for when no new text would tell. */
const ALL_TEXTS = 'memory.embed.all';

/** Texts of one call; a part is at most 2,000 characters. */
const BATCH = 32;

/**
 * Makes vectors of texts by the configured embedding model.
 * Contract: one model at a time. It must throw rather than fall back to another, whose vectors do not compare.
 */
export type Embed = (
  texts: readonly string[],
  options: { readonly signal: AbortSignal },
) => Promise<{ readonly vectors: readonly Float32Array[]; readonly model: string }>;

export interface EmbeddingDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly queue: JobQueue;
  readonly index: SearchIndex;
  readonly embed: Embed;
}

/** Vectors in the background: the queue remembers that there is work, the index knows which. */
export interface Embedding {
  /** With the change that made texts without vectors. */
  request(tx: Db, what: 'new' | 'all'): Promise<void>;
  readonly service: Service;
}

export function createEmbedding({ store, clock, queue, index, embed }: EmbeddingDeps): Embedding {
  async function request(tx: Db, what: 'new' | 'all'): Promise<void> {
    await queue.add(tx, { queue: QUEUE, id: what === 'new' ? NEW_TEXTS : ALL_TEXTS, payload: null });
  }

  async function embedAll(jobId: string, signal: AbortSignal): Promise<void> {
    let model = jobId === ALL_TEXTS ? (await embed(['memory'], { signal })).model : null;
    for (;;) {
      signal.throwIfAborted();
      const fresh = await index.unembedded(BATCH);
      const parts = fresh.length > 0 || model === null ? fresh : await index.unembedded(BATCH, model);
      if (parts.length === 0) return;
      model = await embedBatch(parts, model, signal);
    }
  }

  /** Answers with the model that made the vectors; the expected one where there was nothing left to embed. */
  async function embedBatch(parts: readonly Unembedded[], expected: string | null, signal: AbortSignal): Promise<string | null> {
    const items = await findItems(store.db, [...new Set(parts.map(({ item }) => item))], clock.now());
    const known = new Map(items.map((item) => [item.id, item]));
    const there = parts.filter(({ item }) => known.has(item));
    const gone = parts.filter(({ item }) => !known.has(item)).map(({ item }) => item);
    if (gone.length > 0) await store.write((tx) => index.remove(tx, gone)); // expired, and the sweeper has not come by yet
    if (there.length === 0) return expected;

    const texts = there.map(({ item, start, end }) => {
      const { title, text } = known.get(item)!;
      return [title, text.slice(start, end)].filter(Boolean).join('\n');
    });
    const { vectors, model } = await embed(texts, { signal });
    if (vectors.length !== texts.length)
      throw new AppError(
        'unavailable',
        'memory.bad_vectors',
        `The embedding model ${model} answered ${vectors.length} vectors for ${texts.length} texts`,
        { model },
      );
    if (expected && model !== expected)
      throw new AppError(
        'unavailable',
        'memory.model_changed',
        `The embedding model changed from ${expected} to ${model} while it worked; trying again`,
        { expected, model },
      );
    await store.write(async (tx) => {
      await index.setVectors(
        tx,
        model,
        there.map(({ id }, at) => ({ id, values: vectors[at]! })),
      );
      await setEmbeddingModel(tx, [...known.keys()], model);
    });
    return model;
  }

  return {
    request,
    service: queue.worker(
      QUEUE,
      { concurrency: 1, maxAttempts: 12, backoffMs: (attempt) => Math.min(3_600_000, 2_000 * 3 ** (attempt - 1)) },
      (job, { signal }) => embedAll(job.id, signal),
    ),
  };
}
