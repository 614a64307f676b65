import type { Database, Transaction } from "../database/connection.ts";
import { commitMessage } from "../github/commits.ts";
import type { GitHub } from "../github/github.ts";
import type { Repository } from "../github/repository.ts";

/** How long a push is remembered, in milliseconds: what comes later asks GitHub. */
const memory = 30 * 24 * 3_600_000;

/** Whether a commit's message asks for no checks: then nothing is posted, above all no success. */
export function asksToSkip(message: string): boolean {
  return /\[(skip ci|ci skip)\]/i.test(message);
}

/** Keeps what a push says of its head, which spares the question when a pull request shows that commit. */
export async function rememberPushed(tx: Transaction, repository: number, sha: string, message: string): Promise<void> {
  await tx.db
    .deleteFrom("pushed_commit")
    .where("heard_at", "<", tx.now - memory)
    .execute();
  const row = { repository, sha, skip: asksToSkip(message) ? 1 : 0, heard_at: tx.now };
  await tx.db
    .insertInto("pushed_commit")
    .values(row)
    .onConflict((conflict) => conflict.columns(["repository", "sha"]).doUpdateSet(row))
    .execute();
}

/** Whether the head's message asks for no checks. Costs a request only for a commit that no push has told of: a fork's. */
export async function headAsksToSkip(
  { database, github }: { readonly database: Database; readonly github: GitHub },
  repository: Repository,
  sha: string,
): Promise<boolean> {
  const heard = await database.read((db) =>
    db
      .selectFrom("pushed_commit")
      .select("skip")
      .where("repository", "=", repository.id)
      .where("sha", "=", sha)
      .executeTakeFirst(),
  );
  if (heard !== undefined) return heard.skip === 1;
  return asksToSkip(await commitMessage(github.as(repository.installation), repository, sha));
}
