/** Lets one at a time through for each name, in the order they came; names do not wait for each other. */
export interface Lanes {
  pass(name: string, fn: () => Promise<void>): Promise<void>;
}

export function createLanes(): Lanes {
  const tails = new Map<string, Promise<void>>();
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
