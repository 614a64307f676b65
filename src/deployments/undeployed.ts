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
import { type ExplainedGate, explainRun } from "./why.ts";

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
  /** Its newest deployment here. */
  readonly run: DeploymentRun | null;
  /** What holds it back, or the newer commit that it goes live with. */
  readonly gates: readonly ExplainedGate[];
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
  const { newer, complete } = newerThan(all, live?.sha ?? null);
  const commits = await means.database.read((db) => explainCommits(db, { repository: repository.id, environment, plan }, newer));
  return { kind: "undeployed", branch, commits, complete };
}

/** Those of a branch's commits that came after the live one; `complete` is false when that is not among them. */
export function newerThan(
  all: readonly ListedCommit[],
  live: string | null,
): { readonly newer: readonly ListedCommit[]; readonly complete: boolean } {
  const at = all.findIndex(({ sha }) => sha === live);
  return { newer: at < 0 ? all : all.slice(0, at), complete: at >= 0 };
}

/** Says of each commit why it is not live, as it was last decided; the newest first. */
export async function explainCommits(
  db: Query,
  where: { readonly repository: number; readonly environment: string; readonly plan: Plan },
  newer: readonly ListedCommit[],
): Promise<readonly UndeployedCommit[]> {
  const { repository, environment, plan } = where;
  const runs = await newestDeployments(db, repository, environment, newer);
  return newer.map((commit, index) => {
    const run = runs.get(commit.sha);
    const ahead = newer.slice(0, index).find(({ sha }) => isOnItsWay(runs.get(sha)));
    const carrier = isOnItsWay(run) ? run : ahead && runs.get(ahead.sha);
    const because = whyNotLive(run, plan, environment, ahead?.sha ?? null);
    return { ...commit, because, run: run ?? null, gates: carrier === undefined ? [] : explainRun(carrier).gates };
  });
}

type Plan = Pick<EnvironmentPlan, "after" | "trigger" | "paths">;

/** Of a run that is its newest one here, what became of it; without one, what would make one. */
export function whyNotLive(
  run: DeploymentRun | undefined,
  { after, trigger, paths }: Plan,
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
    case "pull_request":
      return `It is no preview: ${environment} is for the heads of open pull requests`;
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
