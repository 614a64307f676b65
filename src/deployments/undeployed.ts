import type { Query } from "../database/connection.ts";
import { commitsOf, type ListedCommit } from "../github/history.ts";
import type { Repository } from "../github/repository.ts";
import type { EnvironmentPlan } from "../repository-file/repository-file.ts";
import { liveRun } from "../runs/read.ts";
import { runFromRow } from "../runs/rows.ts";
import type { DeploymentRun } from "../runs/run.ts";
import { sentenceOf, short } from "../runs/sentences.ts";
import type { AskingMeans } from "./means.ts";
import { type Refusal, refused } from "./refusal.ts";

/** What an environment's branch has and the environment has not. */
export interface Undeployed {
  readonly kind: "undeployed";
  readonly branch: string;
  /** The newest first. */
  readonly commits: readonly UndeployedCommit[];
  /** False when the branch has more of them than GitHub lists at once, or has left the live commit. */
  readonly complete: boolean;
}

export interface UndeployedCommit extends ListedCommit {
  /** Why it is not live, one sentence. */
  readonly because: string;
}

/** Explains each commit of an environment's branch that is newer than what is live there: asks GitHub, changes nothing. */
export async function undeployed(means: AskingMeans, repository: Repository, environment: string): Promise<Undeployed | Refusal> {
  const gating = await means.loadFile(repository, repository.defaultBranch);
  if (gating.kind !== "file") return refused("file", "the default branch has no .github/signalbox.yml that can be obeyed");
  const plan = gating.file.environments[environment];
  if (plan === undefined) return refused("unknown environment", `the default branch's file has no environment "${environment}"`);
  const branch = plan.branch ?? repository.defaultBranch;
  const all = await commitsOf(means.github.as(repository.installation), repository, branch);
  if (all === null) return refused("unknown commit", `there is no branch ${branch}`);

  const live = await means.database.read((db) => liveRun(db, repository.id, environment));
  const at = all.findIndex(({ sha }) => sha === live?.sha);
  const newer = at < 0 ? all : all.slice(0, at);
  const runs = await means.database.read((db) => newestDeployments(db, repository.id, environment, newer));
  const commits = newer.map((commit, index) => {
    const ahead = newer.slice(0, index).find(({ sha }) => isOnItsWay(runs.get(sha)));
    return { ...commit, because: whyNotLive(runs.get(commit.sha), plan, environment, ahead?.sha ?? null) };
  });
  return { kind: "undeployed", branch, commits, complete: at >= 0 };
}

/** Of a run that is its newest one here, what became of it; without one, what would make one. */
export function whyNotLive(
  run: DeploymentRun | undefined,
  { after, trigger, paths }: Pick<EnvironmentPlan, "after" | "trigger" | "paths">,
  environment: string,
  ahead: string | null,
): string {
  if (run !== undefined) {
    const hasPassed = run.state === "finished" && run.outcome.kind === "passed";
    return hasPassed ? "It was live, and something older was put back since" : sentenceOf(run);
  }
  if (ahead !== null) return `It goes live with ${short(ahead)}, which is on its way`;
  const changed = paths === null ? "" : " and when it changes a file of the environment's paths";
  if (after !== null) return `It comes when it is live on ${after}${changed}`;
  switch (trigger) {
    case "manual":
      return `Nobody has asked for it: ${environment} is deployed to by hand`;
    case "merge":
      return `It comes with the merge of a pull request${changed}; this one was not heard of as such. Deploy it by hand`;
    case "push":
      return `It comes with a push to the branch${changed}; this one was not heard of as such. Deploy it by hand`;
  }
}

function isOnItsWay(run: DeploymentRun | undefined): boolean {
  return run !== undefined && run.state !== "finished";
}

async function newestDeployments(
  db: Query,
  repository: number,
  environment: string,
  commits: readonly ListedCommit[],
): Promise<ReadonlyMap<string, DeploymentRun>> {
  if (commits.length === 0) return new Map();
  const rows = await db
    .selectFrom("run")
    .selectAll()
    .where("repository", "=", repository)
    .where("name", "=", environment)
    .where("kind", "=", "deployment")
    .where(
      "sha",
      "in",
      commits.map(({ sha }) => sha),
    )
    .orderBy("id")
    .execute();
  const runs = rows.map(runFromRow).filter((run) => run.kind === "deployment");
  return new Map(runs.map((run) => [run.sha, run]));
}
