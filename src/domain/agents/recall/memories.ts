import type { Memory } from '#memory';
import { OWNER_SCOPE, type MemoryHit } from '#memory/contract';
import type { OwnScope } from './scope.ts';
import { isAlike, shared } from './telling.ts';

const MOST = 8;
/** Below it two texts are not about the same, whatever the model. */
const LEAST_SIMILARITY = 0.5;

export interface MemoryQuestion {
  readonly scope: OwnScope;
  readonly text: string;
  readonly words: readonly string[];
  /** Also those that belong to no workspace. */
  readonly ofOwner: boolean;
  /** What was learnt from this conversation is in it. */
  readonly conversationId: string;
  readonly signal: AbortSignal;
}

/** A memory that came to mind: the words that it holds, or how near it is in meaning. */
export interface Remembered {
  readonly hit: MemoryHit;
  readonly held: readonly string[];
  readonly similarity: number | null;
}

/** Memories that are about what is asked, by words and by meaning. There is no way to ask for a chat that others hear. */
export async function findMemories(
  memory: Pick<Memory, 'search'>,
  { scope, text, words, ofOwner, conversationId, signal }: MemoryQuestion,
): Promise<readonly Remembered[]> {
  const { items } = await memory.search({
    scopes: [scope.workspaceId, ...(ofOwner ? [OWNER_SCOPE] : [])],
    text,
    limit: MOST,
    minSimilarity: LEAST_SIMILARITY,
    signal,
  });
  return items.flatMap((hit) => {
    const held = shared(words, `${hit.title ?? ''} ${hit.passage}`);
    const similarity = hit.vectorPlace?.score ?? null;
    const isAbout = (similarity ?? 0) >= LEAST_SIMILARITY || (words.length > 0 && isAlike(held.length, words.length));
    return isAbout && hit.provenance.conversationId !== conversationId ? [{ hit, held, similarity }] : [];
  });
}
