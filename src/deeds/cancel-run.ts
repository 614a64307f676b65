import type { Transaction } from "../database/connection.ts";
import { cancel } from "../runs/queue.ts";
import { findRun } from "../runs/read.ts";
import { type Actor, type Answer, done, mayAct, refused, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";

export interface CancelRun {
  readonly repository: number;
  readonly run: number;
  readonly reason?: string;
}

/**
 * Cancels one run. What has not started ends at once; what runs is asked to stop, and keeps its lane until its work has stopped. Safe to
 * repeat: the first reason stays.
 */
export async function cancelRun(tx: Transaction, actor: Actor, { repository, run: id, reason }: CancelRun): Promise<Answer> {
  if (!mayAct(actor)) return withoutPermission(actor);
  const run = await findRun(tx.db, id);
  if (run === null || run.repository !== repository) return refused(`There is no run ${id}`);
  if (run.state === "finished") return refused(`Run ${id} has ended already`);
  if (run.state === "running" && run.stop !== null) return refused(`Run ${id} is being stopped already`);
  const why = reason === undefined ? {} : { reason };
  await cancel(tx, id, { kind: "by hand", by: actor.login, ...why });
  const environment = run.kind === "deployment" ? { environment: run.environment } : {};
  await record(tx, actor, { deed: "cancel", repository, run: id, ...environment, ...why, details: { sha: run.sha } });
  return done(run.state === "running" ? `Run ${id} is being stopped` : `Run ${id} is cancelled`);
}
