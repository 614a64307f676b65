import { lockEnvironment, unlockEnvironment } from "../deployments/locks.ts";
import type { AskingMeans } from "../deployments/means.ts";
import { GitHubProblem } from "../github/problem.ts";
import type { Repository } from "../github/repository.ts";
import { wasDeployedTo } from "../runs/read.ts";
import { type Actor, done, mayAct, type PreparedDeed, refused, refuses, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";

export interface EnvironmentOrder {
  readonly repository: Repository;
  readonly environment: string;
}

/**
 * Prepares to lock an environment of the default branch's file: nothing but a rollback starts there until somebody unlocks it. It must not wait
 * for GitHub: while that does not answer, an environment is one that was deployed to before.
 */
export async function lock(
  means: AskingMeans,
  actor: Actor,
  order: EnvironmentOrder & { readonly reason: string },
): Promise<PreparedDeed> {
  const { repository, environment, reason } = order;
  if (!mayAct(actor)) return refuses(withoutPermission(actor));
  const problem = await whyUnknown(means, order);
  if (problem !== null) return refuses(refused(problem));
  return async (tx) => {
    const locked = await lockEnvironment(tx, { repository: repository.id, environment, by: actor.login, reason });
    if (locked.kind === "refused") return refused(locked.sentence);
    await record(tx, actor, { deed: "lock", repository: repository.id, environment, reason, details: {} });
    return done(`${environment} is locked: ${reason}`);
  };
}

async function whyUnknown(
  { loadFile, database }: AskingMeans,
  { repository, environment }: EnvironmentOrder,
): Promise<string | null> {
  try {
    const gating = await loadFile(repository, repository.defaultBranch);
    if (gating.kind !== "file" || gating.file.environments[environment] !== undefined) return null;
    return `the default branch's file has no environment "${environment}"`;
  } catch (error) {
    if (!(error instanceof GitHubProblem)) throw error;
    if (await database.read((db) => wasDeployedTo(db, repository.id, environment))) return null;
    return `GitHub does not answer, and nothing was ever deployed to an environment "${environment}"`;
  }
}

/** Takes a lock away, whoever set it, and lets go what waited for it. */
export function unlock(
  actor: Actor,
  { repository, environment, reason: because }: EnvironmentOrder & { readonly reason?: string },
): PreparedDeed {
  if (!mayAct(actor)) return refuses(withoutPermission(actor));
  return async (tx) => {
    const unlocked = await unlockEnvironment(tx, { repository: repository.id, environment });
    if (unlocked.kind === "refused") return refused(unlocked.sentence);
    const { by, reason } = unlocked.lock;
    await record(tx, actor, {
      deed: "unlock",
      repository: repository.id,
      environment,
      ...(because === undefined ? {} : { reason: because }),
      details: { locked_by: by, locked_because: reason },
    });
    return done(`${environment} is unlocked; ${by} had locked it: ${reason}`);
  };
}
