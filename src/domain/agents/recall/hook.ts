import { errorInfo } from '#core/errors';
import type { Json } from '#core/json';
import type { Memory } from '#memory';
import type { Settings } from '#settings';
import type { BeforeHook, Enrichment } from '../hooks.ts';
import { findConversation } from '../queries.ts';
import { recall, recallChars } from '../settings.ts';
import { fitting, memoryBlock, saidBlock } from './blocks.ts';
import { findSaid, type ExchangesDeps } from './exchanges.ts';
import { findMemories, type Remembered } from './memories.ts';
import { scopeOf } from './scope.ts';
import { tellingWords } from './telling.ts';

/** A question may wait for its vector; what was said comes at once. */
const LIMIT_MS = 5_000;
/** Shorter talk is about nothing. */
const SHORTEST = 8;

export interface RecallDeps extends ExchangesDeps {
  readonly settings: Pick<Settings, 'get'>;
  /** Nothing is remembered where it is left out. */
  readonly memory?: Pick<Memory, 'search'> | undefined;
}

/**
 * What comes to mind with a message: earlier exchanges of the workspace and its memories. Only the owner's own words ask; what strangers or programs
 * say calls nothing up.
 */
export function recallHook(deps: RecallDeps): BeforeHook {
  const { store, settings, memory } = deps;

  async function run(
    { conversationId, inViewFrom, text, said }: Parameters<BeforeHook['run']>[0],
    signal: AbortSignal,
  ): Promise<Enrichment | void> {
    const mode = settings.get(recall);
    if (mode === 'off' || conversationId === null || inViewFrom === null || !said.has('owner') || text.trim().length < SHORTEST) return;
    const conversation = await findConversation(store.db, conversationId);
    const words = tellingWords(text);
    if (!conversation || words.length === 0) return;
    const scope = scopeOf(conversation);
    const limit = settings.get(recallChars);
    let trouble: string | null = null;
    const [talk, memories] = await Promise.all([
      findSaid(deps, { scope, words, inView: { conversationId, from: inViewFrom } }),
      memory && scope.audience === 'owner'
        ? findMemories(memory, { scope, text, words, ofOwner: mode === 'owner', conversationId, signal }).catch((error: unknown) => {
            signal.throwIfAborted();
            trouble = errorInfo(error).message;
            return [] as readonly Remembered[];
          })
        : [],
    ]);
    const found = [
      ...memories.map((it) => ({ block: memoryBlock(it), why: { words: [...it.held], similarity: it.similarity } as Json })),
      ...talk.map((it) => ({
        block: saidBlock(it, limit),
        why: { words: [...it.held], messages: it.messages.map(({ id }) => id) } as Json,
      })),
    ];
    if (found.length === 0 && trouble === null) return;
    const context = fitting(found.map(({ block }) => block), limit); // prettier-ignore
    const isIn = new Set(context);
    return {
      context,
      journal: {
        audience: scope.audience,
        recalled: found.filter(({ block }) => isIn.has(block)).map(({ block, why }) => ({ ...block.from!, why })),
        leftOut: found.length - context.length,
        ...(trouble !== null && { memoryFailed: trouble }),
      },
    };
  }

  return { name: 'recall', limitMs: LIMIT_MS, run };
}
