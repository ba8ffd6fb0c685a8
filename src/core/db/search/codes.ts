import { createScan } from './scan.ts';

const PAGE_BYTES = 65_536;

/** Marks a row that the filter refuses; above every possible cost. */
const REFUSED = 0xffff_ffff;

/** What each plane of a query counts: four bits as a signed number. */
export const PLANE_WEIGHTS = [1, 2, 4, -8] as const;

/** Values farther out than so many times the mean square are counted as if they stood there. */
const CLIP = 3.5;

/** The signs of a vector as bits, first value in the lowest bit, padded with zeros to whole groups of 64. */
export function signCode(values: ArrayLike<number>): Uint8Array {
  const code = new Uint8Array(Math.ceil(values.length / 64) * 8);
  for (let i = 0; i < values.length; i += 1) if (values[i]! > 0) code[i >> 3]! |= 1 << (i & 7);
  return code;
}

/**
 * A question's vector rounded to -7..7, as four planes of bits. Its product with the sign codes orders them nearly as the
 * true values would; with its signs alone twice as many would have to be compared again for the same recall.
 */
export function queryPlanes(unit: Float32Array): readonly Uint8Array[] {
  let most = 0;
  for (const value of unit) most = Math.max(most, Math.abs(value));
  const step = Math.min(most, CLIP / Math.sqrt(unit.length)) / 7 || 1;
  const rounded = Array.from(unit, (value) => Math.max(-7, Math.min(7, Math.round(value / step))));
  return PLANE_WEIGHTS.map((_, plane) => signCode(rounded.map((value) => (value >> plane) & 1)));
}

/** What a filter asks of a row. */
export interface RowTraits {
  readonly scope: string;
  readonly kind: string;
  /** Milliseconds since the epoch, or null for never. */
  readonly expiresAt: number | null;
}

export interface TraitFilter {
  readonly scopes: readonly string[];
  readonly kinds?: readonly string[] | undefined;
  readonly now: number;
}

/** The sign codes of one model's vectors, in memory: 96 bytes and a few numbers for 768 dimensions. */
export interface CodeTable {
  readonly size: number;
  set(id: number, code: Uint8Array, traits: RowTraits): void;
  amend(id: number, traits: RowTraits): void;
  delete(id: number): void;
  /** The `count` ids that pass the filter and whose codes have the greatest product with the query's planes, greatest first. */
  nearest(planes: readonly Uint8Array[], filter: TraitFilter, count: number): readonly number[];
}

/** A table for codes of `width` bytes. Rows are kept dense: the last one fills the gap of a deleted one. */
export function createCodeTable(width: number): CodeTable {
  const { memory, scan } = createScan();
  const places = new Map<number, number>();
  const ids: number[] = [];
  const scopes: number[] = [];
  const kinds: number[] = [];
  const ends: number[] = [];
  const names = new Map<string, number>();
  let capacity = 0;
  let bytes = new Uint8Array(memory.buffer);

  /** The memory holds the query's planes, then the rows, then the costs. */
  const at = (place: number): number => width * (PLANE_WEIGHTS.length + place);

  function reserve(rows: number): void {
    if (rows <= capacity) return;
    capacity = Math.max(512, Math.ceil(rows * 1.25));
    const needed = at(capacity) + 4 * capacity;
    if (needed > bytes.length) memory.grow(Math.ceil((needed - bytes.length) / PAGE_BYTES));
    bytes = new Uint8Array(memory.buffer);
  }

  /** Names are few and rows many: a row keeps a number. */
  function numberOf(name: string): number {
    const known = names.get(name);
    if (known !== undefined) return known;
    names.set(name, names.size);
    return names.size - 1;
  }

  function set(id: number, code: Uint8Array, traits: RowTraits): void {
    const place = places.get(id) ?? ids.length;
    reserve(place + 1);
    bytes.set(code, at(place));
    places.set(id, place);
    ids[place] = id;
    amend(id, traits);
  }

  function amend(id: number, { scope, kind, expiresAt }: RowTraits): void {
    const place = places.get(id);
    if (place === undefined) return;
    scopes[place] = numberOf(scope);
    kinds[place] = numberOf(kind);
    ends[place] = expiresAt ?? Infinity;
  }

  function remove(id: number): void {
    const place = places.get(id);
    if (place === undefined) return;
    const last = ids.length - 1;
    if (place !== last) {
      bytes.copyWithin(at(place), at(last), at(last + 1));
      for (const column of [ids, scopes, kinds, ends]) column[place] = column[last]!;
      places.set(ids[place]!, place);
    }
    for (const column of [ids, scopes, kinds, ends]) column.length = last;
    places.delete(id);
  }

  function nearest(planes: readonly Uint8Array[], filter: TraitFilter, count: number): readonly number[] {
    const rows = ids.length;
    if (rows === 0) return [];
    for (let word = 0; word < width; word += 8) {
      for (const [plane, code] of planes.entries()) bytes.set(code.subarray(word, word + 8), 4 * word + 8 * plane);
    }
    const out = at(capacity);
    scan(at(0), rows, width, 0, out, 7 * 8 * width);
    const costs = new Uint32Array(memory.buffer, out, rows);
    return leastOf(costs, refuse(costs, filter), count).map((place) => ids[place]!);
  }

  /** Marks the rows that the filter refuses; answers how many rows have each cost. */
  function refuse(costs: Uint32Array, filter: TraitFilter): Uint32Array {
    const wanted = new Uint8Array(names.size);
    const [inScope, ofKind] = [1, 2];
    for (const name of filter.scopes) mark(name, inScope);
    for (const name of filter.kinds ?? names.keys()) mark(name, ofKind);
    const histogram = new Uint32Array(14 * 8 * width + 1);
    for (let place = 0; place < costs.length; place += 1) {
      const passes = (wanted[scopes[place]!]! & inScope) !== 0 && (wanted[kinds[place]!]! & ofKind) !== 0 && ends[place]! > filter.now;
      if (passes) histogram[costs[place]!]! += 1;
      else costs[place] = REFUSED;
    }
    return histogram;

    function mark(name: string, flag: number): void {
      const number = names.get(name);
      if (number !== undefined) wanted[number]! |= flag;
    }
  }

  return {
    get size() {
      return ids.length;
    },
    set,
    amend,
    delete: remove,
    nearest,
  };
}

/** The places of the `wanted` least costs, least first; a counting sort. */
function leastOf(costs: Uint32Array, histogram: Uint32Array, wanted: number): readonly number[] {
  let limit = 0;
  let found = 0;
  const starts = new Uint32Array(histogram.length);
  while (limit < histogram.length && found < wanted) {
    starts[limit] = found;
    found += histogram[limit]!;
    limit += 1;
  }
  const sorted = Array.from({ length: found }, () => 0);
  for (let place = 0; place < costs.length; place += 1) {
    const cost = costs[place]!;
    if (cost < limit) sorted[starts[cost]!++] = place;
  }
  return sorted.slice(0, wanted);
}
