import { lockEnvironment, unlockEnvironment } from "../deployments/locks.ts";
import type { DeploymentMeans } from "../deployments/means.ts";
import type { Repository } from "../github/repository.ts";
import { type Actor, done, mayAct, type PreparedDeed, refused, refuses, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";

export interface EnvironmentOrder {
  readonly repository: Repository;
  readonly environment: string;
}

/** Prepares to lock an environment of the default branch's file: nothing but a rollback starts there until somebody unlocks it. */
export async function lock(
  means: DeploymentMeans,
  actor: Actor,
  order: EnvironmentOrder & { readonly reason: string },
): Promise<PreparedDeed> {
  const { repository, environment, reason } = order;
  if (!mayAct(actor)) return refuses(withoutPermission(actor));
  const gating = await means.loadFile(repository, repository.defaultBranch);
  if (gating.kind === "file" && gating.file.environments[environment] === undefined)
    return refuses(refused(`the default branch's file has no environment "${environment}"`));
  return async (tx) => {
    const locked = await lockEnvironment(tx, { repository: repository.id, environment, by: actor.login, reason });
    if (locked.kind === "refused") return refused(locked.sentence);
    await record(tx, actor, { deed: "lock", repository: repository.id, environment, reason, details: {} });
    return done(`${environment} is locked: ${reason}`);
  };
}

/** Takes a lock away, whoever set it, and lets go what waited for it. */
export function unlock(actor: Actor, { repository, environment }: EnvironmentOrder): PreparedDeed {
  if (!mayAct(actor)) return refuses(withoutPermission(actor));
  return async (tx) => {
    const unlocked = await unlockEnvironment(tx, { repository: repository.id, environment });
    if (unlocked.kind === "refused") return refused(unlocked.sentence);
    const { by, reason } = unlocked.lock;
    await record(tx, actor, {
      deed: "unlock",
      repository: repository.id,
      environment,
      details: { locked_by: by, locked_because: reason },
    });
    return done(`${environment} is unlocked; ${by} had locked it: ${reason}`);
  };
}
