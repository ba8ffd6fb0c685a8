import type { UseQueryResult } from '@tanstack/react-query';
import { useCallback } from 'react';
import { getSession, type SessionState } from '#owner/contract';
import { useApi } from './api.ts';
import { keyOf } from './query.ts';
import { useEndpoint } from './use-endpoint.ts';

/** Whether this browser is logged in. The CSRF token of the answer is in force from then on. */
export function useSession(): UseQueryResult<SessionState> {
  const { setCsrfToken } = useApi();
  const session = useEndpoint(getSession, {});
  if (session.data) setCsrfToken(session.data.csrfToken);
  return session;
}

/** Takes the state that a login answered with, without asking again. */
export function useEnter(): (state: SessionState) => void {
  const { queries, setCsrfToken } = useApi();
  return useCallback(
    (state) => {
      setCsrfToken(state.csrfToken);
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== getSession.path }); // of the session before
      queries.setQueryData(keyOf(getSession, {}), state);
    },
    [queries, setCsrfToken],
  );
}
