import { branchHead } from "../github/contents.ts";
import { isInHistoryOf } from "../github/history.ts";
import { mayWrite, permissionOf } from "../github/people.ts";
import type { Repository } from "../github/repository.ts";
import { createDeploymentRun } from "../runs/births.ts";
import type { Cause, Outcome } from "../runs/run.ts";
import { short } from "../runs/sentences.ts";
import type { DeploymentMeans } from "./means.ts";
import { wish } from "./wish.ts";

/** A deployment that somebody else than we created at GitHub. */
export interface ForeignDeployment {
  readonly cause: Cause;
  readonly repository: Repository;
  readonly github: number;
  readonly sha: string;
  readonly ref: string;
  readonly task: string;
  readonly environment: string;
  readonly creator: { readonly login: string; readonly id: number; readonly isPerson: boolean };
}

/**
 * Takes in a deployment that a person created, with `gh api` or a chat bot's token: it passes through the same gates as ours.
 * Returns why it is left alone, if it is. Safe to repeat: GitHub's id is the key.
 */
export async function takeIn(means: DeploymentMeans, deployment: ForeignDeployment): Promise<"taken in" | string> {
  const { repository, environment, creator, sha } = deployment;
  if (!creator.isPerson) return `${creator.login} is not a person: deployments of other Apps are never touched`;
  if (deployment.task !== "deploy") return `its task is "${deployment.task}", not "deploy"`;
  const gating = await means.loadFile(repository, repository.defaultBranch);
  const plan = gating.kind === "file" ? gating.file.environments[environment] : undefined;
  if (gating.kind !== "file" || plan === undefined) return `the default branch's file has no environment "${environment}"`;
  if (plan.trigger === "pull_request") return `${environment} is for previews, which pull requests bring about`;
  const github = means.github.as(repository.installation);
  const permission = await permissionOf(github, repository, creator);
  if (!mayWrite(permission)) return `${creator.login} has no write permission`;

  const branch = plan.branch ?? repository.defaultBranch;
  const head = await branchHead(github, repository, branch);
  if (head === null || (sha !== head && !(await isInHistoryOf(github, repository, sha, head)))) {
    await end(means, deployment, { kind: "failed", what: `${short(sha)} is not on ${branch}: merge it first` });
    return "taken in";
  }
  const about = { pullRequest: null, title: null, author: null, head: null };
  const candidate = { ...about, cause: deployment.cause, repository, sha, branch, person: creator.login };
  const made = await wish(means, candidate, {
    gating: gating.file,
    environments: [environment],
    automatic: false,
    github: deployment.github,
  });
  if (made.length > 0) return "taken in";
  await end(means, deployment, { kind: "cancelled", because: { kind: "superseded", by: sha } });
  return "this commit is on its way to this environment already";
}

/** Says at GitHub why nothing follows from it. Safe to repeat, also for one that was taken in. */
async function end({ database }: DeploymentMeans, deployment: ForeignDeployment, outcome: Outcome): Promise<void> {
  const { cause, repository, sha, ref, environment, github, creator } = deployment;
  const about = {
    cause,
    repository: repository.id,
    sha,
    ref,
    pullRequest: null,
    title: null,
    person: creator.login,
    configuration: null,
  };
  const start = { state: "finished" as const, outcome };
  await database.write((tx) =>
    createDeploymentRun(tx, { ...about, environment, task: "deploy", automatic: false, github, start }),
  );
}
