import type { DeploymentMeans } from "../deployments/means.ts";
import { prepareDeployment } from "../deployments/request.ts";
import type { Repository } from "../github/repository.ts";
import { liveRun } from "../runs/read.ts";
import type { Cause } from "../runs/run.ts";
import { short } from "../runs/sentences.ts";
import { type Actor, done, mayAct, type PreparedDeed, refused, refuses, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";

export interface Promote {
  readonly repository: Repository;
  /** The environment whose live commit is meant. */
  readonly from: string;
  readonly to: string;
  /** The commit that was looked at: another one that went live meanwhile is not meant. */
  readonly sha?: string;
  readonly reason?: string;
  readonly cause: Cause;
}

/** Prepares to bring the very commit that is live in one environment to another one; it passes through the gates there like any other. */
export async function promote(means: DeploymentMeans, actor: Actor, order: Promote): Promise<PreparedDeed> {
  if (!mayAct(actor)) return refuses(withoutPermission(actor));
  const { repository, from, to, sha, reason, cause } = order;
  if (from === to) return refuses(refused(`${from} cannot be promoted to itself`));
  const live = await means.database.read((db) => liveRun(db, repository.id, from));
  if (live === null || live.task === "teardown")
    return refuses(refused(`Nothing is live on ${from}, so there is nothing to promote`));
  if (sha !== undefined && live.sha !== sha)
    return refuses(refused(`${short(live.sha)} is live on ${from} by now, no longer ${short(sha)}: look again`));
  const prepared = await prepareDeployment(means, { repository, environment: to, sha: live.sha, by: actor.login, cause });
  if (prepared.kind === "refused") return refuses(refused(prepared.sentence));
  return async (tx) => {
    const started = await prepared.start(tx);
    if (started.kind === "refused") return refused(started.sentence);
    await record(tx, actor, {
      deed: "promote",
      repository: repository.id,
      environment: to,
      run: started.run,
      ...(reason === undefined ? {} : { reason }),
      details: { sha: started.sha, from },
    });
    return done(`${short(started.sha)} goes from ${from} to ${to}`);
  };
}
