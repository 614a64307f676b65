import type { Query, Transaction } from "../database/connection.ts";
import type { Repository } from "../github/repository.ts";
import type { RepositoryFile } from "../repository-file/repository-file.ts";
import { short } from "../runs/sentences.ts";
import type { DeploymentMeans } from "./means.ts";
import { createRollback, dueRollback } from "./rollback.ts";

/**
 * Answers each deployment that failed after the switch in an environment with `rollback: automatic`, by putting back what was live. `file`
 * is the default branch's; `null` when nobody can read it now. Safe to repeat: each is answered once.
 */
export async function rollBackFailed(
  { database, log }: DeploymentMeans,
  repository: Repository,
  file: RepositoryFile | null,
): Promise<void> {
  for (const environment of await database.read((db) => environmentsWithFailures(db, repository.id))) {
    // An environment that left the file is never written to.
    if (file !== null && file.environments[environment] === undefined) continue;
    const made = await database.write((tx) => answer(tx, repository.id, environment, file));
    if (made !== null) log.warn({ run: made, repository: repository.id, environment }, "rolling back a deployment that failed");
  }
}

async function answer(
  tx: Transaction,
  repository: number,
  environment: string,
  file: RepositoryFile | null,
): Promise<number | null> {
  const due = await dueRollback(tx.db, repository, environment);
  if (due === null || due.failed.outcome.kind !== "failed") return null;
  const { failed, to } = due;
  const reason = `${short(failed.sha)} failed: ${due.failed.outcome.what}`;
  const today = file?.environments[environment] ?? null;
  const run = await createRollback(tx, { to, today, file, by: null, reason, cause: { kind: "run", id: failed.id } });
  if (run === null) return null;
  await tx.db
    .insertInto("history")
    .values({
      at: tx.now,
      repository,
      environment,
      run,
      person: "Signalbox",
      door: "server",
      deed: "rollback",
      reason,
      details: JSON.stringify({ failed: failed.id, to: to.id, sha: to.sha }),
    })
    .execute();
  return run;
}

async function environmentsWithFailures(db: Query, repository: number): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("run")
    .select("name")
    .distinct()
    .where("repository", "=", repository)
    .where("kind", "=", "deployment")
    .where("task", "=", "deploy")
    .where("state", "=", "finished")
    .where("outcome", "like", '{"kind":"failed"%"switched":true%')
    .execute();
  return rows.map((row) => row.name);
}
