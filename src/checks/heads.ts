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
 * follow from this one. Otherwise the head before it, or `null` for a pull request we had not heard of.
 */
export async function rememberHead(
  tx: Transaction,
  head: PullRequestHead,
): Promise<{ readonly kind: "late" } | { readonly kind: "kept"; readonly before: string | null }> {
  const before = await tx.db
    .selectFrom("pull_request_head")
    .select(["head_sha", "state", "updated_at"])
    .where("repository", "=", head.repository)
    .where("number", "=", head.number)
    .executeTakeFirst();
  if (before !== undefined && before.updated_at > head.updatedAt.getTime()) {
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

/**
 * Cancels the unfinished checks of a commit that no pull request needs any more. An open one that has it as its head needs it,
 * and so does a merged one: its deployments wait for what the checks find.
 */
export async function cancelUnneeded(tx: Transaction, repository: number, sha: string, because: Cancellation): Promise<void> {
  if (await isNeeded(tx.db, repository, sha)) return;
  for (const run of await checksOf(tx.db, repository, sha)) {
    if (run.state !== "finished") await cancel(tx, run.id, because);
  }
}

async function isNeeded(db: Query, repository: number, sha: string): Promise<boolean> {
  const head = db
    .selectFrom("pull_request_head")
    .select("number")
    .where("repository", "=", repository)
    .where("head_sha", "=", sha);
  if ((await head.where("state", "in", ["open", "merged"]).executeTakeFirst()) !== undefined) return true;
  const deployment = db
    .selectFrom("run")
    .select("id")
    .where("repository", "=", repository)
    .where("sha", "=", sha)
    .where("kind", "=", "deployment");
  return (await deployment.where("state", "<>", "finished").executeTakeFirst()) !== undefined;
}
