/** So many may be inside at once; the others wait their turn. */
export interface Places {
  /** Resolves with the way out, which is to be called once; rejects with the signal's reason. */
  enter(signal: AbortSignal): Promise<() => void>;
}

export function createPlaces(limit: number): Places {
  let inside = 0;
  const waiting: (() => void)[] = [];
  const leave = (): void => {
    inside -= 1;
    waiting.shift()?.();
  };
  return {
    async enter(signal) {
      signal.throwIfAborted();
      while (inside >= limit) {
        const turn = Promise.withResolvers<void>();
        const stop = (): void => turn.reject(signal.reason as Error);
        waiting.push(turn.resolve);
        signal.addEventListener('abort', stop, { once: true });
        try {
          await turn.promise;
        } catch (error) {
          const at = waiting.indexOf(turn.resolve);
          if (at !== -1) waiting.splice(at, 1);
          throw error;
        } finally {
          signal.removeEventListener('abort', stop);
        }
      }
      inside += 1;
      let isInside = true;
      return () => {
        if (isInside) leave();
        isInside = false;
      };
    },
  };
}
