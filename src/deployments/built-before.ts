import type { Database } from "../database/connection.ts";
import { runFromRow } from "../runs/rows.ts";
import type { DeploymentRun } from "../runs/run.ts";
import { configurationOf } from "./configuration.ts";

/** Whether another deployment of the same commit went well that was built by the same command, here or on another machine. */
export async function builtBefore(
  database: Database,
  { id, repository, sha }: Pick<DeploymentRun, "id" | "repository" | "sha">,
  command: string,
): Promise<boolean> {
  const rows = await database.read((db) =>
    db
      .selectFrom("run")
      .selectAll()
      .where("repository", "=", repository)
      .where("sha", "=", sha)
      .where("kind", "=", "deployment")
      .where("id", "<>", id)
      .where("outcome", "like", '{"kind":"passed"%')
      .execute(),
  );
  return rows.map(runFromRow).some((run) => configurationOf(run)?.plan.build === command);
}
