import { sql } from "kysely";
import type { Query } from "../database/connection.ts";
import { causeToText, outcomeFromText, runFromRow } from "./rows.ts";
import type { CheckRun, DeploymentRun, Lost, Outcome, Run } from "./run.ts";

export async function findRun(db: Query, id: number): Promise<Run | null> {
  const row = await db.selectFrom("run").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined ? null : runFromRow(row);
}

/** Whether anything ever ran in a repository. */
export async function hasRuns(db: Query, repository: number): Promise<boolean> {
  return (await db.selectFrom("run").select("id").where("repository", "=", repository).limit(1).executeTakeFirst()) !== undefined;
}

/** Which runs are meant; all of it must be true of them. */
export interface RunFilter {
  readonly repository: number;
  /** Of a check or an environment. */
  readonly name?: string;
  /** A state, or how it ended. */
  readonly look?: Exclude<Run["state"], "finished"> | (Outcome | Lost)["kind"];
  /** The id of the last one already seen. */
  readonly before?: number;
  readonly limit: number;
}

/** The newest first. Whatever is asked for stands together in an index, so that a million other runs cost nothing. */
export async function listRuns(db: Query, { repository, name, look, before, limit }: RunFilter): Promise<readonly Run[]> {
  let query = db.selectFrom("run").selectAll().where("repository", "=", repository).orderBy("id", "desc").limit(limit);
  if (before !== undefined) query = query.where("id", "<", before);
  if (name !== undefined) query = query.where("name", "=", name);
  if (look === "waiting" || look === "queued" || look === "running")
    query = query.where("state", "<>", "finished").where("state", "=", look);
  else if (look !== undefined)
    query = query.where("state", "=", "finished").where(sql`substr(outcome, 10, 4)`, "=", look.slice(0, 4));
  return (await query.execute()).map(runFromRow);
}

/** Names of the checks and environments that have run in a repository. From name to name through an index. */
export async function namesOf(db: Query, repository: number, limit = 100): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    with recursive names(name) as (
      select (select min(name) from run where repository = ${repository})
      union all
      select (select min(run.name) from run where run.repository = ${repository} and run.name > names.name) from names where names.name is not null
    )
    select name from names where name is not null limit ${limit}`.execute(db);
  return rows.map((row) => row.name);
}

/** Names of the environments that something was deployed to. */
export async function environmentNamesOf(db: Query, repository: number, limit = 100): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    with recursive names(name) as (
      select (select min(name) from run where repository = ${repository} and kind = 'deployment' and state = 'finished')
      union all
      select (select min(run.name) from run where run.repository = ${repository} and run.kind = 'deployment' and run.state = 'finished'
        and run.name > names.name) from names where names.name is not null
    )
    select name from names where name is not null limit ${limit}`.execute(db);
  return rows.map((row) => row.name);
}

/** The newest deployments of a repository, or of one environment. */
export async function deploymentsOf(
  db: Query,
  { repository, environment, limit }: { readonly repository: number; readonly environment?: string; readonly limit: number },
): Promise<readonly DeploymentRun[]> {
  let query = db.selectFrom("run").selectAll().where("repository", "=", repository).where("kind", "=", "deployment");
  if (environment !== undefined) query = query.where("name", "=", environment);
  const rows = await query.orderBy("id", "desc").limit(limit).execute();
  return rows.map(runFromRow).filter((run) => run.kind === "deployment");
}

/** The newest runs of a pull request. */
export async function runsOfPullRequest(
  db: Query,
  { repository, number, limit }: { readonly repository: number; readonly number: number; readonly limit: number },
): Promise<readonly Run[]> {
  const rows = await db
    .selectFrom("run")
    .selectAll()
    .where("repository", "=", repository)
    .where("pull_request", "=", number)
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
  return rows.map(runFromRow);
}

/** What receipts have caused, by the receipt. */
export async function runsCausedBy(db: Query, receipts: readonly number[]): Promise<ReadonlyMap<number, readonly Run[]>> {
  const causes = new Map(receipts.map((id) => [causeToText({ kind: "receipt", id }), id]));
  if (causes.size === 0) return new Map();
  const rows = await db
    .selectFrom("run")
    .selectAll()
    .where("cause", "in", [...causes.keys()])
    .orderBy("id")
    .limit(500)
    .execute();
  return Map.groupBy(rows.map(runFromRow), ({ cause }) => cause.id);
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

/** The deployment that is live in an environment: the one that passed last, leaving out `without`; `null` when it was taken down since. */
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
  return run?.kind === "deployment" && run.task !== "teardown" ? run : null;
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
  /** The line of its log that first tells of an error. */
  readonly firstError: number | null;
}

export async function attemptsOf(db: Query, run: number): Promise<readonly PastAttempt[]> {
  const rows = await db.selectFrom("attempt").selectAll().where("run", "=", run).orderBy("number").execute();
  return rows.map((row) => ({
    number: row.number,
    startedAt: new Date(row.started_at),
    finishedAt: row.finished_at === null ? null : new Date(row.finished_at),
    outcome: outcomeFromText(row.outcome),
    firstError: row.first_error,
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
