import type { Transaction } from "../database/connection.ts";
import type { Run } from "../runs/run.ts";

/** What stands well or badly, whatever commit it is at: an environment, a pull request, a branch. `null` for a run that continues none. */
export function lineOf(run: Pick<Run, "kind" | "pullRequest" | "ref"> & { readonly environment?: string }): string | null {
  if (run.kind === "deployment") return run.environment === undefined ? null : `environment ${run.environment}`;
  if (run.pullRequest !== null) return `pull request ${run.pullRequest}`;
  return run.ref === null ? null : `branch ${run.ref}`;
}

export interface Standing {
  readonly repository: number;
  readonly line: string;
  readonly subject: string;
  /** The highest run of the subject. */
  readonly newest: number;
  readonly mood: "good" | "bad";
}

/** Keeps how a line stands now, and tells how it stood before this subject. What is older than the newest changes nothing. Safe to repeat. */
export async function keepStanding(tx: Transaction, standing: Standing): Promise<"good" | "bad" | null> {
  const { repository, line, subject, newest, mood } = standing;
  const query = tx.db.selectFrom("chat_line").selectAll().where("repository", "=", repository).where("line", "=", line);
  const row = await (tx.engine === "postgres" ? query.forUpdate() : query).executeTakeFirst();
  if (row !== undefined && row.newest > newest) return null;
  const before = row === undefined ? null : row.subject === subject && row.mood === mood ? row.before : row.mood;
  await tx.db
    .insertInto("chat_line")
    .values({ repository, line, subject, newest, mood, before })
    .onConflict((conflict) => conflict.columns(["repository", "line"]).doUpdateSet({ subject, newest, mood, before }))
    .execute();
  return before;
}
