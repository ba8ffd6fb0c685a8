import { z } from 'zod';
import type { Bus } from '#core/bus';
import { endpoint, streamRoute, type Route, type StreamEvent } from '#core/endpoint';
import type { Json } from '#core/json';
import { redactJson, type Redact } from '#core/redact';

const CAPACITY = 2_000;

/** `GET /api/events`: everything the bus tells, as it happens. */
export const followEvents = endpoint({
  method: 'GET',
  path: '/api/events',
  grant: 'events:read',
  summary:
    'Events as they happen, named for what happened. `ready` opens the stream; `reset` says that events were missed and what was read before is stale. Resumes after Last-Event-ID.',
  input: z.strictObject({
    topics: z.string().max(1_000).optional().describe('Beginnings of event names, separated by commas: `run.,memory.`; all when left out.'),
  }),
  output: z.unknown(),
  stream: true,
});

/** The last events, numbered, and those who follow them. */
export interface EventFeed {
  /** Ends with the signal. `after` is the id of the last event seen. */
  follow(topics: string | undefined, after: string | undefined, signal: AbortSignal): AsyncIterable<StreamEvent<unknown>>;
}

export interface EventFeedDeps {
  readonly bus: Bus;
  /** Names this life of the process: an id of another one cannot be resumed. */
  readonly boot: string;
  readonly signal: AbortSignal;
  readonly capacity?: number;
  /** Takes secrets out of what is told. */
  readonly redact?: Redact | undefined;
}

/**
 * Every follower is a position in one ring: however slow it reads, it costs no memory of its own. One that is
 * overtaken is told `reset` and goes on from the present.
 */
export function createEventFeed({ bus, boot, signal: life, capacity = CAPACITY, redact = (text) => text }: EventFeedDeps): EventFeed {
  const ring = new Array<{ readonly name: string; readonly data: unknown } | undefined>(capacity);
  /** Number of the newest event; the first is 1. */
  let head = 0;
  const sleepers = new Set<() => void>();

  bus.tap((name, data) => {
    head += 1;
    ring[head % capacity] = { name, data: redactJson(redact, data as Json) };
    for (const wake of sleepers) wake();
  }, life);

  const isKept = (seq: number): boolean => seq > head - capacity && seq <= head;

  /** Where to go on after an id; null when what followed it is no longer known. */
  function positionAfter(id: string): number | null {
    const seq = id.startsWith(`${boot}-`) ? Number(id.slice(boot.length + 1)) : NaN;
    return Number.isSafeInteger(seq) && seq >= 0 && (seq === head || isKept(seq + 1)) ? seq : null;
  }

  async function* follow(topics: string | undefined, after: string | undefined, signal: AbortSignal): AsyncGenerator<StreamEvent<unknown>> {
    const prefixes = (topics ?? '')
      .split(',')
      .map((topic) => topic.trim())
      .filter(Boolean);
    const isWanted = (name: string): boolean => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix));
    const idOf = (seq: number): string => `${boot}-${seq}`;

    const resumed = after === undefined ? head : positionAfter(after);
    let at = resumed ?? head;
    yield { id: idOf(at), event: resumed === null ? 'reset' : 'ready', data: {} };

    let wake = (): void => {};
    const nudge = (): void => wake();
    sleepers.add(nudge);
    signal.addEventListener('abort', nudge, { once: true });
    try {
      while (!signal.aborted) {
        if (at === head) {
          await new Promise<void>((resolve) => (wake = resolve));
          continue;
        }
        if (!isKept(at + 1)) {
          at = head;
          yield { id: idOf(at), event: 'reset', data: {} };
          continue;
        }
        at += 1;
        const { name, data } = ring[at % capacity]!;
        if (isWanted(name)) yield { id: idOf(at), event: name, data };
      }
    } finally {
      sleepers.delete(nudge);
    }
  }

  return { follow };
}

export function eventRoutes(feed: EventFeed): readonly Route[] {
  return [streamRoute(followEvents, ({ topics }, { lastEventId, signal }) => feed.follow(topics, lastEventId, signal))];
}
