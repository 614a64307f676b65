import type { Transaction } from "../database/connection.ts";
import { cancel } from "../runs/queue.ts";
import { unfinishedDeployments } from "../runs/read.ts";
import { short } from "../runs/sentences.ts";
import { type Actor, type Answer, done, mayAct, refused, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";
import type { EnvironmentOrder } from "./lock.ts";

/**
 * Cancels what is on its way to an environment. What has not started ends at once; what runs is asked to stop, and keeps its lane until its
 * work has stopped. Safe to repeat: the first reason stays.
 */
export async function cancelDeployments(
  tx: Transaction,
  actor: Actor,
  { repository, environment, reason }: EnvironmentOrder & { readonly reason?: string },
): Promise<Answer> {
  if (!mayAct(actor)) return withoutPermission(actor);
  const unfinished = await unfinishedDeployments(tx.db, { repository: repository.id, environment });
  const runs = unfinished.filter((run) => run.state !== "running" || run.stop === null);
  if (runs.length === 0) return refused(`Nothing is on its way to ${environment}`);
  const why = reason === undefined ? {} : { reason };
  for (const { id } of runs) await cancel(tx, id, { kind: "by hand", by: actor.login, ...why });
  await record(tx, actor, {
    deed: "cancel",
    repository: repository.id,
    environment,
    ...why,
    details: { runs: runs.map(({ id }) => id) },
  });
  return done(`Cancelled: ${runs.map(({ task, sha }) => `${task} of ${short(sha)} to ${environment}`).join(", ")}`);
}
