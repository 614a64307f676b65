import type { Query, Transaction } from "../database/connection.ts";
import { branchHead } from "../github/contents.ts";
import { findCommit } from "../github/find-commit.ts";
import { isInHistoryOf } from "../github/history.ts";
import type { Repository } from "../github/repository.ts";
import { unfinishedDeployments } from "../runs/read.ts";
import { wantReconsidering } from "../runs/reconsidering.ts";
import { runFromRow } from "../runs/rows.ts";
import type { Cause, DeploymentRun } from "../runs/run.ts";
import { short } from "../runs/sentences.ts";
import { configurationOf, type Override, reconfigure } from "./configuration.ts";
import type { AskingMeans } from "./means.ts";
import { type Refusal, refused } from "./refusal.ts";
import type { Prepared, Started } from "./rollback.ts";
import { type Candidate, planWishes, storeWishes } from "./wish.ts";

export interface DeploymentOrder {
  readonly repository: Repository;
  readonly environment: string;
  /** At least 7 digits; without it the head of the environment's branch. */
  readonly sha?: string;
  readonly by: string;
  /** Breaks the glass; the caller has made sure that it is a maintainer. */
  readonly override?: { readonly reason: string };
  readonly cause: Cause;
}

/**
 * Prepares what a person asked for: reads GitHub, writes nothing. `start` stores the wish, which passes through the same gates as any other;
 * what is live may be asked for once more. Where this commit is on its way already, an override is given to that deployment, and without
 * one it is refused. The caller has made sure that the person may do it.
 */
export async function prepareDeployment(means: AskingMeans, order: DeploymentOrder): Promise<Prepared | Refusal> {
  const { repository, environment, by } = order;
  const gating = await means.loadFile(repository, repository.defaultBranch);
  if (gating.kind !== "file") return refused("file", `the default branch has no .github/signalbox.yml that can be obeyed`);
  const plan = gating.file.environments[environment];
  if (plan === undefined) return refused("unknown environment", `the default branch's file has no environment "${environment}"`);

  if (plan.trigger === "pull_request")
    return refused("unknown environment", `${environment} is for previews: push to a pull request to have one deployed`);

  const branch = plan.branch ?? repository.defaultBranch;
  const github = means.github.as(repository.installation);
  const head = await branchHead(github, repository, branch);
  if (head === null) return refused("unknown commit", `there is no branch ${branch}`);
  const sha = order.sha === undefined ? head : await fullSha(means, repository, order.sha);
  if (sha === null) return refused("unknown commit", `there is no commit ${order.sha}; write at least 7 digits of its SHA`);
  if (sha !== head && !(await isInHistoryOf(github, repository, sha, head)))
    return refused("not on the branch", `${short(sha)} is not on ${branch}: merge it first`);

  const known = await means.database.read((db) => knownOf(db, repository.id, sha));
  const candidate: Candidate = { ...known, cause: order.cause, repository, sha, branch, person: by };
  const override = order.override === undefined ? null : { by, reason: order.override.reason };
  const wishes = await planWishes(means, candidate, {
    gating: gating.file,
    environments: [environment],
    automatic: false,
    github: null,
    override,
  });
  return {
    kind: "ready",
    async start(tx) {
      const [run] = await storeWishes(tx, wishes);
      if (run !== undefined) return { kind: "started", run, sha };
      return breakGlass(tx, { repository: repository.id, environment, sha }, override);
    },
  };
}

/** The same in one step; `record` writes the history in the same transaction. */
export async function requestDeployment(
  means: AskingMeans,
  order: DeploymentOrder,
  record: (tx: Transaction, started: Started) => Promise<void>,
): Promise<Started | Refusal> {
  const prepared = await prepareDeployment(means, order);
  if (prepared.kind === "refused") return prepared;
  return means.database.write(async (tx) => {
    const started = await prepared.start(tx);
    if (started.kind === "started") await record(tx, started);
    return started;
  });
}

/** The commit is on its way already: what can be done for it is to open its gates. */
async function breakGlass(
  tx: Transaction,
  { repository, environment, sha }: { readonly repository: number; readonly environment: string; readonly sha: string },
  override: Override | null,
): Promise<Started | Refusal> {
  const unfinished = await unfinishedDeployments(tx.db, { repository, environment });
  const run = unfinished.find((one) => one.sha === sha && one.task === "deploy");
  if (run === undefined) return refused("under way", `${short(sha)} was taken up by somebody else at this moment; ask again`);
  if (override === null || run.state === "running")
    return refused("under way", `${short(sha)} is on its way to ${environment} already`);
  await reconfigure(tx, run.id, (before) => ({ ...before, override }));
  await wantReconsidering(tx, repository);
  return { kind: "started", run: run.id, sha };
}

/** Of several commits that begin so GitHub knows which are meant, and answers that there is none when it cannot tell. */
async function fullSha({ github }: AskingMeans, repository: Repository, typed: string): Promise<string | null> {
  if (!/^[0-9a-f]{7,40}$/i.test(typed)) return null;
  return findCommit(github.as(repository.installation), repository, typed.toLowerCase());
}

/** What an earlier deployment of the commit knew: whose change it is, and which head was checked. */
async function knownOf(
  db: Query,
  repository: number,
  sha: string,
): Promise<Pick<Candidate, "pullRequest" | "title" | "author" | "head">> {
  const rows = await db
    .selectFrom("run")
    .selectAll()
    .where("repository", "=", repository)
    .where("sha", "=", sha)
    .where("kind", "=", "deployment")
    .orderBy("id")
    .execute();
  const runs = rows.map(runFromRow).filter((run): run is DeploymentRun => run.kind === "deployment" && run.task === "deploy");
  const known = runs.find((run) => run.pullRequest !== null) ?? runs[0];
  if (known === undefined) return { pullRequest: null, title: null, author: null, head: null };
  const { pullRequest, title, author } = known;
  return { pullRequest, title, author, head: configurationOf(known)?.head ?? null };
}
