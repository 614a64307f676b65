import { checkGates, type SandboxKind } from "../checks/trust.ts";
import type { Transaction } from "../database/connection.ts";
import { retry } from "../runs/queue.ts";
import { checksOf } from "../runs/read.ts";
import { type CheckRun, isBeingStopped } from "../runs/run.ts";
import { short } from "../runs/sentences.ts";
import { type Actor, type Answer, done, mayAct, refused, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";
import type { PullRequestNow } from "./pull-request.ts";

export interface RetryChecks {
  readonly pullRequest: PullRequestNow;
  /** By its name, whatever its result; `null` for all that did not pass. */
  readonly check: string | null;
  readonly sandbox: SandboxKind;
}

/** Runs checks of the pull request's head once more, each as a new attempt. Safe to repeat: what is under way is left alone. */
export async function retryChecks(tx: Transaction, actor: Actor, order: RetryChecks): Promise<Answer> {
  if (!mayAct(actor)) return withoutPermission(actor);
  const { pullRequest, check, sandbox } = order;
  const { repository, number, headSha, fork, state } = pullRequest;
  if (state === "closed") return refused(`Pull request #${number} is closed: reopen it first`);
  const trust = fork ? "fork" : "own";
  const runs = (await checksOf(tx.db, repository, headSha)).filter((run) => run.trust === trust);
  const wanted = runs.filter(check === null ? hasNotPassed : (run) => run.name === check);
  const nothing = whyNothing(order, runs, wanted);
  if (nothing !== null) return nothing;

  const gates = await checkGates(tx.db, { repository, sha: headSha, trust }, sandbox);
  const again: CheckRun[] = [];
  for (const run of wanted) if (await retry(tx, run.id, run.configuration, gates)) again.push(run);
  if (again.length === 0) return refused(`${namesOf(wanted)} of ${short(headSha)} is under way already`);
  await record(tx, actor, {
    deed: "retry",
    repository,
    details: { pull_request: number, sha: headSha, runs: again.map(({ id }) => id) },
  });
  if (gates.length > 0) return done(`${namesOf(again)} of ${short(headSha)} waits again: /approve ${short(headSha)}`);
  return done(`Queued once more for ${short(headSha)}: ${namesOf(again)}`);
}

/** Those that are under way have not failed yet. */
export function hasNotPassed(run: CheckRun): boolean {
  return run.state === "finished" ? run.outcome.kind !== "passed" : isBeingStopped(run);
}

function whyNothing(
  { check, pullRequest: { headSha } }: RetryChecks,
  runs: readonly CheckRun[],
  wanted: readonly CheckRun[],
): Answer | null {
  if (wanted.length > 0) return null;
  if (runs.length === 0) return refused(`No check of ${short(headSha)} was ever started`);
  if (check !== null) return refused(`${short(headSha)} has no such check; it has ${namesOf(runs)}`);
  const all = runs.every((run) => run.state === "finished");
  return refused(
    `Nothing to run again: ${all ? "every check" : "no check"} of ${short(headSha)} ${all ? "has passed" : "has failed"}`,
  );
}

function namesOf(runs: readonly CheckRun[]): string {
  return runs.map((run) => run.name).join(", ");
}
