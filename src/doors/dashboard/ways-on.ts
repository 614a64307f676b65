import type { Query } from "../../database/connection.ts";
import type { Lock } from "../../deployments/gates.ts";
import { lockOf } from "../../deployments/locks.ts";
import { releaseBefore } from "../../deployments/rollback.ts";
import { lastSwitched } from "../../deployments/standing.ts";
import type { Repository } from "../../github/repository.ts";
import type { EnvironmentPlan } from "../../repository-file/repository-file.ts";
import { liveRun } from "../../runs/read.ts";
import type { DeploymentRun } from "../../runs/run.ts";
import type { House } from "./house.ts";

/** What people may do about a deployment that has ended. */
export interface WaysOn {
  /** Whether its environment is still one that people deploy to. */
  readonly mayDeploy: boolean;
  /** The environments that come after the one that it is live in, and have another commit. */
  readonly promotes: readonly Place[];
  /** What would be put back: what was live before this one, or this one if something else is live by now. */
  readonly rollBackTo: DeploymentRun | null;
}

/** An environment of the default branch's file, as far as a question about it goes. */
export interface Place {
  readonly name: string;
  readonly plan: EnvironmentPlan | null;
  readonly lock: Lock | null;
}

/** Previews and what is not in the file any more lead nowhere. While the file is not known, what was live can still be put back. */
export async function waysOn({ outside, database }: House, repository: Repository, run: DeploymentRun): Promise<WaysOn> {
  const file = await outside.file(repository);
  const environments = file?.kind === "file" ? Object.entries(file.file.environments) : [];
  const isIn = environments.some(([name]) => name === run.environment);
  const after = environments.filter(([, plan]) => plan.after === run.environment);
  return database.read(async (db) => {
    const live = await liveRun(db, repository.id, run.environment);
    return {
      mayDeploy: isIn,
      promotes: live?.id === run.id ? await placesWithout(db, repository.id, run.sha, after) : [],
      rollBackTo: isIn || file?.kind !== "file" ? await releaseFrom(db, repository, run, live) : null,
    };
  });
}

async function placesWithout(
  db: Query,
  repository: number,
  sha: string,
  environments: readonly (readonly [string, EnvironmentPlan])[],
): Promise<readonly Place[]> {
  const places: Place[] = [];
  for (const [name, plan] of environments) {
    const there = await liveRun(db, repository, name);
    if (there?.sha !== sha) places.push({ name, plan, lock: await lockOf(db, { repository, environment: name }) });
  }
  return places;
}

async function releaseFrom(
  db: Query,
  repository: Repository,
  run: DeploymentRun,
  live: DeploymentRun | null,
): Promise<DeploymentRun | null> {
  const last = await lastSwitched(db, repository.id, run.environment);
  if (last?.id === run.id) return releaseBefore(db, repository, run.environment);
  const wasLive = run.state === "finished" && run.outcome.kind === "passed" && run.task !== "teardown";
  return wasLive && live !== null && (live.id === run.id || live.sha !== run.sha) ? run : null;
}
