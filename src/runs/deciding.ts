import type { CheckRun } from "./run.ts";

/**
 * Of a commit's runs those that people hear of. A context has one status: when the same commit was pushed to the repository and comes
 * from a fork too, the repository's own runs speak, because somebody with write permission answers for them.
 */
export function deciding(runs: readonly CheckRun[]): readonly CheckRun[] {
  const own = runs.filter((run) => run.trust === "own");
  return own.length > 0 ? own : runs;
}
