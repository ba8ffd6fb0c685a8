import type { Characters } from './characters.ts';

/**
 * How far a set of characters reaches in one text. Each run is walked once per set and then remembered, so that what asks again at
 * the next beginning inside it costs nothing: this is what keeps the scanner linear on hostile text.
 */
export interface Runs {
  readonly text: string;
  /** Length of the run of a set that begins at a place. */
  length(set: Characters, at: number): number;
  /** Length of the run of a set that ends before a place, looking back at most `limit` characters. */
  before(set: Characters, at: number, limit: number): number;
  /** Where a text is next found at or after a place, or -1; remembered like the runs. */
  next(needle: string, from: number): number;
  /** Characters looked at so far, each time one is looked at. */
  readonly work: () => number;
  spend(characters: number): void;
}

/** The same, for one text after the other. */
export interface ReusedRuns extends Runs {
  begin(text: string): void;
}

export function createRuns(sets: number): ReusedRuns {
  const from = new Int32Array(sets);
  const to = new Int32Array(sets);
  const found = new Map<string, { readonly from: number; readonly at: number }>();
  let text = '';
  let work = 0;

  return {
    get text() {
      return text;
    },
    begin(next) {
      text = next;
      work = 0;
      from.fill(-1);
      if (found.size > 0) found.clear();
    },
    length({ id, member }, at) {
      if (from[id] !== -1 && at >= from[id]! && at <= to[id]!) return to[id]! - at;
      let end = at;
      while (end < text.length && isMember(member, text.charCodeAt(end))) end += 1;
      work += end - at + 1;
      from[id] = at;
      to[id] = end;
      return end - at;
    },
    before({ member }, at, limit) {
      const lowest = Math.max(0, at - limit);
      let start = at;
      while (start > lowest && isMember(member, text.charCodeAt(start - 1))) start -= 1;
      work += at - start + 1;
      return at - start;
    },
    next(needle, at) {
      const last = found.get(needle);
      if (last && last.from <= at && (last.at === -1 || last.at >= at)) return last.at;
      const place = text.indexOf(needle, at);
      work += (place === -1 ? text.length : place) - at + 1;
      found.set(needle, { from: at, at: place });
      return place;
    },
    work: () => work,
    spend(characters) {
      work += characters;
    },
  };
}

function isMember(member: Uint8Array, code: number): boolean {
  return code < 128 && member[code] === 1;
}

/** The same for a short text, without remembering. */
export function createPlainRuns(text: string): Pick<Runs, 'text' | 'length' | 'spend'> {
  return {
    text,
    length({ member }, at) {
      let end = at;
      while (end < text.length && isMember(member, text.charCodeAt(end))) end += 1;
      return end - at;
    },
    spend() {},
  };
}
