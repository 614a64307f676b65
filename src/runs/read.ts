import type { Query } from "../database/connection.ts";
import { outcomeFromText, runFromRow } from "./rows.ts";
import type { CheckRun, DeploymentRun, Lost, Outcome, Run } from "./run.ts";

export async function findRun(db: Query, id: number): Promise<Run | null> {
  const row = await db.selectFrom("run").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined ? null : runFromRow(row);
}

/** The newest first; `before` is the id of the last one already seen. */
export async function listRuns(
  db: Query,
  { repository, limit, before }: { repository: number; limit: number; before?: number },
): Promise<readonly Run[]> {
  let query = db.selectFrom("run").selectAll().where("repository", "=", repository).orderBy("id", "desc").limit(limit);
  if (before !== undefined) query = query.where("id", "<", before);
  return (await query.execute()).map(runFromRow);
}

/** All check runs of a commit, in the order they were made. */
export async function checksOf(db: Query, repository: number, sha: string): Promise<readonly CheckRun[]> {
  const rows = await db
    .selectFrom("run")
    .selectAll()
    .where("repository", "=", repository)
    .where("sha", "=", sha)
    .where("kind", "=", "check")
    .orderBy("id")
    .execute();
  return rows.map(runFromRow).filter((run) => run.kind === "check");
}

/** Check runs of our own commits with this very tree: what they found is true of each of them. */
export async function checksOfTree(db: Query, repository: number, tree: string): Promise<readonly CheckRun[]> {
  const rows = await db
    .selectFrom("run")
    .selectAll()
    .where("repository", "=", repository)
    .where("tree", "=", tree)
    .where("kind", "=", "check")
    .where("trust", "=", "own")
    .orderBy("id")
    .execute();
  return rows.map(runFromRow).filter((run) => run.kind === "check");
}

/** The deployment that is live in an environment: the one that passed last, leaving out `without`. */
export async function liveRun(
  db: Query,
  repository: number,
  environment: string,
  without?: number,
): Promise<DeploymentRun | null> {
  let passed = db
    .selectFrom("run")
    .selectAll()
    .where("repository", "=", repository)
    .where("name", "=", environment)
    .where("kind", "=", "deployment")
    .where("state", "=", "finished")
    .where("outcome", "like", '{"kind":"passed"%');
  if (without !== undefined) passed = passed.where("id", "<>", without);
  const row = await passed.orderBy("finished_at", "desc").orderBy("id", "desc").limit(1).executeTakeFirst();
  const run = row === undefined ? null : runFromRow(row);
  return run?.kind === "deployment" ? run : null;
}

/** Whether a deployment to such an environment was ever wished for. */
export async function wasDeployedTo(db: Query, repository: number, environment: string): Promise<boolean> {
  const run = await db
    .selectFrom("run")
    .select("id")
    .where("repository", "=", repository)
    .where("name", "=", environment)
    .where("kind", "=", "deployment")
    .limit(1)
    .executeTakeFirst();
  return run !== undefined;
}

/** Deployments that have not ended, oldest first; of all repositories and environments unless they are named. */
export async function unfinishedDeployments(
  db: Query,
  where: { repository?: number; environment?: string } = {},
): Promise<readonly DeploymentRun[]> {
  let query = db.selectFrom("run").selectAll().where("kind", "=", "deployment").where("state", "<>", "finished").orderBy("id");
  if (where.repository !== undefined) query = query.where("repository", "=", where.repository);
  if (where.environment !== undefined) query = query.where("name", "=", where.environment);
  return (await query.execute()).map(runFromRow).filter((run) => run.kind === "deployment");
}

export interface PastAttempt {
  readonly number: number;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  /** `null` while it runs, and when it was broken off and put back into the queue. */
  readonly outcome: Outcome | Lost | null;
}

export async function attemptsOf(db: Query, run: number): Promise<readonly PastAttempt[]> {
  const rows = await db.selectFrom("attempt").selectAll().where("run", "=", run).orderBy("number").execute();
  return rows.map((row) => ({
    number: row.number,
    startedAt: new Date(row.started_at),
    finishedAt: row.finished_at === null ? null : new Date(row.finished_at),
    outcome: outcomeFromText(row.outcome),
  }));
}

export interface PastStep {
  readonly number: number;
  readonly name: string;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly exitCode: number | null;
  /** Where it begins in the attempt's log. */
  readonly firstLine: number;
}

export async function stepsOf(db: Query, run: number, attempt: number): Promise<readonly PastStep[]> {
  const rows = await db
    .selectFrom("step")
    .selectAll()
    .where("run", "=", run)
    .where("attempt", "=", attempt)
    .orderBy("number")
    .execute();
  return rows.map((row) => ({
    number: row.number,
    name: row.name,
    startedAt: new Date(row.started_at),
    finishedAt: row.finished_at === null ? null : new Date(row.finished_at),
    exitCode: row.exit_code,
    firstLine: row.first_line,
  }));
}
