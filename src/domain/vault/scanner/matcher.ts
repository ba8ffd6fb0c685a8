import type { Anchor, Hit, Reading } from './anchor.ts';
import { createRuns, type ReusedRuns } from './runs.ts';
import { sameLength } from './shape.ts';

/** What one pass over a text found. */
export interface Scanned {
  readonly hits: readonly Hit[];
  /** Where the end begins that may be the beginning of a secret; the length of the text when there is none. */
  readonly open: number;
  /** Characters looked at, each time one is: the measure of the work. */
  readonly work: number;
}

/** Finds many texts in one pass, and lets each look at its place. */
export interface Matcher {
  scan(text: string): Scanned;
  /** The hits alone. */
  find(text: string): readonly Hit[];
}

/**
 * One table of 2^15 entries, one for each three characters (five bits of each, so that case does not matter), with a bit for each
 * fourth: only where the table says so is anything compared. A visit costs what its rule looks at, and runs of characters are looked
 * at once (runs.ts), so the whole is linear in the text.
 */
export function createMatcher(anchors: readonly Anchor[], sets: number): Matcher {
  const runs = createRuns(sets); // one for all texts: a scan is done before the next begins
  const table = new Uint32Array(1 << 15);
  const buckets = new Map<number, Anchor[]>();
  const beginnings = new Set<string>();
  for (const anchor of anchors) {
    const key = keyOf(anchor.text);
    table[key]! |= anchor.text.length === 3 ? 0xffffffff : 1 << (anchor.text.charCodeAt(3) & 31);
    const bucket = buckets.get(key);
    if (bucket) bucket.push(anchor);
    else buckets.set(key, [anchor]);
    const text = anchor.fold ? anchor.text.toLowerCase() : anchor.text;
    beginnings.add(text.slice(0, 1)).add(text.slice(0, 2));
  }

  function pass(text: string): OpenReading | null {
    let reading: OpenReading | null = null;
    let key = 0;
    for (let at = 0; at < text.length; at += 1) {
      const five = text.charCodeAt(at) & 31;
      if (((table[key]! >>> five) & 1) === 1 && at >= 3) visit(buckets.get(key)!, (reading ??= read(text, runs)), at - 3);
      key = ((key << 5) | five) & 0x7fff;
    }
    if (table[key] !== 0 && text.length >= 3) visit(buckets.get(key)!, (reading ??= read(text, runs)), text.length - 3);
    return reading;
  }

  return {
    find: (text) => pass(text)?.hits ?? [],
    scan(text) {
      const reading = pass(text);
      let open = reading?.open ?? text.length;
      for (const tail of [text.slice(-2), text.slice(-1)])
        if (beginnings.has(tail) || beginnings.has(tail.toLowerCase())) open = Math.min(open, text.length - tail.length);
      return { hits: reading?.hits ?? [], open, work: text.length + (reading ? runs.work() : 0) };
    },
  };
}

interface OpenReading extends Reading {
  readonly hits: Hit[];
  open: number;
}

function read(text: string, runs: ReusedRuns): OpenReading {
  runs.begin(text);
  const reading: OpenReading = {
    text,
    runs,
    hits: [],
    open: text.length,
    curlUntil: -1,
    manifestUntil: -1,
    hit: (hit) => void reading.hits.push(hit),
    cut(at) {
      if (at < reading.open) reading.open = at;
    },
  };
  return reading;
}

function visit(bucket: readonly Anchor[], reading: Reading, at: number): void {
  const { text, runs } = reading;
  for (const anchor of bucket) {
    const same = sameLength(text, at, anchor.text, anchor.fold);
    runs.spend(same + 1);
    if (same === anchor.text.length) anchor.visit(reading, at);
    else if (at + same === text.length) reading.cut(at);
  }
}

function keyOf(text: string): number {
  return ((text.charCodeAt(0) & 31) << 10) | ((text.charCodeAt(1) & 31) << 5) | (text.charCodeAt(2) & 31);
}
