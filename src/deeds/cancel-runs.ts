import type { Transaction } from "../database/connection.ts";
import { cancel } from "../runs/queue.ts";
import { runFromRow } from "../runs/rows.ts";
import { isBeingStopped, type Run } from "../runs/run.ts";
import { type Actor, type Answer, done, mayAct, refused, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";
import type { PullRequestNow } from "./pull-request.ts";

export interface CancelRuns {
  readonly pullRequest: PullRequestNow;
  readonly reason?: string;
}

/**
 * Cancels what a pull request has under way: the checks of its head, and the deployments of its merge. What has not started ends at once;
 * what runs is asked to stop, and keeps its lane until its work has stopped. Safe to repeat: the first reason stays.
 */
export async function cancelRuns(tx: Transaction, actor: Actor, { pullRequest, reason }: CancelRuns): Promise<Answer> {
  if (!mayAct(actor)) return withoutPermission(actor);
  const runs = (await unfinishedOf(tx, pullRequest)).filter((run) => !isBeingStopped(run));
  if (runs.length === 0) return refused("Nothing of this pull request is under way");
  const because = { kind: "by hand" as const, by: actor.login, ...(reason === undefined ? {} : { reason }) };
  for (const { id } of runs) await cancel(tx, id, because);
  await record(tx, actor, {
    deed: "cancel",
    repository: pullRequest.repository,
    ...(reason === undefined ? {} : { reason }),
    details: { pull_request: pullRequest.number, sha: pullRequest.headSha, runs: runs.map(({ id }) => id) },
  });
  return done(`Cancelled: ${runs.map(nameOf).join(", ")}`);
}

async function unfinishedOf(tx: Transaction, { repository, number, headSha }: PullRequestNow): Promise<readonly Run[]> {
  const rows = await tx.db
    .selectFrom("run")
    .selectAll()
    .where("repository", "=", repository)
    .where("state", "<>", "finished")
    .where((is) => is.or([is("pull_request", "=", number), is.and([is("sha", "=", headSha), is("kind", "=", "check")])]))
    .orderBy("id")
    .execute();
  return rows.map(runFromRow);
}

function nameOf(run: Run): string {
  return run.kind === "check" ? run.name : `${run.task} of ${run.environment}`;
}
