import type { Query } from "../database/connection.ts";
import type { Subject } from "./reports.ts";
import type { Cause } from "./run.ts";

/** What a log line says of where a run comes from: `receipt`, by which everything that one delivery led to is found, or another `cause`. */
export function originInLog({ kind, id }: Cause): Readonly<Record<string, string | number>> {
  return kind === "receipt" ? { receipt: id } : { cause: `${kind} ${id}` };
}

/** The run that a report is about, or of a commit's report the newest check; `null` for what no single run stands behind. */
export async function runBehind(db: Query, subject: Subject, repository: number) {
  const runs = db.selectFrom("run").select(["id", "kind", "name", "sha", "attempt", "cause"]).orderBy("id", "desc").limit(1);
  switch (subject.kind) {
    case "run":
      return (await runs.where("id", "=", subject.id).executeTakeFirst()) ?? null;
    case "commit": {
      const checks = runs.where("repository", "=", repository).where("sha", "=", subject.sha).where("kind", "=", "check");
      return (await checks.executeTakeFirst()) ?? null;
    }
    case "file":
    case "previews":
    case "environment":
      return null;
  }
}
