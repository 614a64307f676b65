/** Numbers that look random and are the same for the same seed (mulberry32): what went wrong can be tried again. */
export interface Random {
  /** Below `most`, whole. */
  below(most: number): number;
  pick<T>(values: readonly T[]): T | undefined;
  /** True so often, from 0 to 1. */
  chance(share: number): boolean;
}

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (most: number) => Math.floor(next() * most);
  return { below, pick: (values) => values[below(values.length)], chance: (share) => next() < share };
}
