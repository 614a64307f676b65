import { sql } from "kysely";
import type { Transaction } from "../database/connection.ts";

/** Says that a commit's state has changed, for the pull requests that are merged when their head is green. There are few of those. */
export async function wantMergeThought(tx: Transaction, repository: number, sha: string): Promise<void> {
  const rows = await tx.db
    .updateTable("merge_candidate")
    .set({ wanted: sql`wanted + 1`, not_before: 0, tries: 0 })
    .where("repository", "=", repository)
    .where("head_sha", "=", sha)
    .returning("number")
    .execute();
  if (rows.length > 0) tx.ring("merges");
}

/** The same for a pull request, which becomes one that may be merged; whether anybody wants that is found out later. */
export async function wantMergeOf(
  tx: Transaction,
  { repository, number, headSha }: { readonly repository: number; readonly number: number; readonly headSha: string },
): Promise<void> {
  await tx.db
    .insertInto("merge_candidate")
    .values({ repository, number, head_sha: headSha, wanted: 1, asked_sha: null, said: null, comment: null, created_at: tx.now })
    .onConflict((conflict) =>
      conflict
        .columns(["repository", "number"])
        .doUpdateSet({ head_sha: headSha, wanted: sql`merge_candidate.wanted + 1`, not_before: 0, tries: 0 }),
    )
    .execute();
  tx.ring("merges");
}

/** The same for all open pull requests of a repository: the file that says what is merged, or a base branch, has changed. */
export async function wantMergesOf(tx: Transaction, repository: number): Promise<void> {
  const open = await tx.db
    .selectFrom("pull_request_head")
    .select(["number", "head_sha"])
    .where("repository", "=", repository)
    .where("state", "=", "open")
    .orderBy("number", "desc")
    .limit(200)
    .execute();
  for (const { number, head_sha: headSha } of open) await wantMergeOf(tx, { repository, number, headSha });
}
