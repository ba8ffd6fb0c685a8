/** One measured figure and the baseline that was measured beside it. */
export interface Figure {
  readonly baseline: number;
  readonly value: number;
  readonly unit: string;
  /** `value / baseline`. */
  readonly ratio: number;
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A file of this folder exports one by default. */
export interface Bench {
  readonly name: string;
  readonly goal: string;
  run(options: { readonly quick: boolean }): Promise<Figure>;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
