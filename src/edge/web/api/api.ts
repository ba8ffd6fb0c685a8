import { QueryCache, QueryClient } from '@tanstack/react-query';
import { createContext, use } from 'react';
import { createClient, type Client, type FactorNeed } from '#core/client';
import { AppError } from '#core/errors';
import { getSession } from '#owner/contract';
import { keyOf } from './query.ts';

/** What every page talks to the agent through. */
export interface Api {
  readonly client: Client;
  readonly queries: QueryClient;
  /** Taken from the session; sent with everything that changes something. */
  setCsrfToken(token: string | null): void;
  /** Says who asks for a second factor where one is needed; returns how to take it back. */
  onFactorAsked(ask: AskFactor): () => void;
}

type AskFactor = (need: FactorNeed) => Promise<string | null>;

export function createApi(fetch: typeof globalThis.fetch): Api {
  let csrfToken: string | null = null;
  let asker: AskFactor | null = null;
  const askFactor: AskFactor = async (need) => asker?.(need) ?? null;
  const headers = (): Record<string, string> => (csrfToken === null ? {} : { 'x-csrf-token': csrfToken });
  const queries = new QueryClient({
    defaultOptions: {
      // What changes is told by the event feed, so nothing is asked for again on a hunch.
      queries: { staleTime: 60_000, refetchOnWindowFocus: false, retry: (count, error) => count < 2 && isPassing(error) },
      mutations: { retry: false },
    },
    queryCache: new QueryCache({
      onError(error, query) {
        const isSession = query.queryKey[0] === getSession.path;
        if (error instanceof AppError && error.kind === 'unauthenticated' && !isSession)
          void queries.invalidateQueries({ queryKey: keyOf(getSession) });
      },
    }),
  });
  return {
    client: createClient({ fetch, base: '', headers, askFactor }),
    queries,
    setCsrfToken: (token) => void (csrfToken = token),
    onFactorAsked(ask) {
      asker = ask;
      return () => void (asker = null);
    },
  };
}

/** Whether asking again may help. */
function isPassing(error: unknown): boolean {
  return error instanceof AppError && error.kind === 'unavailable';
}

export const ApiContext = createContext<Api | null>(null);

export function useApi(): Api {
  const api = use(ApiContext);
  if (!api) throw new Error('useApi is called outside ApiContext');
  return api;
}
