import { keepApproval, type SandboxKind, startWaiting } from "../checks/trust.ts";
import type { Transaction } from "../database/connection.ts";
import { short } from "../runs/sentences.ts";
import { type Actor, type Answer, done, mayAct, refused, withoutPermission } from "./actor.ts";
import { record } from "./history.ts";
import { type PullRequestNow, refuseOtherThanHead } from "./pull-request.ts";

export interface ApproveChecks {
  readonly pullRequest: PullRequestNow;
  /** As it was typed. */
  readonly sha: string;
  readonly sandbox: SandboxKind;
}

/** Lets the checks of a fork's commit run: of this commit and no other, so that a later push needs a new approval. Safe to repeat. */
export async function approveChecks(
  tx: Transaction,
  actor: Actor,
  { pullRequest, sha, sandbox }: ApproveChecks,
): Promise<Answer> {
  if (!mayAct(actor)) return withoutPermission(actor);
  const { repository, number, headSha, fork, state } = pullRequest;
  if (!fork) return refused("Only commits of forks need an approval; the checks of this pull request run by themselves");
  if (state !== "open") return refused(`Pull request #${number} is ${state}: reopen it first`);
  const other = refuseOtherThanHead(sha, pullRequest, `/approve ${short(headSha)}`);
  if (other !== null) return other;
  if (sandbox === "none")
    return refused("This server runs its checks without a sandbox (SANDBOX=none), so nothing of a fork runs here");

  const commit = { repository, sha: headSha };
  const isNews = await keepApproval(tx, commit, actor);
  const started = await startWaiting(tx, commit, sandbox);
  if (isNews || started.length > 0)
    await record(tx, actor, {
      deed: "approve checks",
      repository,
      details: { pull_request: number, sha: headSha, runs: started.map(({ id }) => id) },
    });
  const names = started.map((run) => (run.kind === "check" ? run.name : run.environment));
  if (names.length > 0) return done(`${short(headSha)} is approved; queued: ${names.join(", ")}`);
  return done(`${short(headSha)} is approved; no check of it waits now`);
}
