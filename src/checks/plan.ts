import { pathsMatch } from "../repository-file/paths.ts";
import type { CheckPlan, RepositoryFile } from "../repository-file/repository-file.ts";

export interface PlannedCheck {
  readonly name: string;
  readonly plan: CheckPlan;
  /** Why it has nothing to do; `null` when it has. */
  readonly skip: string | null;
}

/** Which checks a commit gets. `changed` is `null` when it is not known which files changed: then every check runs. */
export function planChecks(file: RepositoryFile, changed: readonly string[] | null): readonly PlannedCheck[] {
  return Object.entries(file.checks).map(([name, plan]) => {
    const skip = plan.paths !== null && changed !== null && !pathsMatch(plan.paths, changed);
    return { name, plan, skip: skip ? "Skipped: no file matches" : null };
  });
}

/** Whether the plan depends on what changed, which costs a request to find out. */
export function asksForChanges(file: RepositoryFile): boolean {
  return Object.values(file.checks).some((plan) => plan.paths !== null);
}
