import type { Query, Transaction } from "../database/connection.ts";
import { cancel } from "../runs/queue.ts";
import { checksOf } from "../runs/read.ts";
import type { Cancellation } from "../runs/run.ts";

/** What an event says of a pull request. */
export interface PullRequestHead {
  readonly repository: number;
  readonly number: number;
  readonly headSha: string;
  readonly baseRef: string;
  readonly fork: boolean;
  readonly state: "open" | "closed" | "merged";
  readonly title: string;
  readonly author: string;
  readonly updatedAt: Date;
}

/**
 * Keeps the newest of what we heard. `late` when a newer event was here already: then nothing has changed, and nothing should
 * follow from this one. Otherwise the head before it, or `null` for a pull request we had not heard of. GitHub's times are whole
 * seconds: of two events of the same second the later arrival counts, unless it is a delivery that `repeats`.
 */
export async function rememberHead(
  tx: Transaction,
  head: PullRequestHead,
  repeats = false,
): Promise<{ readonly kind: "late" } | { readonly kind: "kept"; readonly before: string | null }> {
  const before = await tx.db
    .selectFrom("pull_request_head")
    .select(["head_sha", "state", "updated_at"])
    .where("repository", "=", head.repository)
    .where("number", "=", head.number)
    .executeTakeFirst();
  if (before !== undefined && before.updated_at > head.updatedAt.getTime() - (repeats ? 1 : 0)) {
    // Something else has changed since, a title perhaps: the event is old, but what it says of the head still holds.
    const stillTrue = before.head_sha === head.headSha && before.state === head.state;
    return stillTrue ? { kind: "kept", before: before.head_sha } : { kind: "late" };
  }
  const row = {
    repository: head.repository,
    number: head.number,
    head_sha: head.headSha,
    base_ref: head.baseRef,
    fork: head.fork ? 1 : 0,
    state: head.state,
    title: head.title,
    author: head.author,
    updated_at: head.updatedAt.getTime(),
    heard_at: tx.now,
  };
  await tx.db
    .insertInto("pull_request_head")
    .values(row)
    .onConflict((conflict) => conflict.columns(["repository", "number"]).doUpdateSet(row))
    .execute();
  return { kind: "kept", before: before?.head_sha ?? null };
}

/** The newest that we heard of a pull request; `null` when we heard nothing. */
export async function findHead(db: Query, repository: number, number: number): Promise<PullRequestHead | null> {
  const row = await db
    .selectFrom("pull_request_head")
    .selectAll()
    .where("repository", "=", repository)
    .where("number", "=", number)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { head_sha: headSha, base_ref: baseRef, fork, state, title, author, updated_at: updatedAt } = row;
  return { repository, number, headSha, baseRef, fork: fork === 1, state, title, author, updatedAt: new Date(updatedAt) };
}

/**
 * Cancels the unfinished checks of a commit that no pull request needs any more. An open one that has it as its head needs it,
 * and so does a merged one: its deployments wait for what the checks find. A fork's commit needs the fork's checks, and our own ours;
 * what still waits for an approval when its pull request is merged gets none.
 */
export async function cancelUnneeded(tx: Transaction, repository: number, sha: string, because: Cancellation): Promise<void> {
  const heads = await tx.db
    .selectFrom("pull_request_head")
    .select(["fork", "state"])
    .where("repository", "=", repository)
    .where("head_sha", "=", sha)
    .where("state", "in", ["open", "merged"])
    .execute();
  const isDeployed = await hasDeployment(tx.db, repository, sha);
  for (const run of await checksOf(tx.db, repository, sha)) {
    const isNeeded = heads.some(
      (head) => (head.fork === 1) === (run.trust === "fork") && (head.state === "open" || run.state !== "waiting"),
    );
    if (run.state !== "finished" && !isNeeded && !(isDeployed && run.trust === "own")) await cancel(tx, run.id, because);
  }
}

async function hasDeployment(db: Query, repository: number, sha: string): Promise<boolean> {
  const deployment = db
    .selectFrom("run")
    .select("id")
    .where("repository", "=", repository)
    .where("sha", "=", sha)
    .where("kind", "=", "deployment");
  return (await deployment.where("state", "<>", "finished").executeTakeFirst()) !== undefined;
}
