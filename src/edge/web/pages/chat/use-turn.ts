import { useEffect, useState } from 'react';
import { followTurn, listConversations, listMessages, type AnswerPart, type Message } from '#agents/contract';
import { useApi } from '../../api/api.ts';
import { keyOf } from '../../api/query.ts';
import { addPart } from './parts.ts';

const RETRY_MS = 1_000;

/** The answer of a turn while it grows; empty when there is no such turn. Cut off, it goes on where it was. */
export function useTurn(conversationId: string, runId: string | null): readonly AnswerPart[] {
  const { client, queries } = useApi();
  const [live, setLive] = useState<{ runId: string; parts: readonly AnswerPart[] } | null>(null);

  useEffect(() => {
    if (runId === null) return;
    const life = new AbortController();
    void follow(runId, life.signal);
    return () => life.abort();

    async function follow(run: string, signal: AbortSignal): Promise<void> {
      let parts: readonly AnswerPart[] = [];
      let lastEventId: string | undefined;
      while (!signal.aborted) {
        try {
          for await (const { id, data } of client.stream(
            followTurn,
            { id: conversationId, runId: run },
            { signal, ...(lastEventId !== undefined && { lastEventId }) },
          )) {
            if (signal.aborted) return;
            if (id !== undefined) lastEventId = id;
            if (data.type === 'end') return void (await settle(data.message));
            if (data.type !== 'start') setLive({ runId: run, parts: (parts = addPart(parts, data)) });
          }
        } catch {
          // Whatever cut it off, what was said goes on: come again.
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }

    /** The end brings the whole truth: it is shown at once, and read again. */
    async function settle(message: Message): Promise<void> {
      queries.setQueriesData<Pages>({ queryKey: keyOf(listMessages) }, (before) => before && withMessage(before, message));
      await Promise.all([listMessages, listConversations].map((it) => queries.invalidateQueries({ queryKey: keyOf(it) })));
    }
  }, [client, queries, conversationId, runId]);

  return live !== null && live.runId === runId ? live.parts : [];
}

interface Pages {
  readonly pages: readonly { readonly items: readonly Message[] }[];
}

function withMessage(before: Pages, message: Message): Pages {
  const replaced = (it: Message): Message => (it.id === message.id ? message : it);
  return { ...before, pages: before.pages.map((page) => ({ ...page, items: page.items.map(replaced) })) };
}
