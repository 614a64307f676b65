import { headFromRow } from "../../checks/heads.ts";
import type { Query, Transaction } from "../../database/connection.ts";
import type { RepositoryFile } from "../../repository-file/repository-file.ts";
import { runsOfPreview } from "../../runs/previews.ts";
import { unfinishedDeployments } from "../../runs/read.ts";
import type { DeploymentRun } from "../../runs/run.ts";
import type { KnownPullRequest, Preview, PreviewFacts } from "./wanted.ts";

/** Whether a repository has previews, or a pull request that might have some. */
export async function concernsPreviews(db: Query, repository: number): Promise<boolean> {
  const preview = db.selectFrom("preview").select("environment").where("repository", "=", repository).limit(1);
  if ((await preview.executeTakeFirst()) !== undefined) return true;
  const open = db
    .selectFrom("pull_request_head")
    .select("number")
    .where("repository", "=", repository)
    .where("state", "=", "open")
    .where("fork", "=", 0)
    .limit(1);
  return (await open.executeTakeFirst()) !== undefined;
}

/** Reads what previews are decided from. Two servers do not decide at the same time: the second one waits for the first, and sees what it did. */
export async function previewFactsOf(tx: Transaction, repository: number, file: RepositoryFile | null): Promise<PreviewFacts> {
  if (tx.engine === "postgres")
    await tx.db.selectFrom("repository").select("id").where("id", "=", repository).forUpdate().execute();
  const previews = await previewsThere(tx.db, repository);
  const plans =
    file === null ? null : new Map(Object.entries(file.environments).filter(([, { trigger }]) => trigger === "pull_request"));
  const pullRequests = await pullRequestsOf(
    tx.db,
    repository,
    previews.map(({ pullRequest }) => pullRequest),
  );
  return { now: new Date(tx.now), plans, pullRequests, previews };
}

async function previewsThere(db: Query, repository: number): Promise<readonly Preview[]> {
  const rows = await db.selectFrom("preview").selectAll().where("repository", "=", repository).orderBy("since").execute();
  const previews: Preview[] = [];
  for (const { environment, preview, pull_request: pullRequest, since } of rows)
    previews.push({ environment, preview, pullRequest, runs: await runsOfPreview(db, repository, environment, since) });
  return previews;
}

/** The open ones of the repository itself, and those that have previews. */
async function pullRequestsOf(db: Query, repository: number, numbers: readonly number[]): Promise<readonly KnownPullRequest[]> {
  const rows = await db
    .selectFrom("pull_request_head")
    .selectAll()
    .where("repository", "=", repository)
    .where((is) =>
      is.or([
        is.and([is("state", "=", "open"), is("fork", "=", 0)]),
        ...(numbers.length === 0 ? [] : [is("number", "in", numbers)]),
      ]),
    )
    .orderBy("number")
    .execute();
  return rows.map((row) => ({ ...headFromRow(row), activeAt: new Date(row.active_at) }));
}

/** Deployments to previews that wait at a gate. */
export async function waitingPreviews(db: Query, repository: number): Promise<readonly DeploymentRun[]> {
  const unfinished = await unfinishedDeployments(db, { repository });
  return unfinished.filter((run) => run.preview !== null && run.task === "deploy" && run.state === "waiting");
}
