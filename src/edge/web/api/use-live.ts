import { useEffect, useState } from 'react';
import { useApi } from './api.ts';
import { followLive } from './live.ts';

/** Keeps every answer fresh while mounted; true while the agent is heard. */
export function useLive(): boolean {
  const { client, queries } = useApi();
  const [isHeard, setHeard] = useState(true);
  useEffect(() => {
    const life = new AbortController();
    void followLive({ client, queries, signal: life.signal, onState: setHeard });
    return () => life.abort();
  }, [client, queries]);
  return isHeard;
}
