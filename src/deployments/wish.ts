import type { Transaction } from "../database/connection.ts";
import type { Repository } from "../github/repository.ts";
import type { Loaded } from "../repository-file/load.ts";
import { sayMistake } from "../repository-file/mistake.ts";
import type { EnvironmentPlan, RepositoryFile } from "../repository-file/repository-file.ts";
import { createDeploymentRun, type NewDeployment } from "../runs/births.ts";
import { keepReading } from "../runs/readings.ts";
import type { Cause, Outcome } from "../runs/run.ts";
import { short } from "../runs/sentences.ts";
import type { DeploymentConfiguration, Override } from "./configuration.ts";
import type { DeploymentMeans } from "./means.ts";
import { rulesOf } from "./rules.ts";
import { isConcerned } from "./what-changed.ts";

/** A commit that some environments may want, and why. */
export interface Candidate {
  readonly cause: Cause;
  readonly repository: Repository;
  readonly sha: string;
  readonly branch: string;
  readonly pullRequest: number | null;
  readonly title: string | null;
  readonly author: string | null;
  /** Who merged, pushed or asked. */
  readonly person: string | null;
  /** Head of the merged pull request. */
  readonly head: string | null;
}

/**
 * Stores the wish to deploy a commit to every environment that is triggered so. Safe to repeat: there is one automatic
 * deployment of a commit to an environment, ever. Which environments want it stands in the default branch's file.
 */
export async function wishAutomatic(means: DeploymentMeans, candidate: Candidate, trigger: "merge" | "push"): Promise<void> {
  const { repository, branch } = candidate;
  const gating = await means.loadFile(repository, repository.defaultBranch);
  // Nobody can say what is wanted, so it is said on the very commit that should have been deployed.
  if (gating.kind === "mistakes") await means.database.write((tx) => keepReading(tx, repository.id, candidate.sha, gating));
  if (gating.kind !== "file") return;
  const triggered = wantedBy(
    gating.file,
    (plan) => plan.trigger === trigger && (plan.branch ?? repository.defaultBranch) === branch,
  );
  const environments: string[] = [];
  for (const environment of triggered) {
    const paths = gating.file.environments[environment]?.paths ?? null;
    if (await isConcerned(means, repository, { environment, paths, sha: candidate.sha })) environments.push(environment);
    else
      means.log.info(
        { repository: repository.id, environment, sha: candidate.sha },
        "not deployed: no file of its paths changed",
      );
  }
  await wish(means, candidate, { gating: gating.file, environments, automatic: true, github: null });
}

/** Which environments want a commit, and why. */
export interface Wish {
  /** The default branch's file. */
  readonly gating: RepositoryFile;
  readonly environments: readonly string[];
  readonly automatic: boolean;
  /** GitHub's id, when it was created there first. */
  readonly github: number | null;
  /** For a person's wish only. */
  readonly override?: Override | null;
}

/** Stores a wish. Returns the ids of the runs that it made; an environment that has this commit on its way makes none. */
export async function wish(means: DeploymentMeans, candidate: Candidate, wanted: Wish): Promise<readonly number[]> {
  const wishes = await planWishes(means, candidate, wanted);
  return wishes.length === 0 ? [] : means.database.write((tx) => storeWishes(tx, wishes));
}

/** Makes the runs of a wish, for `storeWishes`: reads GitHub, writes nothing. */
export async function planWishes(
  { loadFile }: Pick<DeploymentMeans, "loadFile">,
  candidate: Candidate,
  wanted: Wish,
): Promise<readonly NewDeployment[]> {
  if (wanted.environments.length === 0) return [];
  const deployed = await loadFile(candidate.repository, candidate.sha);
  return wanted.environments.map((environment) => newDeployment(candidate, wanted, deployed, environment));
}

/** Returns the ids of the runs that it made; an environment that has this commit on its way makes none. */
export async function storeWishes(tx: Transaction, wishes: readonly NewDeployment[]): Promise<readonly number[]> {
  const made: number[] = [];
  for (const run of wishes) {
    const id = await createDeploymentRun(tx, run);
    if (id !== null) made.push(id);
  }
  return made;
}

/** Names of the environments that want what the condition says. */
export function wantedBy(file: RepositoryFile, wants: (plan: EnvironmentPlan) => boolean): readonly string[] {
  return Object.entries(file.environments).flatMap(([name, plan]) => (wants(plan) ? [name] : []));
}

function newDeployment(
  candidate: Candidate,
  { gating, automatic, github, override = null }: Wish,
  deployed: Loaded,
  environment: string,
): NewDeployment {
  const { cause, repository, sha, branch, pullRequest, title, author, person } = candidate;
  const configuration = configure(candidate, gating, deployed, environment);
  const about = {
    cause,
    repository: repository.id,
    sha,
    ref: branch,
    pullRequest,
    title,
    author,
    person,
    environment,
    task: "deploy" as const,
    automatic,
    github,
  };
  return "kind" in configuration
    ? { ...about, configuration: null, start: { state: "finished", outcome: configuration } }
    : { ...about, configuration: { ...configuration, override }, start: { state: "waiting", gates: [{ kind: "order" }] } };
}

/** How to deploy comes from the deployed commit, what gates it from the default branch. */
export function configure(
  { sha, head }: Pick<Candidate, "sha" | "head">,
  gating: RepositoryFile,
  deployed: Loaded,
  environment: string,
): DeploymentConfiguration | Outcome {
  const at = `.github/signalbox.yml at ${short(sha)}`;
  switch (deployed.kind) {
    case "none":
      return { kind: "failed", what: `there is no ${at}` };
    case "mistakes":
      return { kind: "failed", what: `${at} has mistakes: ${deployed.mistakes.map(sayMistake).join("; ")}` };
    case "file": {
      const plan = deployed.file.environments[environment];
      const rules = rulesOf(gating, environment);
      if (plan === undefined || rules === null) return { kind: "failed", what: `${at} has no environment "${environment}"` };
      return {
        plan,
        checks: Object.keys(deployed.file.checks),
        rules,
        head,
        headHasSameTree: false,
        asked: [],
        override: null,
        rollback: null,
        unwanted: [],
        teardown: null,
      };
    }
  }
}
