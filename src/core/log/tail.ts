/** The last lines of the log, with those who want to hear the next ones. */
export interface Tail {
  push(line: string): void;
  lines(): readonly string[];
  subscribe(handler: (line: string) => void, signal: AbortSignal): void;
}

export function createTail(keep: number): Tail {
  const ring: string[] = [];
  const handlers = new Set<(line: string) => void>();
  let next = 0;
  return {
    push(line) {
      ring[next] = line;
      next = (next + 1) % keep;
      for (const handler of handlers) {
        try {
          handler(line);
        } catch {
          handlers.delete(handler);
        }
      }
    },
    lines: () => (ring.length < keep ? [...ring] : [...ring.slice(next), ...ring.slice(0, next)]),
    subscribe(handler, signal) {
      if (signal.aborted) return;
      handlers.add(handler);
      signal.addEventListener('abort', () => handlers.delete(handler), { once: true });
    },
  };
}
