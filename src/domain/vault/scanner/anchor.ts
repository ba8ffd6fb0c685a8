import type { Runs } from './runs.ts';

/** A secret in a text; `start` and `end` are UTF-16 code units. */
export interface Hit {
  readonly start: number;
  readonly end: number;
  /** The rule's provider, or the vault's name for a value of its own. */
  readonly provider: string;
  /** Whether the value is the vault's own. */
  readonly known?: true;
  /** Names an account but opens nothing. */
  readonly identifier?: true;
}

/** One text while it is scanned. */
export interface Reading {
  readonly text: string;
  readonly runs: Runs;
  hit(hit: Hit): void;
  /** From here on the end of the text may be the beginning of a secret. */
  cut(at: number): void;
  /** A command line of curl's, a cluster's manifest: read up to here, not to be read twice. */
  curlUntil: number;
  manifestUntil: number;
}

/** A text that is looked for, and what is done where it stands. Three characters at least. */
export interface Anchor {
  readonly text: string;
  /** In any case. */
  readonly fold: boolean;
  /** Called with the place of its first character. */
  visit(reading: Reading, at: number): void;
}
