/** How much the first ranks stand out: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", SIGIR 2009. */
const K = 60;

/** One result of one list; the list is in order, best first. */
export interface Ranked<T> {
  readonly key: string;
  readonly value: T;
}

export interface Fused<T> {
  readonly key: string;
  /** Sum of 1 / (60 + rank) over the lists that have it. */
  readonly score: number;
  /** What each list says, in the order of the lists; ranks start at 1. */
  readonly in: readonly ({ readonly rank: number; readonly value: T } | null)[];
}

/**
 * Joins lists by rank alone, since their scores do not compare. A key that a list has twice counts once, where it
 * stands first. Ties go to the better single rank, then to the key, so the order is always the same.
 */
export function fuse<T>(lists: readonly (readonly Ranked<T>[])[]): readonly Fused<T>[] {
  const found = new Map<string, ({ rank: number; value: T } | null)[]>();
  for (const [index, list] of lists.entries()) {
    let rank = 0;
    for (const { key, value } of list) {
      const places = found.get(key) ?? lists.map(() => null);
      if (places[index]) continue;
      places[index] = { rank: (rank += 1), value };
      found.set(key, places);
    }
  }
  return [...found]
    .map(([key, places]) => ({ key, score: places.reduce((sum, place) => sum + (place ? 1 / (K + place.rank) : 0), 0), in: places }))
    .toSorted((a, b) => b.score - a.score || best(a) - best(b) || (a.key < b.key ? -1 : 1));
}

function best(one: Fused<unknown>): number {
  return Math.min(...one.in.map((place) => place?.rank ?? Infinity));
}
