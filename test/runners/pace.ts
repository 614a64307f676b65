import type { Pace } from "../../src/elsewhere/pace.ts";

/** Fast enough for tests: what takes seconds elsewhere takes milliseconds here. */
export const fast: Pace = { first: 5, most: 20, patience: 2_000, goodbye: 2_000, request: 2_000 };
