import type { Selectable } from "kysely";
import type { Query, Transaction } from "../database/connection.ts";
import type { Tables } from "../database/schema.ts";
import { cancel } from "../runs/queue.ts";
import { checksOf } from "../runs/read.ts";
import type { Cancellation } from "../runs/run.ts";

/** What an event says of a pull request. */
export interface PullRequestHead {
  readonly repository: number;
  readonly number: number;
  readonly headSha: string;
  /** The branch of the head. */
  readonly headRef: string;
  readonly baseRef: string;
  readonly fork: boolean;
  readonly state: "open" | "closed" | "merged";
  readonly draft: boolean;
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
    .select(["head_sha", "base_ref", "state", "draft", "updated_at", "active_at"])
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
    head_ref: head.headRef,
    base_ref: head.baseRef,
    fork: head.fork ? 1 : 0,
    state: head.state,
    draft: head.draft ? 1 : 0,
    title: head.title,
    author: head.author,
    updated_at: head.updatedAt.getTime(),
    heard_at: tx.now,
    active_at: before === undefined || isStirred(before, head) ? tx.now : before.active_at,
  };
  await tx.db
    .insertInto("pull_request_head")
    .values(row)
    .onConflict((conflict) => conflict.columns(["repository", "number"]).doUpdateSet(row))
    .execute();
  return { kind: "kept", before: before?.head_sha ?? null };
}

/** Whether a preview of it would begin anew. */
function isStirred(
  before: { readonly head_sha: string; readonly base_ref: string; readonly state: string; readonly draft: number },
  { headSha, baseRef, state, draft }: PullRequestHead,
): boolean {
  const wasOpen = before.state === "open" && before.draft === 0;
  return before.head_sha !== headSha || before.base_ref !== baseRef || (!wasOpen && state === "open" && !draft);
}

/** Keeps who pushed to a pull request: also of an event that comes late, since it was done all the same. */
export async function rememberPusher(
  tx: Transaction,
  { repository, number, person }: { readonly repository: number; readonly number: number; readonly person: string },
): Promise<void> {
  await tx.db
    .insertInto("pull_request_pusher")
    .values({ repository, number, person })
    .onConflict((conflict) => conflict.columns(["repository", "number", "person"]).doNothing())
    .execute();
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
  return headFromRow(row);
}

/** Reads a row back. */
export function headFromRow(row: Selectable<Tables["pull_request_head"]>): PullRequestHead {
  const { repository, number, head_sha: headSha, head_ref: headRef, base_ref: baseRef, fork, state, draft, title, author } = row;
  const updatedAt = new Date(row.updated_at);
  return { repository, number, headSha, headRef, baseRef, fork: fork === 1, state, draft: draft === 1, title, author, updatedAt };
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
