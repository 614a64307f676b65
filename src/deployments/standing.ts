import type { Query } from "../database/connection.ts";
import { findRun, liveRun } from "../runs/read.ts";
import { runFromRow } from "../runs/rows.ts";
import type { DeploymentRun } from "../runs/run.ts";

type Finished = Extract<DeploymentRun, { state: "finished" }>;

/** What an environment's order is decided against: the run that passed last, and one since then whose release may be there as well. */
export async function standingRuns(db: Query, repository: number, environment: string): Promise<readonly DeploymentRun[]> {
  const live = await liveRun(db, repository, environment);
  const last = await lastStarted(db, repository, environment);
  return [...(live === null ? [] : [live]), ...(last !== null && last.id !== live?.id && mayHaveSwitched(last) ? [last] : [])];
}

/** The deployment that ended last of those that had begun. */
export async function lastStarted(db: Query, repository: number, environment: string): Promise<Finished | null> {
  const row = await db
    .selectFrom("run")
    .selectAll()
    .where("repository", "=", repository)
    .where("name", "=", environment)
    .where("kind", "=", "deployment")
    .where("state", "=", "finished")
    .where("started_at", "is not", null)
    .orderBy("finished_at", "desc")
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : finished(runFromRow(row));
}

/** Whether a deployment that did not pass may have put its release in place all the same. */
export function mayHaveSwitched({ outcome }: Finished): boolean {
  switch (outcome.kind) {
    case "failed":
      return outcome.switched === true;
    case "lost":
      return true;
    case "passed":
    case "errored":
    case "cancelled":
      return false;
  }
}

/** The automatic deployment that was wished for last and has ended, however it did. */
export async function newestEnded(db: Query, repository: number, environment: string): Promise<DeploymentRun | null> {
  const row = await db
    .selectFrom("run")
    .selectAll()
    .where("repository", "=", repository)
    .where("name", "=", environment)
    .where("kind", "=", "deployment")
    .where("state", "=", "finished")
    .where("automatic", "=", 1)
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : finished(runFromRow(row));
}

/** Every deployment that was live, the newest first; as far back as people remember. */
export async function releasesOf(db: Query, repository: number, environment: string): Promise<readonly Finished[]> {
  const rows = await db
    .selectFrom("run")
    .selectAll()
    .where("repository", "=", repository)
    .where("name", "=", environment)
    .where("kind", "=", "deployment")
    .where("state", "=", "finished")
    .where("outcome", "like", '{"kind":"passed"%')
    .orderBy("finished_at", "desc")
    .orderBy("id", "desc")
    .limit(farBack)
    .execute();
  return rows.flatMap((row) => finished(runFromRow(row)) ?? []);
}

const farBack = 200;

/** Finds a deployment by its run's id. */
export async function findDeploymentRun(db: Query, id: number): Promise<DeploymentRun | null> {
  const run = await findRun(db, id);
  return run?.kind === "deployment" ? run : null;
}

function finished(run: ReturnType<typeof runFromRow>): Finished | null {
  return run.kind === "deployment" && run.state === "finished" ? run : null;
}
