import type { Transaction } from "../database/connection.ts";
import type { Repository } from "../github/repository.ts";
import type { RepositoryFile } from "../repository-file/repository-file.ts";
import { short } from "../runs/sentences.ts";
import type { DeploymentMeans } from "./means.ts";
import { createRollback, dueRollback, newEnough } from "./rollback.ts";

/**
 * Answers each deployment that failed after the switch in an environment with `rollback: automatic`, by putting back what was live. `file`
 * is the default branch's; `null` when nobody can read it now. Safe to repeat: each is answered once.
 */
export async function rollBackFailed(
  { database, log }: DeploymentMeans,
  repository: Repository,
  file: RepositoryFile | null,
): Promise<void> {
  const made = await database.write(async (tx) => {
    const runs: number[] = [];
    for (const environment of await environmentsWithFailures(tx, repository.id)) {
      // An environment that left the file is never written to.
      if (file !== null && file.environments[environment] === undefined) continue;
      const run = await answer(tx, repository.id, environment, file);
      if (run !== null) runs.push(run);
    }
    return runs;
  });
  for (const run of made) log.warn({ run, repository: repository.id }, "rolling back a deployment that failed");
}

async function answer(
  tx: Transaction,
  repository: number,
  environment: string,
  file: RepositoryFile | null,
): Promise<number | null> {
  const due = await dueRollback(tx, repository, environment);
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

async function environmentsWithFailures(tx: Transaction, repository: number): Promise<readonly string[]> {
  const rows = await tx.db
    .selectFrom("run")
    .select("name")
    .distinct()
    .where("repository", "=", repository)
    .where("kind", "=", "deployment")
    .where("state", "=", "finished")
    .where("finished_at", ">", tx.now - newEnough)
    .where("outcome", "like", '{"kind":"failed"%,"switched":true}')
    .execute();
  return rows.map((row) => row.name);
}
