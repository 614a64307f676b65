import type { Query } from "../database/connection.ts";
import { runFromRow } from "./rows.ts";
import type { DeploymentRun } from "./run.ts";

/** One preview of a pull request, as far as people ask about it. */
export interface PreviewOfPullRequest {
  /** `preview-pr-12`. */
  readonly environment: string;
  /** The environment of the file. */
  readonly preview: string;
  /** What was wanted last, of what was not void before it began: a deployment or a teardown. */
  readonly newest: DeploymentRun;
  /** What visitors find; `null` when nothing is there. */
  readonly live: DeploymentRun | null;
}

/** No pull request has more that still matters. */
const most = 200;

/** The previews of a pull request, those that are gone among them, by the name of their environment. */
export async function previewsOf(db: Query, repository: number, pullRequest: number): Promise<readonly PreviewOfPullRequest[]> {
  const rows = await db
    .selectFrom("run")
    .selectAll()
    .where("repository", "=", repository)
    .where("pull_request", "=", pullRequest)
    .where("preview", "is not", null)
    .orderBy("id", "desc")
    .limit(most)
    .execute();
  const runs = rows.map(runFromRow).filter((run) => run.kind === "deployment");
  const environments = [...new Set(runs.map((run) => run.environment))].toSorted();
  return environments.flatMap((environment) => {
    const here = runs.filter((run) => run.environment === environment);
    const [last] = here;
    const newest = here.find((run) => !wasVoid(run)) ?? last;
    if (newest?.preview == null) return [];
    return [{ environment, preview: newest.preview, newest, live: liveOf(here) }];
  });
}

/** Cancelled before it began, because something else was wanted: nothing is to be said of it beside that. */
function wasVoid(run: DeploymentRun): boolean {
  const isOver = run.state === "finished" && run.attempt === null && run.outcome.kind === "cancelled";
  return isOver && run.outcome.because.kind === "superseded";
}

function liveOf(newestFirst: readonly DeploymentRun[]): DeploymentRun | null {
  const ended = newestFirst.flatMap((run) => (run.state === "finished" && run.outcome.kind === "passed" ? [run] : []));
  const [last] = ended.toSorted((a, b) => b.finishedAt.getTime() - a.finishedAt.getTime() || b.id - a.id);
  return last === undefined || last.task === "teardown" ? null : last;
}

/** All runs of one preview from the first that counts on, in the order they were made. */
export async function runsOfPreview(
  db: Query,
  repository: number,
  environment: string,
  since = 0,
): Promise<readonly DeploymentRun[]> {
  const rows = await db
    .selectFrom("run")
    .selectAll()
    .where("repository", "=", repository)
    .where("name", "=", environment)
    .where("kind", "=", "deployment")
    .where("preview", "is not", null)
    .where("id", ">=", since)
    .orderBy("id")
    .execute();
  return rows.map(runFromRow).filter((run) => run.kind === "deployment");
}

/** The deployments of a preview of which something may be there: those that began since it was last taken down. */
export function standing(runs: readonly DeploymentRun[]): readonly DeploymentRun[] {
  const gone = Math.max(0, ...runs.filter(isTakenDown).map(({ id }) => id));
  return runs.filter((run) => run.task !== "teardown" && run.id > gone && hasBegun(run));
}

/** The teardown that took away what this run had put in place; `null` when it was not taken down. */
export function takenDownBy(run: DeploymentRun, runs: readonly DeploymentRun[]): DeploymentRun | null {
  return runs.find((other) => other.id > run.id && isTakenDown(other)) ?? null;
}

function isTakenDown(run: DeploymentRun): boolean {
  return run.task === "teardown" && run.state === "finished" && run.outcome.kind === "passed";
}

function hasBegun(run: DeploymentRun): boolean {
  return run.state === "running" || (run.state === "finished" && run.attempt !== null);
}
