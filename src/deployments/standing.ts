import type { Query } from "../database/connection.ts";
import { findRun, liveRun } from "../runs/read.ts";
import { runFromRow } from "../runs/rows.ts";
import type { DeploymentRun } from "../runs/run.ts";

type Finished = Extract<DeploymentRun, { state: "finished" }>;

/** What an environment's order is decided against: the run that passed last, and one since then whose release may be there as well. */
export async function standingRuns(db: Query, repository: number, environment: string): Promise<readonly DeploymentRun[]> {
  const live = await liveRun(db, repository, environment);
  const last = await lastSwitched(db, repository, environment);
  return [...(live === null ? [] : [live]), ...(last === null || last.id === live?.id ? [] : [last])];
}

/** The deployment that ended last of those that put their release in place, or may have done so though they did not pass. */
export async function lastSwitched(db: Query, repository: number, environment: string): Promise<Finished | null> {
  const row = await db
    .selectFrom("run")
    .selectAll()
    .where("repository", "=", repository)
    .where("name", "=", environment)
    .where("kind", "=", "deployment")
    .where("state", "=", "finished")
    .where((is) =>
      is.or([
        is("outcome", "like", '{"kind":"passed"%'),
        is("outcome", "like", '{"kind":"failed"%,"switched":true}'),
        is("outcome", "like", '{"kind":"cancelled"%,"switched":true}'),
        is("outcome", "like", '{"kind":"lost"%'),
      ]),
    )
    .orderBy("finished_at", "desc")
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : finished(runFromRow(row));
}

/** The automatic deployment that was wished for last, of those that ended lately, however they did. */
export async function newestEnded(db: Query, repository: number, environment: string): Promise<DeploymentRun | null> {
  const ended = await db
    .selectFrom("run")
    .select(["id", "automatic"])
    .where("repository", "=", repository)
    .where("name", "=", environment)
    .where("kind", "=", "deployment")
    .where("state", "=", "finished")
    .orderBy("finished_at", "desc")
    .limit(lately)
    .execute();
  const newest = Math.max(...ended.filter((run) => run.automatic === 1).map((run) => run.id));
  const run = Number.isFinite(newest) ? await findRun(db, newest) : null;
  return run === null ? null : finished(run);
}

/** Events do not arrive later than this many deployments. */
const lately = 50;

/** Every deployment that was live, the newest first; as far back as people remember. */
export async function releasesOf(
  db: Query,
  repository: number,
  environment: string,
  limit = farBack,
): Promise<readonly Finished[]> {
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
    .limit(limit)
    .execute();
  return rows.flatMap((row) => finished(runFromRow(row)) ?? []);
}

const farBack = 200;

function finished(run: ReturnType<typeof runFromRow>): Finished | null {
  return run.kind === "deployment" && run.state === "finished" ? run : null;
}
