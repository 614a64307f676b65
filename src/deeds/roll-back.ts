import type { AskingMeans } from "../deployments/means.ts";
import { prepareRollback, type RollbackOrder } from "../deployments/rollback.ts";
import { short } from "../runs/sentences.ts";
import { type Actor, done, mayAct, type PreparedDeed, refused, refuses, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";

export type RollBack = Omit<RollbackOrder, "by">;

/** Prepares to put back the release that was live before, or the one that is named; the environment is locked until somebody unlocks it. */
export async function rollBack(means: AskingMeans, actor: Actor, order: RollBack): Promise<PreparedDeed> {
  if (!mayAct(actor)) return refuses(withoutPermission(actor));
  const prepared = await prepareRollback(means, { ...order, by: actor.login });
  if (prepared.kind === "refused") return refuses(refused(prepared.sentence));
  return async (tx) => {
    const started = await prepared.start(tx);
    if (started.kind === "refused") return refused(started.sentence);
    const { environment, repository, reason } = order;
    const details = { sha: started.sha };
    await record(tx, actor, { deed: "roll back", repository: repository.id, environment, run: started.run, reason, details });
    return done(`${environment} goes back to ${short(started.sha)} and is locked until somebody unlocks it`);
  };
}
