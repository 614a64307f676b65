/** One file of `bench/`: it exports `measure`. `run` rejects when it could not measure, not when an aim is missed. */
export interface Measure {
  readonly title: string;
  run(): Promise<readonly Figure[]>;
}

/** A figure as people read it, and its ratio to a peer or a limit measured in the same run: absolute figures say little about another machine. */
export interface Figure {
  readonly what: string;
  readonly value: string;
  readonly ratio?: number;
  readonly aim?: { readonly is: "at least" | "at most"; readonly ratio: number };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new Error("Nothing was measured");
  const sorted = Float64Array.from(values).toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
