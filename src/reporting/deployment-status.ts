import type { DeploymentStatus } from "../github/deployments.ts";
import type { DeploymentRun } from "../runs/run.ts";
import { sentenceOf } from "../runs/sentences.ts";

/**
 * What GitHub shows for a deployment. `isLive`: nothing was put in its place since it passed. `takenDownBy`: the teardown of a preview that
 * took away what it had put in place.
 */
export function deploymentStatus(
  run: DeploymentRun,
  isLive: boolean,
  takenDownBy: DeploymentRun | null = null,
): Pick<DeploymentStatus, "state" | "description" | "environment_url"> {
  if (takenDownBy !== null) return { state: "inactive", description: sentenceOf(takenDownBy) };
  const description = sentenceOf(run);
  switch (run.state) {
    case "waiting":
    case "queued":
      return { state: "queued", description };
    case "running":
      return { state: "in_progress", description };
    case "finished":
      return finishedStatus(run, isLive, description);
  }
}

function finishedStatus(
  run: Extract<DeploymentRun, { state: "finished" }>,
  isLive: boolean,
  description: string,
): Pick<DeploymentStatus, "state" | "description" | "environment_url"> {
  const { outcome } = run;
  switch (outcome.kind) {
    case "passed":
      // GitHub inactivates only in other environments than production, so it is said here for all of them.
      if (!isLive) return { state: "inactive", description: "Another commit is live now" };
      return { state: "success", description, ...(outcome.live?.url === undefined ? {} : { environment_url: outcome.live.url }) };
    case "failed":
      return { state: "failure", description };
    case "errored":
    case "lost":
      return { state: "error", description };
    case "cancelled":
      return { state: run.attempt === null ? "inactive" : "error", description };
  }
}
