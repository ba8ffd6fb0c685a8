import type { QueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import type { Client } from '#core/client';
import { endpoint } from '#core/endpoint';

const followEvents = endpoint({
  method: 'GET',
  path: '/api/events',
  grant: 'events:read',
  summary: 'Events as they happen.',
  input: z.strictObject({ topics: z.string().optional() }),
  output: z.unknown(),
  stream: true,
});

/** Which answers an event makes stale: the beginning of its name, then paths of endpoints. */
const STALE: readonly (readonly [prefix: string, paths: readonly string[]])[] = [
  ['run.', ['/api/runs', '/api/runs/{id}', '/api/explain/{id}']],
  ['step.', ['/api/runs/{id}', '/api/explain/{id}']],
  ['approval.', ['/api/approvals', '/api/runs/{id}', '/api/grants']],
  ['workflow.', ['/api/workflows', '/api/workflows/{id}']],
  ['schedule.', ['/api/schedules']],
  ['llm.settled', ['/api/usage', '/api/budgets']],
  ['llm.provider', ['/api/providers', '/api/models']],
  ['llm.health', ['/api/providers']],
  ['settings.', ['/api/settings', '/api/settings/{key}', '/api/budgets']],
  ['certificate.', ['/api/certificates', '/api/doors']],
  ['skill.', ['/api/skills', '/api/skills/{name}', '/api/installed-skills', '/api/installed-skills/{name}']],
  ['breaker.', ['/api/skills', '/api/skills/{name}']],
  ['vault.', ['/api/secrets']],
  ['connection.', ['/api/connections']],
  ['channel.', ['/api/channels', '/api/channels/{id}', '/api/channels/{id}/senders']],
  ['conversation.', ['/api/conversations', '/api/conversations/{id}']],
  ['turn.', ['/api/conversations', '/api/conversations/{id}', '/api/conversations/{id}/messages']],
];

/** The paths that an event makes stale. */
export function stalePaths(event: string): readonly string[] {
  return STALE.flatMap(([prefix, paths]) => (event.startsWith(prefix) ? paths : []));
}

/** Bursts are gathered this long, so that a run of fifty steps is not read fifty times. */
const GATHER_MS = 150;
const RECONNECT_MS = [500, 1_000, 2_000, 5_000, 10_000] as const;

export interface LiveOptions {
  readonly client: Client;
  readonly queries: QueryClient;
  readonly signal: AbortSignal;
  /** Told whether the agent is being heard. */
  readonly onState: (isHeard: boolean) => void;
}

/** Follows the event feed until the signal ends it, and marks what each event makes stale. Resumes where it was cut off. */
export async function followLive({ client, queries, signal, onState }: LiveOptions): Promise<void> {
  const topics = [...new Set(STALE.map(([prefix]) => prefix))].join(',');
  const stale = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastEventId: string | undefined;

  function refresh(): void {
    timer = undefined;
    const paths = new Set(stale);
    stale.clear();
    void queries.invalidateQueries({ predicate: ({ queryKey }) => paths.has('*') || paths.has(String(queryKey[0])) });
  }

  function mark(paths: readonly string[]): void {
    for (const path of paths) stale.add(path);
    if (stale.size > 0) timer ??= setTimeout(refresh, GATHER_MS);
  }

  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      for await (const { id, event = '' } of client.stream(
        followEvents,
        { topics },
        { signal, ...(lastEventId !== undefined && { lastEventId }) },
      )) {
        if (id !== undefined) lastEventId = id;
        attempt = 0;
        onState(true);
        mark(event === 'reset' ? ['*'] : stalePaths(event));
      }
    } catch {
      // Whatever it was, we come again; a session that ended shows in the next query.
    }
    if (signal.aborted) break;
    onState(false);
    await pause(RECONNECT_MS[Math.min(attempt, RECONNECT_MS.length - 1)]!, signal);
  }
  clearTimeout(timer);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
