import type { Query, Transaction } from "../database/connection.ts";
import { enqueue, keepWaiting } from "../runs/queue.ts";
import { checksOf } from "../runs/read.ts";
import type { CheckGate, CheckRun, Run, Some, Trust } from "../runs/run.ts";

/** What may come to this machine from a fork: nothing where no sandbox keeps it in (`SANDBOX`). */
export type SandboxKind = "bubblewrap" | "none";

/** The branch or commit whose file says what is checked: a fork's own file says nothing. */
export function trustedRef(pullRequest: { readonly fork: boolean; readonly headSha: string; readonly baseRef: string }): string {
  return pullRequest.fork ? pullRequest.baseRef : pullRequest.headSha;
}

/** What holds the checks of a commit back; empty when they may run. A fork's need one approval of that very commit. */
export async function checkGates(
  db: Query,
  { repository, sha, trust }: { readonly repository: number; readonly sha: string; readonly trust: Trust },
  sandbox: SandboxKind,
): Promise<readonly CheckGate[]> {
  switch (trust) {
    case "own":
      return [];
    case "fork":
      if (sandbox === "none") return [{ kind: "sandbox" }];
      return (await isApproved(db, repository, sha)) ? [] : [{ kind: "approval", needed: 1, by: [] }];
  }
}

/** Decides once more, within the claim, whether a queued check may start: whatever queued it, a fork's code runs only when it was approved. */
export async function mayStartCheck(
  tx: Transaction,
  run: CheckRun,
  sandbox: SandboxKind,
): Promise<"may start" | Some<CheckGate>> {
  const [first, ...rest] = await checkGates(tx.db, run, sandbox);
  return first === undefined ? "may start" : [first, ...rest];
}

/** Keeps a person's yes to a fork's commit. Returns whether it is news: the same person's second yes is not. */
export async function keepApproval(
  tx: Transaction,
  commit: { readonly repository: number; readonly sha: string },
  person: { readonly id: number; readonly login: string },
): Promise<boolean> {
  const { repository, sha } = commit;
  const row = { repository, sha, purpose, person_id: person.id, person: person.login, at: tx.now };
  const kept = await tx.db
    .insertInto("approval")
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning("at")
    .executeTakeFirst();
  return kept !== undefined;
}

/** Queues the checks of a fork's commit that nothing holds back any more, and says of the others what does. Returns those that it queued. */
export async function startWaiting(
  tx: Transaction,
  commit: { readonly repository: number; readonly sha: string },
  sandbox: SandboxKind,
): Promise<readonly Run[]> {
  const [first, ...rest] = await checkGates(tx.db, { ...commit, trust: "fork" }, sandbox);
  const runs = await checksOf(tx.db, commit.repository, commit.sha);
  const waiting = runs.filter((run) => run.trust === "fork" && run.state === "waiting");
  for (const { id } of waiting) await (first === undefined ? enqueue(tx, id, null) : keepWaiting(tx, id, [first, ...rest]));
  return first === undefined ? waiting : [];
}

const purpose = "checks";

async function isApproved(db: Query, repository: number, sha: string): Promise<boolean> {
  const approval = db
    .selectFrom("approval")
    .select("at")
    .where("repository", "=", repository)
    .where("sha", "=", sha)
    .where("purpose", "=", purpose)
    .limit(1);
  return (await approval.executeTakeFirst()) !== undefined;
}
