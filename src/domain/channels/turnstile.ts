/** Lets one at a time through for each name; names do not wait for each other. */
export interface Turnstile {
  pass<T>(name: string, fn: () => Promise<T>): Promise<T>;
}

export function createTurnstile(): Turnstile {
  const tails = new Map<string, Promise<unknown>>();
  return {
    pass(name, fn) {
      const turn = (tails.get(name) ?? Promise.resolve()).then(fn, fn);
      tails.set(name, turn);
      const leave = (): void => void (tails.get(name) === turn && tails.delete(name));
      turn.then(leave, leave);
      return turn;
    },
  };
}
