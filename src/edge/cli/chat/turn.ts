import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { followTurn, retryTurn, takeTurn, type TurnEvent } from '#agents/contract';
import type { StreamEvent } from '#core/endpoint';
import { AppError, type ErrorKind } from '#core/errors';
import type { Cli } from '../context.ts';
import { isAway } from '../patience.ts';

/** How long a dropped stream is taken up again. */
const LONGEST_GAP_MS = 60_000;

/** What is said in which conversation; no text asks for another answer to the last message. */
export interface Say {
  readonly conversationId: string;
  readonly text: string | null;
  readonly signal: AbortSignal;
}

/**
 * One turn to its end. A stream that drops is taken up where it was, also after a restart of the agent: before the turn is known by saying
 * it again under the same key, then by following it. Ends with exactly one `end` event, or throws.
 */
export async function* turnEvents(io: Cli, { conversationId: id, text, signal }: Say): AsyncIterable<TurnEvent> {
  const idempotencyKey = randomUUID();
  let runId: string | null = null;
  let lastEventId: string | undefined;
  let goneSince: number | null = null;

  async function* open(): AsyncIterable<StreamEvent<TurnEvent>> {
    const client = await io.client();
    if (runId !== null) yield* client.stream(followTurn, { id, runId }, { signal, ...(lastEventId !== undefined && { lastEventId }) });
    else if (text === null) yield* client.stream(retryTurn, { id }, { signal, idempotencyKey });
    else yield* client.stream(takeTurn, { id, text }, { signal, idempotencyKey });
  }

  for (;;) {
    try {
      for await (const { id: eventId, event, data } of open()) {
        if (event === 'error') throw told(data);
        goneSince = null;
        if (eventId !== undefined) lastEventId = eventId;
        if (data.type === 'start') {
          if (runId !== null) continue; // heard already
          runId = data.runId;
        }
        yield data;
        if (data.type === 'end') return;
      }
    } catch (error) {
      if (signal.aborted || (error instanceof AppError && !isAway(error))) throw error;
    }
    goneSince ??= performance.now();
    if (performance.now() - goneSince > LONGEST_GAP_MS)
      throw new AppError(
        'unavailable',
        'agent.unreachable',
        'The agent does not answer any more; what it said is kept in the conversation',
      );
    await sleep(250, undefined, { signal });
  }
}

/** The stream broke on the other side, which says why. */
function told(data: unknown): AppError {
  const { error } = data as { error?: { kind?: ErrorKind; code?: string; message?: string } };
  return new AppError(error?.kind ?? 'unavailable', error?.code ?? 'agent.stream_broken', error?.message ?? 'The answer broke off');
}
