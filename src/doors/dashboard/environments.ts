import type { Query } from "../../database/connection.ts";
import { listRuns, liveRun } from "../../runs/read.ts";
import type { DeploymentRun } from "../../runs/run.ts";
import type { EnvironmentView } from "./pages/repository.ts";

/** How far back environments and their deployments are looked for. */
const recent = 500;

/** What is live in each environment that something was deployed to lately, by name. */
export async function environmentsOf(db: Query, repository: number): Promise<readonly EnvironmentView[]> {
  const runs = await listRuns(db, { repository, limit: recent });
  const newest = new Map<string, DeploymentRun>();
  for (const run of runs) if (run.kind === "deployment" && !newest.has(run.environment)) newest.set(run.environment, run);

  const views: EnvironmentView[] = [];
  for (const [name, run] of newest) {
    const live = await liveRun(db, repository, name);
    views.push({ name, live, newest: live?.id === run.id ? null : run });
  }
  return views.sort((a, b) => (a.name < b.name ? -1 : 1));
}
