/** A set of ASCII characters, with a number of its own for what is remembered about it. */
export interface Characters {
  readonly id: number;
  /** 1 for each code that belongs to it; characters beyond ASCII never do. */
  readonly member: Uint8Array;
}

/** Reads sets as regular expressions write them: `[0-9a-f_-]`, `\w`, `\d`. Equal texts give the same set. */
export interface Alphabet {
  of(source: string): Characters;
  readonly size: () => number;
}

export function createAlphabet(): Alphabet {
  const known = new Map<string, Characters>();
  return {
    size: () => known.size,
    of(source) {
      const before = known.get(source);
      if (before) return before;
      const made = { id: known.size, member: read(source) };
      known.set(source, made);
      return made;
    },
  };
}

const ASCII = String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code));

function read(source: string): Uint8Array {
  const member = new Uint8Array(128);
  for (const { index } of ASCII.matchAll(new RegExp(source, 'g'))) member[index] = 1;
  return member;
}
